import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("solving from samples of the examples")
struct SampledSolverTests {
    private let parallel = Parallel(threads: 2)
    private let scales = (0..<12).map { 2 / Double($0 + 1) }

    private func solver(
        _ settings: SampledSolver.Settings, _ system: DampedCurvature, threads: Int = 2
    ) throws -> SampledSolver {
        try SampledSolver(settings, of: system, memoryLimit: 1 << 20, parallel: Parallel(threads: threads))
    }

    @Test("a sample's curvature is the mean of those of its examples: products, batches and the matrix")
    func sample() throws {
        let curvature = RankOneCurvature(count: 100, scales: scales, seed: 1)
        let sample = CurvatureSample(of: curvature, size: 30, seed: 3)
        let rows = sample.rows.copy.map(Int.init)
        #expect(sample.exampleCount == 30 && rows == rows.sorted() && Set(rows).count == 30)
        // One from each thirtieth.
        #expect(rows.enumerated().allSatisfy { (100 * $0 / 30..<100 * ($0 + 1) / 30).contains($1) })
        let chosen = RankOneCurvature(rows.flatMap { curvature.numbers[$0 * 12..<($0 + 1) * 12] }, width: 12)
        var numbers = SeededNumbers(2)
        let x = numbers.floats(24)
        var images = [Float](repeating: .nan, count: 24)
        try sample.product(of: x, to: &images, vectorCount: 2, parallel: parallel)
        for v in 0..<2 {
            let expected = chosen.dense.times(x[v * 12..<(v + 1) * 12].map(Double.init))
            #expect(Closeness.relativeDistance(images[v * 12..<(v + 1) * 12], expected) < 1e-5)
        }
        var image = [Float](repeating: .nan, count: 12)
        try ([4, 4, 29] as [UInt32]).withUnsafeBufferPointer { places in
            try sample.addProduct(
                over: .indices(places), alpha: 1, of: x, beta: 0, plus: nil, to: &image, vectorCount: 1,
                workspace: sample.makeWorkspace(vectorCount: 1))
        }
        let few = RankOneCurvature([4, 4, 29].flatMap { chosen.numbers[$0 * 12..<($0 + 1) * 12] }, width: 12)
        #expect(Closeness.relativeDistance(image[...], few.dense.times(x[..<12].map(Double.init))) < 1e-5)
        let matrix = PackedSymmetricMatrix(uninitializedOrder: 12)
        try sample.write(plus: 0.5, to: matrix, parallel: parallel, interruption: .never)
        let dense = chosen.dense.plus(diagonal: 0.5)
        for row in 0..<12 { for column in 0...row { #expect(abs(Double(matrix[row, column]) - dense[row, column]) < 1e-5) } }
    }

    @Test("no more examples than are asked for are all of them, and the solution is exact")
    func everything() throws {
        let curvature = RankOneCurvature(count: 60, scales: scales, seed: 1)
        let system = DampedCurvature(curvature, shift: 0.05)
        var numbers = SeededNumbers(2)
        let side = numbers.floats(12)
        let solution = try solver(.init(factored: 60, sample: 1000, tol: 1e-5), system)
            .solve(side, count: 1, in: system, parallel: parallel)
        let expected = curvature.dense.plus(diagonal: 0.05).solved(for: side)
        #expect(Closeness.relativeDistance(solution.vectors[...], expected) < 1e-4)
        #expect(solution.converged == [true] && solution.residuals[0] < 1e-4 && solution.isMeasured)
    }

    @Test("the error falls with the root of the sample, whatever the factored one's")
    func rate() throws {
        let curvature = RankOneCurvature(count: 8192, scales: scales, seed: 1)
        let system = DampedCurvature(curvature, shift: 0.05)
        var numbers = SeededNumbers(2)
        let side = numbers.floats(12)
        let expected = curvature.dense.plus(diagonal: 0.05).solved(for: side)
        func error(_ size: Int) throws -> Double {
            let squares = try (0..<12).map { seed in
                let settings = SampledSolver.Settings(factored: 256, sample: size, tol: 1e-3, maxIter: 20, seed: UInt64(seed))
                let solution = try solver(settings, system).solve(side, count: 1, in: system, parallel: parallel)
                // Which the residual, over all examples, does not hide.
                #expect(solution.residuals[0] > 1e-3 && !solution.converged[0])
                let distance = Closeness.relativeDistance(solution.vectors[...], expected)
                return distance * distance
            }
            return (squares.reduce(0, +) / 12).squareRoot()
        }
        let (small, large) = (try error(256), try error(2048))
        // d ≤ 12, and a root of eight between them.
        #expect(small < 2 * (12.0 / 256).squareRoot())
        #expect(small / large > 1.8 && small / large < 4.5)
    }

    @Test("each right-hand side is solved as if alone, to the last bit, on any number of threads")
    func independence() throws {
        let curvature = RankOneCurvature(count: 600, scales: scales, seed: 1)
        let system = DampedCurvature(curvature, shift: 0.05)
        let settings = SampledSolver.Settings(factored: 100, sample: 300)
        var numbers = SeededNumbers(2)
        let sides = numbers.floats(5 * 12)
        let together = try solver(settings, system).solve(sides, count: 5, in: system, parallel: parallel)
        for threads in [1, 3] {
            let solver = try solver(settings, system, threads: threads)
            for i in 0..<5 {
                let alone = try solver.solve(
                    Array(sides[i * 12..<(i + 1) * 12]), count: 1, in: system, parallel: Parallel(threads: threads))
                #expect(alone == together[i])
            }
        }
    }

    @Test("residuals left to others are those that it would have measured itself")
    func unmeasured() throws {
        let curvature = RankOneCurvature(count: 600, scales: scales, seed: 1)
        let system = DampedCurvature(curvature, shift: 0.05)
        let solver = try solver(.init(factored: 100, sample: 300), system)
        var numbers = SeededNumbers(2)
        let sides = numbers.floats(2 * 12)
        let left = try solver.solveUnmeasured(sides, count: 2, in: system, parallel: parallel)
        #expect(!left.isMeasured && left.residuals.allSatisfy(\.isNaN))
        var images = [Float](repeating: 0, count: 24)
        try curvature.product(of: left.vectors, to: &images, vectorCount: 2, parallel: parallel)
        let measured = left.measured(by: images, of: sides, in: system)
        #expect(try measured == solver.solve(sides, count: 2, in: system, parallel: parallel))
        #expect(measured.measured(by: sides, of: sides, in: system) == measured)
    }

    @Test("a factor's inverse is applied to each vector")
    func preconditioner() throws {
        let curvature = RankOneCurvature(count: 60, scales: scales, seed: 1)
        let system = DampedCurvature(curvature, shift: 0.05)
        let inverse = FactorPreconditioner(try solver(.init(factored: 60), system).factor)
        #expect(inverse.dimension == 12)
        var numbers = SeededNumbers(2)
        let r = numbers.floats(24)
        var z = [Float](repeating: .nan, count: 24)
        try inverse.apply(r, to: &z, count: 2, parallel: parallel, interruption: .never)
        for v in 0..<2 {
            let part = v * 12..<(v + 1) * 12
            let expected = curvature.dense.plus(diagonal: 0.05).solved(for: Array(r[part]))
            #expect(Closeness.relativeDistance(z[part], expected) < 1e-4)
        }
    }

    @Test("refuses what has no factor, stops when told to, and says of numbers beyond single precision what they are")
    func refusals() throws {
        let falling = DampedCurvature(RankOneCurvature(diagonal: [1, 1, -1]), shift: 0.05)
        #expect(throws: SolverError.notPositiveDefinite(shift: 0.05)) { try solver(.init(factored: 3), falling) }
        let system = DampedCurvature(RankOneCurvature(count: 60, scales: scales, seed: 1), shift: 0.05)
        #expect(throws: (any Error).self) {
            try SampledSolver(.init(), of: system, memoryLimit: 10, parallel: parallel)
        }
        #expect(throws: Interrupted.self) {
            try SampledSolver(
                .init(), of: system, memoryLimit: 1 << 20, parallel: parallel, interruption: Interruption { true })
        }
        let ready = try solver(.init(factored: 30, sample: 30), system)
        #expect(throws: Interrupted.self) {
            try ready.solve(
                [Float](repeating: 1, count: 12), count: 1, in: system, parallel: parallel, interruption: Interruption { true })
        }
        #expect(throws: SolverError.notFinite) {
            try ready.solve([Float](repeating: .infinity, count: 12), count: 1, in: system, parallel: parallel)
        }
        let nothing = try ready.solve([Float](repeating: 0, count: 12), count: 1, in: system, parallel: parallel)
        #expect(nothing.vectors.allSatisfy { $0 == 0 } && nothing.residuals == [0] && nothing.converged == [true])
    }
}
