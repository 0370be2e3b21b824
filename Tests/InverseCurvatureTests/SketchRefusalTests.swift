import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("what the sketch solver refuses, and what it keeps")
struct SketchRefusalTests {
    private let parallel = Parallel(threads: 1)
    private let curvature = RankOneCurvature(count: 30, scales: [3, 2, 1, 0.5, 0.2], seed: 1)
    private let shift = 0.3

    private func made(_ estimate: SketchSolver.Estimate) throws -> SketchSolver {
        try SketchSolver(
            of: DampedCurvature(curvature, shift: shift),
            settings: .init(projectionDim: 3, seed: 5, estimate: estimate),
            descent: .init(steps: 50), spectrum: SpectrumEstimate(of: curvature, parallel: parallel), memoryLimit: 1 << 20,
            parallel: parallel)
    }

    private func read(_ bytes: [UInt8], dimension: Int = 5, shift: Double = 0.3) throws -> SketchSolver {
        try bytes.withUnsafeBytes { try SketchSolver(bytes: $0, dimension: dimension, shift: shift, parallel: parallel) }
    }

    @Test("bytes are what they were, and what is read from them solves alike", arguments: SketchSolver.Estimate.allCases)
    func roundTrip(estimate: SketchSolver.Estimate) throws {
        let sketch = try made(estimate)
        let kept = try read(sketch.bytes)
        #expect(kept.settings == sketch.settings)
        #expect(kept.bytes == sketch.bytes)
        let system = DampedCurvature(curvature, shift: shift)
        let side: [Float] = [1, 2, 3, 4, 5]
        #expect(
            try kept.solve(side, count: 1, in: system, parallel: parallel)
                == sketch.solve(side, count: 1, in: system, parallel: parallel))
    }

    @Test("a changed bit anywhere, a missing or an additional byte is noticed", arguments: SketchSolver.Estimate.allCases)
    func damage(estimate: SketchSolver.Estimate) throws {
        let bytes = try made(estimate).bytes
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= UInt8(1 << (index % 8))
            #expect(throws: DamagedSketch.self) { try read(damaged) }
        }
        for count in 0..<bytes.count { #expect(throws: DamagedSketch.self) { try read(Array(bytes.prefix(count))) } }
        #expect(throws: DamagedSketch.self) { try read(bytes + [0]) }
    }

    @Test("columns for another λ are refused; pairs serve any")
    func otherShift() throws {
        let columns = try made(.unbiased).bytes
        #expect(throws: DamagedSketch(description: "a sketch for λ = 0.3 is not for 0.4")) { try read(columns, shift: 0.4) }
        #expect(try read(made(.fitted).bytes, shift: 0.4).settings.estimate == .fitted)
        #expect(throws: DamagedSketch(description: "columns of 5 numbers are not of 6")) { try read(columns, dimension: 6) }
    }

    @Test("a sketch that would not fit is refused before any work")
    func sizes() {
        let system = DampedCurvature(curvature, shift: shift)
        for dimension in [1 << 20, Int.max, Int.max / 5] {
            #expect(throws: SolverError.self) {
                try SketchSolver(
                    of: system, settings: .init(projectionDim: dimension, estimate: .unbiased), memoryLimit: 1 << 20,
                    parallel: parallel
                ) { _ in IdentitySolver() }
            }
        }
        #expect(throws: SolverError.tooLarge(parameters: .max, bytes: .max, limit: 10)) {
            try SketchSolver.checkSize(dimension: .max, projectionDim: 2, memoryLimit: 10)
        }
        #expect(throws: Never.self) { try SketchSolver.checkSize(dimension: 7840, projectionDim: 256, memoryLimit: 1 << 26) }
    }

    @Test("numbers that are not finite are refused, in right-hand sides and in the curvature")
    func notFinite() throws {
        let system = DampedCurvature(curvature, shift: shift)
        for estimate in SketchSolver.Estimate.allCases {
            let sketch = try made(estimate)
            for value in [Float.nan, .infinity] {
                #expect(throws: SolverError.notFinite) {
                    try sketch.solve([1, value, 0, 0, 0], count: 1, in: system, parallel: parallel)
                }
            }
            let broken = RankOneCurvature([1, 2, .nan, 1, 1, 1], width: 2)
            let spectrum = SpectrumEstimate(largestEigenvalue: 3, trace: 3, largestExampleNorm: 5)
            #expect(throws: SolverError.notFinite) {
                try SketchSolver(
                    of: DampedCurvature(broken, shift: 0.1), settings: .init(projectionDim: 2, estimate: estimate),
                    spectrum: spectrum, memoryLimit: 1 << 20, parallel: parallel)
            }
        }
    }

    @Test("of a right-hand side of zeros the solution is zero", arguments: SketchSolver.Estimate.allCases)
    func zero(estimate: SketchSolver.Estimate) throws {
        let solution = try made(estimate).solve(
            [Float](repeating: 0, count: 5), count: 1, in: DampedCurvature(curvature, shift: shift), parallel: parallel)
        #expect(solution.vectors.allSatisfy { $0 == 0 })
        #expect(solution.residuals == [0])
    }

    @Test("fitted on a curvature that falls along a direction, it asks for a λ that makes it rise")
    func indefinite() throws {
        let falling = RankOneCurvature.rotated([2, 1, 0.5, -0.5], seed: 2)
        let spectrum = SpectrumEstimate(largestEigenvalue: 2, trace: 3, largestExampleNorm: 8)
        let sketch = try SketchSolver(
            of: DampedCurvature(falling, shift: 0.1), settings: .init(projectionDim: 4), spectrum: spectrum,
            memoryLimit: 1 << 20, parallel: parallel)
        #expect(throws: SolverError.notPositiveDefinite(shift: 0.1)) {
            try sketch.solve([1, 2, 3, 4], count: 1, in: DampedCurvature(falling, shift: 0.1), parallel: parallel)
        }
        let enough = try sketch.solve([1, 2, 3, 4], count: 1, in: DampedCurvature(falling, shift: 0.8), parallel: parallel)
        #expect(enough.residuals[0] < 1e-3)
    }

    @Test("interruptions are heeded, in making and in solving")
    func interruption() throws {
        let system = DampedCurvature(curvature, shift: shift)
        let raised = Interruption { true }
        for estimate in SketchSolver.Estimate.allCases {
            #expect(throws: Interrupted()) {
                try SketchSolver(
                    of: system, settings: .init(projectionDim: 3, estimate: estimate),
                    spectrum: SpectrumEstimate(largestEigenvalue: 3, trace: 3, largestExampleNorm: 5), memoryLimit: 1 << 20,
                    parallel: parallel, interruption: raised)
            }
            let sketch = try made(estimate)
            #expect(throws: Interrupted()) {
                try sketch.solve([1, 2, 3, 4, 5], count: 1, in: system, parallel: parallel, interruption: raised)
            }
        }
    }
}
