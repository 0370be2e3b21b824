import Attribution
import LinearAlgebra
import TestSupport
import Testing

@Suite("what TRAK has no kernel of")
struct TRAKRefusalTests {
    private let tests: [(x: [Double], y: Int)] = [([0.3, -1, 0.5, 2], 1), ([1, 1, -0.25, 0], 0)]

    @Test(
        "fewer examples than dimensions are singular without damping, and what is suggested is enough, in the units that were asked in",
        arguments: [1, 1e-4, 1e4], [false, true])
    func singular(scale: Double, isRelative: Bool) throws {
        let problem = TRAKProblem(count: 4, dimension: 6, scale: 1, projected: scale)
        let error = #expect(throws: TRAKError.self) { try problem.kernel(isRelative: isRelative) }
        guard case .singular(6, 4, 0, let suggestion, isRelative) = error, let error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(suggestion > 0 && "\(error)".contains("\(isRelative ? "a relative" : "an absolute") λ of \(suggestion)"))
        let kernel = try problem.kernel(damping: suggestion, isRelative: isRelative)
        #expect(abs(kernel.damping / kernel.meanEigenvalue / 1e-6 - 1) < 1e-9)
        let scores = try problem.scores(tests, damping: kernel.damping)
        #expect(Closeness.relativeDistance(scores[0], problem.reference(tests[0], damping: kernel.damping)) < 1e-2)
    }

    @Test("where all gradients are zero no multiple of them is a damping, and what is suggested is a number")
    func zeros() throws {
        let zeros = try ResidentRows(AlignedMemory(repeating: 0, count: 24), count: 2, width: 3, encoding: .float32)
        func kernel(_ damping: Double, isRelative: Bool = false) throws -> TRAKKernel {
            try TRAKKernel(
                of: zeros, marginWeights: [0.5, 0], damping: damping, isRelative: isRelative, memoryLimit: 1 << 20,
                parallel: Parallel(threads: 1))
        }
        let error = TRAKError.singular(dimension: 3, exampleCount: 2, damping: 0, suggestion: 1, isRelative: false)
        #expect(throws: error) { try kernel(0) }
        #expect(throws: error) { try kernel(0.5, isRelative: true) }
        #expect(try kernel(1).directions(for: [1, 2, 3], parallel: Parallel(threads: 1)) == [1, 2, 3])
    }

    @Test("numbers that are not finite, no examples, bad dampings and too little memory are errors that name themselves")
    func hostile() throws {
        let parallel = Parallel(threads: 1)
        func kernel(_ numbers: [Float], _ marginWeights: [Double], _ damping: Double = 1) throws -> TRAKKernel {
            let bytes = AlignedMemory<UInt8>(uninitialized: numbers.count * 4)
            numbers.withUnsafeBytes { if $0.count > 0 { memcpy(bytes, $0) } }
            let rows = try ResidentRows(bytes, count: numbers.count / 2, width: 2, encoding: .float32)
            return try TRAKKernel(
                of: rows, marginWeights: marginWeights, damping: damping, memoryLimit: 1 << 20, parallel: parallel)
        }
        func memcpy(_ bytes: AlignedMemory<UInt8>, _ source: UnsafeRawBufferPointer) {
            UnsafeMutableRawPointer(bytes.start).copyMemory(from: source.baseAddress!, byteCount: source.count)
        }
        for bad in [Float.nan, .infinity, -.infinity] {
            #expect(throws: TRAKError.notFinite(example: 1)) { try kernel([1, 2, 3, bad], [0.5, 0.5]) }
        }
        for bad in [Double.nan, .infinity, -0.1] {
            #expect(throws: TRAKError.notFinite(example: 0)) { try kernel([1, 2, 3, 4], [bad, 0.5]) }
        }
        #expect(throws: TRAKError.noExamples) { try kernel([], []) }
        #expect(throws: TRAKError.invalidDamping(-1)) { try kernel([1, 2], [0.5], -1) }
        #expect(throws: TRAKError.self) { try kernel([1, 2], [0.5], .nan) }
        #expect(throws: TRAKError.invalidDamping(.infinity)) { try kernel([1, 2], [0.5], .infinity) }
        #expect(throws: TRAKError.notFinite(example: nil)) {
            try kernel([1, 2], [0.5]).directions(for: [1, .nan], parallel: parallel)
        }
        #expect(throws: TRAKError.notFinite(example: nil)) {
            try kernel([0, 0], [0.5], 1e-3).directions(for: [3e38, 1], parallel: parallel)
        }
        let bytes = try #require(TRAKKernel.byteCount(dimension: 6))
        #expect(throws: TRAKError.tooLarge(dimension: 6, bytes: bytes, limit: bytes - 1)) {
            try TRAKProblem().kernel(memoryLimit: bytes - 1)
        }
        #expect(TRAKKernel.byteCount(dimension: .max) == nil)
    }

    @Test("building, solving and scaling are interrupted")
    func interruption() throws {
        let problem = TRAKProblem(models: 2)
        let (parallel, raised) = (Parallel(threads: 2), Interruption { true })
        #expect(throws: Interrupted.self) {
            try TRAKKernel(
                of: problem.rows(0), marginWeights: problem.marginWeights(0), damping: 0, memoryLimit: 1 << 20,
                parallel: parallel, interruption: raised)
        }
        let kernel = try problem.kernel()
        #expect(throws: Interrupted.self) {
            try kernel.directions(for: [1, 2, 3, 4, 5, 6], parallel: parallel, interruption: raised)
        }
        let scaled = ScaledGradients(RowGradients(rows: try problem.rows(0)), by: kernel.reciprocals)
        #expect(throws: Interrupted.self) {
            try scaled.scores(of: .all, along: [1, 2, 3, 4, 5, 6], parallel: parallel, interruption: raised)
        }
    }
}
