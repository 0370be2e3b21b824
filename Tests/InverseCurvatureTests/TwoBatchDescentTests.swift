import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("descent by two mini-batches")
struct TwoBatchDescentTests {
    private let parallel = Parallel(threads: 2)
    private let curvature = RankOneCurvature(count: 40, scales: [2, 1, 0.7, 0.4], seed: 21)
    private let shift = 0.3
    private let side: [Float] = [1, -1, 2, 0.5]

    private var system: DampedCurvature { DampedCurvature(curvature, shift: shift) }

    private func descent(_ choice: TwoBatchDescent.Choice, shift: Double = 0.3) throws -> TwoBatchDescent {
        TwoBatchDescent(
            choice, spectrum: try SpectrumEstimate(of: curvature, parallel: parallel), exampleCount: 40, shift: shift)
    }

    /// (I − η(D + λI)²)-descent from V/λ, in double precision.
    private func fullDescent(steps: Int, stepSize: Double) -> [Double] {
        let matrix = curvature.dense.plus(diagonal: shift)
        var s = side.map { Double($0) / shift }
        for _ in 0..<steps {
            let inner = zip(matrix.times(s), side).map { $0 - Double($1) }
            s = zip(s, matrix.times(inner)).map { $0 - stepSize * $1 }
        }
        return s
    }

    @Test("on all examples at once it is descent on the squared residual")
    func wholeBatch() throws {
        let solution = try descent(.init(steps: 7, batchSize: 40, stepSize: 0.02))
            .solve(side, count: 1, in: system, parallel: parallel)
        #expect(Closeness.relativeDistance(solution.vectors, fullDescent(steps: 7, stepSize: 0.02)) < 1e-5)
        #expect(abs(solution.residuals[0] - curvature.residual(solution.vectors, side, shift: shift)) < 1e-5)
        #expect(solution.iterations == [7])
    }

    @Test("its expectation is that of all examples: the two batches are independent, where the same one twice would be biased")
    func expectation() throws {
        let (steps, stepSize) = (12, 0.005)
        let runs = 2000
        var (sums, squares) = ([Double](repeating: 0, count: 4), [Double](repeating: 0, count: 4))
        for seed in 0..<UInt64(runs) {
            let s = try descent(.init(steps: steps, batchSize: 2, stepSize: stepSize, seed: seed))
                .solve(side, count: 1, in: system, parallel: Parallel(threads: 1)).vectors
            for i in s.indices {
                sums[i] += Double(s[i])
                squares[i] += Double(s[i]) * Double(s[i])
            }
        }
        let expected = fullDescent(steps: steps, stepSize: stepSize)
        for i in side.indices {
            let mean = sums[i] / Double(runs)
            let error = ((squares[i] / Double(runs) - mean * mean) / Double(runs)).squareRoot()
            #expect(abs(mean - expected[i]) < 4 * error)
            #expect(error < 0.03 * abs(expected[i]) + 0.02)
        }
    }

    @Test("automatic steps and sizes come near the solution, and never diverge, even on single examples")
    func automatic() throws {
        let exact = curvature.dense.plus(diagonal: shift).solved(for: side)
        let near = try descent(.init(batchSize: 40)).solve(side, count: 1, in: system, parallel: parallel)
        #expect(Closeness.relativeDistance(near.vectors, exact) < 0.06)
        for shift in [0.3, 0.01, 0] {
            let rough = try descent(.init(batchSize: 1), shift: shift)
                .solve(side, count: 1, in: DampedCurvature(curvature, shift: shift), parallel: parallel)
            #expect(rough.residuals[0].isFinite)
            #expect(rough.iterations[0] <= TwoBatchDescent.Choice.most)
        }
    }

    @Test("it finds solutions of indefinite systems")
    func indefinite() throws {
        let falling = RankOneCurvature.rotated([2, 1, 0.5, -0.8], seed: 2)
        let spectrum = try SpectrumEstimate(of: falling, parallel: parallel)
        let descent = TwoBatchDescent(
            .init(steps: 2000, batchSize: 4, stepSize: 0.1), spectrum: spectrum, exampleCount: 4, shift: 0.1)
        let solution = try descent.solve(side, count: 1, in: DampedCurvature(falling, shift: 0.1), parallel: parallel)
        #expect(falling.residual(solution.vectors, side, shift: 0.1) < 1e-4)
        #expect(solution.converged == [true])
    }

    @Test("too large a step is noticed, and the error names one that is not")
    func diverged() throws {
        let wild = try descent(.init(steps: 500, batchSize: 4, stepSize: 10))
        let error = #expect(throws: TwoBatchDescent.Diverged.self) {
            try wild.solve(side, count: 1, in: system, parallel: parallel)
        }
        let diverged = try #require(error)
        #expect(diverged.settings == wild.settings)
        #expect(diverged.step < 16)
        let tame = try descent(.init(steps: 500, batchSize: 4, stepSize: diverged.safeStepSize))
        #expect(try tame.solve(side, count: 1, in: system, parallel: parallel).residuals[0] < 1)
        #expect(throws: TwoBatchDescent.Diverged.self) {
            try descent(.init(steps: 5, stepSize: .nan)).solve(side, count: 1, in: system, parallel: parallel)
        }
    }

    @Test("each of many right-hand sides is solved as if alone, on any number of threads")
    func independence() throws {
        var numbers = SeededNumbers(3)
        let sides = numbers.floats(40 * 4)
        let descent = try descent(.init(steps: 30, batchSize: 5))
        let together = try descent.solve(sides, count: 40, in: system, parallel: Parallel(threads: 3))
        #expect(try descent.solve(sides, count: 40, in: system, parallel: Parallel(threads: 1)) == together)
        for i in [0, 15, 16, 39] {
            let alone = try descent.solve(Array(sides[4 * i..<4 * i + 4]), count: 1, in: system, parallel: parallel)
            #expect(alone == together[i])
        }
    }

    @Test("numbers that are not finite are refused, and strange settings tamed")
    func refusals() throws {
        for value in [Float.nan, .infinity] {
            #expect(throws: SolverError.notFinite) {
                try descent(.init(steps: 3)).solve([value, 1, 1, 1], count: 1, in: system, parallel: parallel)
            }
        }
        let strange = try descent(.init(steps: -4, batchSize: .max, stepSize: 0.01))
        #expect(strange.settings.steps == 0)
        #expect(strange.settings.batchSize == 40)
        let zero = try descent(.init(steps: 3)).solve([0, 0, 0, 0], count: 1, in: system, parallel: parallel)
        #expect(zero.vectors == [0, 0, 0, 0])
        #expect(zero.residuals == [0])
    }
}
