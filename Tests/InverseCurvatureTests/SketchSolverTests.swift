import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("the sketch solver")
struct SketchSolverTests {
    private let parallel = Parallel(threads: 2)
    private let curvature = RankOneCurvature(count: 60, scales: [2, 1.5, 1, 0.5, 0.3, 0.2], seed: 3)
    private let shift = 0.4
    private let side: [Float] = [1, -2, 0.5, 1, 2, -1]

    private var system: DampedCurvature { DampedCurvature(curvature, shift: shift) }
    private var exact: [Double] { curvature.dense.plus(diagonal: shift).solved(for: side) }

    /// What the mean of so many independent sketches is off by, beside what it should be: for normal G,
    /// E‖A(GᵀG − I)v‖² = (‖v‖²·tr A² + ‖Av‖²)/d.
    private func errorOfMean(
        seeds: Range<UInt64>, dimension: Int, shift: Double, sketch: (UInt64) throws -> SketchSolver
    ) throws -> Double {
        let matrix = curvature.dense.plus(diagonal: shift)
        let exact = matrix.solved(for: side)
        var sums = [Double](repeating: 0, count: side.count)
        for seed in seeds {
            let solution = try sketch(seed).solve(
                side, count: 1, in: DampedCurvature(curvature, shift: shift), parallel: parallel)
            for i in sums.indices { sums[i] += Double(solution.vectors[i]) / Double(seeds.count) }
        }
        func square(_ x: [some BinaryFloatingPoint]) -> Double { x.reduce(0) { $0 + Double($1) * Double($1) } }
        let inverseSquares = matrix.symmetricEigenvalues.reduce(0) { $0 + 1 / ($1 * $1) }
        let variance = (square(side) * inverseSquares + square(exact)) / Double(dimension)
        return square(zip(sums, exact).map { $0 - $1 }).squareRoot() / (variance / Double(seeds.count)).squareRoot()
    }

    @Test("the paper's is unbiased: the mean over seeds is off by what its variance says, a sixth for forty times as many")
    func unbiased() throws {
        let factored = try ExactSolver(factoring: system, memoryLimit: 1000, parallel: parallel)
        for seeds in [0..<50, 50..<100, 1000..<3000] as [Range<UInt64>] {
            let error = try errorOfMean(seeds: seeds, dimension: 16, shift: shift) { seed in
                try SketchSolver(
                    of: system, settings: .init(projectionDim: 16, seed: seed, estimate: .unbiased), memoryLimit: 1 << 20,
                    parallel: parallel
                ) { _ in factored }
            }
            #expect(error < 2 && error > 0.2, "\(seeds.count) seeds")
        }
    }

    @Test("also where its columns come from the stochastic gradients of two mini-batches")
    func unbiasedByDescent() throws {
        let spectrum = try SpectrumEstimate(of: curvature, parallel: parallel)
        for seeds in [0..<20, 100..<300] as [Range<UInt64>] {
            let error = try errorOfMean(seeds: seeds, dimension: 8, shift: 1.5) { seed in
                try SketchSolver(
                    of: DampedCurvature(curvature, shift: 1.5),
                    settings: .init(projectionDim: 8, seed: seed, estimate: .unbiased),
                    descent: .init(steps: 150, batchSize: 20, stepSize: 0.015, seed: seed), spectrum: spectrum,
                    memoryLimit: 1 << 20, parallel: parallel)
            }
            #expect(error < 2 && error > 0.2, "\(seeds.count) seeds")
        }
    }

    @Test("its repeats are estimates whose mean it is, and two of their standard errors hold the exact score nine times of ten")
    func repeats() throws {
        let factored = try ExactSolver(factoring: system, memoryLimit: 1000, parallel: parallel)
        let direction: [Double] = [1, 0.5, -1, 2, 0.3, -0.7]
        func score(_ vector: [some BinaryFloatingPoint]) -> Double {
            zip(vector, direction).reduce(0) { $0 + Double($1.0) * $1.1 }
        }
        var covered = 0
        for seed in 0..<300 as Range<UInt64> {
            let solution = try SketchSolver(
                of: system, settings: .init(projectionDim: 32, seed: seed, estimate: .unbiased), memoryLimit: 1 << 20,
                parallel: parallel
            ) { _ in factored }.solve(side, count: 1, in: system, parallel: parallel)
            #expect(solution.repeats.count == 8)
            let mean = side.indices.map { i in solution.repeats.reduce(0.0) { $0 + Double($1[i]) } / 8 }
            #expect(Closeness.relativeDistance(solution.vectors, mean) < 1e-6)
            let scores = solution.repeats.map { score($0) }
            let middle = scores.reduce(0, +) / 8
            let error = (scores.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / 7 / 8).squareRoot()
            if abs(score(solution.vectors) - score(exact)) <= 2 * error { covered += 1 }
            #expect(try #require(solution.accuracies[0].noise) > 0)
        }
        #expect(covered >= 260)
    }

    @Test(
        "fitted, it is exact to rounding with as many columns as parameters, or as many as the curvature has directions, for any λ"
    )
    func fullRank() throws {
        let few = RankOneCurvature(count: 4, scales: [Double](repeating: 1, count: 40), seed: 9)
        var numbers = SeededNumbers(4)
        for (curvature, count) in [(self.curvature, 6), (self.curvature, 1000), (few, 4), (few, 9)] {
            let spectrum = try SpectrumEstimate(of: curvature, parallel: parallel)
            let sketch = try SketchSolver(
                of: DampedCurvature(curvature, shift: 0.05), settings: .init(projectionDim: count), spectrum: spectrum,
                memoryLimit: 1 << 20, parallel: parallel)
            let side = numbers.floats(curvature.dimension)
            for shift in [0.05, 0.5] {
                let solution = try sketch.solve(side, count: 1, in: DampedCurvature(curvature, shift: shift), parallel: parallel)
                let exact = curvature.dense.plus(diagonal: shift).solved(for: side)
                #expect(Closeness.relativeDistance(solution.vectors, exact) < 1e-3)
                #expect(solution.residuals[0] < 1e-2)
                #expect(solution.converged == [true])
                #expect(solution.repeats.isEmpty)
            }
        }
    }

    @Test("fitted, it is far better than unbiased where few directions matter, and says by its residual how good")
    func fitted() throws {
        let scales = (0..<80).map { 3 / Double(1 + $0) }
        let curvature = RankOneCurvature(count: 400, scales: scales, seed: 11)
        let system = DampedCurvature(curvature, shift: 0.05)
        let spectrum = try SpectrumEstimate(of: curvature, parallel: parallel)
        var numbers = SeededNumbers(12)
        // Gradients lie where curvature is.
        let side = scales.map { Float($0 * numbers.normal()) }
        let exact = curvature.dense.plus(diagonal: 0.05).solved(for: side)
        func quality(_ estimate: SketchSolver.Estimate) throws -> (error: Double, residual: Double) {
            let sketch = try SketchSolver(
                of: system, settings: .init(projectionDim: 24, estimate: estimate), spectrum: spectrum, memoryLimit: 1 << 20,
                parallel: parallel)
            let solution = try sketch.solve(side, count: 1, in: system, parallel: parallel)
            #expect(abs(solution.residuals[0] - curvature.residual(solution.vectors, side, shift: 0.05)) < 1e-4)
            return (Closeness.relativeDistance(solution.vectors, exact), solution.residuals[0])
        }
        let (fitted, unbiased) = (try quality(.fitted), try quality(.unbiased))
        #expect(fitted.error < 0.2)
        #expect(unbiased.error > 4 * fitted.error)
        #expect(unbiased.residual > fitted.residual)
    }

    @Test("where the curvature is the identity, or nothing at all, the fitted one is exact with a single column")
    func identity() throws {
        for eigenvalue in [0.5, 0] {
            let curvature = RankOneCurvature(diagonal: [Double](repeating: eigenvalue, count: 5))
            let system = DampedCurvature(curvature, shift: 0.5)
            let sketch = try SketchSolver(
                of: system, settings: .init(projectionDim: 1), spectrum: SpectrumEstimate(of: curvature, parallel: parallel),
                memoryLimit: 1000, parallel: parallel)
            let solution = try sketch.solve([1, -2, 3, -4, 0], count: 1, in: system, parallel: parallel)
            let factor = Float(1 / (eigenvalue + 0.5))
            #expect(Closeness.relativeDistance(solution.vectors, [1, -2, 3, -4, 0].map { factor * $0 }) < 1e-5)
        }
    }

    @Test("every bit is the same on any number of threads, alone and among others", arguments: SketchSolver.Estimate.allCases)
    func independence(estimate: SketchSolver.Estimate) throws {
        let curvature = RankOneCurvature(count: 300, scales: (0..<50).map { 2 / Double(1 + $0) }, seed: 5)
        let system = DampedCurvature(curvature, shift: 0.1)
        let spectrum = try SpectrumEstimate(of: curvature, parallel: parallel)
        var numbers = SeededNumbers(6)
        let sides = numbers.floats(3 * 50)
        let solutions = try [1, 2, 5].map { threads in
            try SketchSolver(
                of: system, settings: .init(projectionDim: 20, seed: 7, estimate: estimate),
                descent: .init(steps: 20, batchSize: 30, seed: 8), spectrum: spectrum, memoryLimit: 1 << 20,
                parallel: Parallel(threads: threads))
        }.map { try ($0, $0.solve(sides, count: 3, in: system, parallel: parallel)) }
        for (sketch, solution) in solutions {
            #expect(sketch.bytes == solutions[0].0.bytes)
            #expect(solution == solutions[0].1)
        }
        let (sketch, together) = solutions[0]
        for i in 0..<3 {
            let alone = try sketch.solve(
                Array(sides[i * 50..<(i + 1) * 50]), count: 1, in: system, parallel: Parallel(threads: 1))
            #expect(alone == together[i])
        }
    }

    @Test("another seed is another sketch")
    func seeds() throws {
        let spectrum = try SpectrumEstimate(of: curvature, parallel: parallel)
        let all = try (0..<3 as Range<UInt64>).map { seed in
            try SketchSolver(
                of: system, settings: .init(projectionDim: 3, seed: seed), spectrum: spectrum, memoryLimit: 1 << 20,
                parallel: parallel
            ).bytes
        }
        #expect(Set(all).count == 3)
    }
}
