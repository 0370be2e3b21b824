import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("LiSSA: automatic settings and divergence")
struct LiSSASettingsTests {
    private let parallel = Parallel(threads: 2)

    /// A curvature that is hard on a stochastic recursion.
    struct Nasty: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let curvature: RankOneCurvature
        let shift: Double
        let rightHandSide: [Float]

        init(_ name: String, _ curvature: RankOneCurvature, shift: Double, along rightHandSide: [Float]? = nil) {
            testDescription = "\(name), λ = \(shift)"
            self.curvature = curvature
            self.shift = shift
            self.rightHandSide = rightHandSide ?? [Float](repeating: 1, count: curvature.dimension)
        }

        /// Systems with a λ that a Neumann series can reach.
        static let solvable: [Nasty] = [
            Nasty("one example", RankOneCurvature([3, 4], width: 2), shift: 0.5),
            Nasty("two examples", RankOneCurvature([3, 4, -1, 1], width: 2), shift: 0.5),
            Nasty("examples of huge norm", RankOneCurvature(count: 100, scales: [1e6, 1e5, 1e6], seed: 1), shift: 1e10),
            Nasty("examples of tiny norm", RankOneCurvature(count: 100, scales: [1e-6, 1e-5, 1e-6], seed: 2), shift: 1e-12),
            Nasty("λ far above the curvature", RankOneCurvature(count: 50, scales: [1, 1, 1], seed: 3), shift: 1e4),
            Nasty("an outlier", RankOneCurvature(outlier: 100, among: 500, order: 4), shift: 0.1),
            Nasty(
                "more directions than examples", RankOneCurvature(count: 5, scales: [Double](repeating: 1, count: 20), seed: 4),
                shift: 0.1),
            Nasty("no curvature at all", RankOneCurvature([Float](repeating: 0, count: 40), width: 4), shift: 0.1),
        ]

        /// Systems with a λ so small that only boundedness can be asked for.
        static let hopeless: [Nasty] = [
            Nasty("a flat direction", RankOneCurvature(diagonal: [1, 0.5, 0]), shift: 0),
            Nasty("a direction that is nearly flat", RankOneCurvature(diagonal: [1, 0.5, 1e-9]), shift: 1e-12),
            Nasty("one example", RankOneCurvature([3, 4], width: 2), shift: 0),
            Nasty("huge norms", RankOneCurvature(count: 100, scales: [1e6, 1e3, 1], seed: 5), shift: 0),
            Nasty("tiny norms", RankOneCurvature(count: 100, scales: [1e-6, 1e-7, 1e-9], seed: 6), shift: 0),
            Nasty("no curvature at all", RankOneCurvature([Float](repeating: 0, count: 40), width: 4), shift: 0),
            Nasty(
                "a weak direction that every example couples to strong ones",
                RankOneCurvature(coupled: 2000, order: 16, weak: 0.01),
                shift: 0, along: [1] + [Float](repeating: 0, count: 15)),
        ]
    }

    @Test(
        "automatic settings come close to the exact solution where λ allows it", arguments: Nasty.solvable, 0..<3 as Range<UInt64>
    )
    func converge(nasty: Nasty, seed: UInt64) throws {
        let spectrum = try SpectrumEstimate(of: nasty.curvature, parallel: parallel)
        let run = LiSSA(.init(seed: seed), spectrum: spectrum, exampleCount: nasty.curvature.exampleCount, shift: nasty.shift)
        let solution = try run.solve(
            nasty.rightHandSide, count: 1, in: DampedCurvature(nasty.curvature, shift: nasty.shift), parallel: parallel)
        let exact = nasty.curvature.dense.plus(diagonal: nasty.shift).solved(for: nasty.rightHandSide)
        #expect(Closeness.relativeDistance(solution.vectors, exact) < 0.05, "\(run.settings)")
        #expect(solution.converged == [true], "residual \(solution.residuals[0])")
    }

    @Test("an automatic scale never diverges, however small λ is", arguments: Nasty.hopeless)
    func bounded(nasty: Nasty) throws {
        let spectrum = try SpectrumEstimate(of: nasty.curvature, parallel: parallel)
        let run = LiSSA(.init(numRepeat: 1), spectrum: spectrum, exampleCount: nasty.curvature.exampleCount, shift: nasty.shift)
        #expect(run.settings.recursionDepth == LiSSA.Choice.deepest)
        let solution = try run.solve(
            nasty.rightHandSide, count: 1, in: DampedCurvature(nasty.curvature, shift: nasty.shift), parallel: parallel)
        #expect(solution.converged == [false])
        #expect(solution.vectors.allSatisfy { $0.isFinite })
        #expect(solution.residuals.allSatisfy { $0.isFinite })
    }

    @Test(
        "a scale that is too small is noticed, and the scale named instead works", arguments: [2, 5, 100, 1e6], [5, 16, 40, 1000])
    func diverged(factor: Double, depth: Int) throws {
        let curvature = RankOneCurvature(count: 60, scales: [2, 1, 0.5], seed: 7)
        let system = DampedCurvature(curvature, shift: 0.1)
        let spectrum = try SpectrumEstimate(of: curvature, parallel: parallel)
        // Half the largest eigenvalue is where the recursion begins to grow.
        let choice = LiSSA.Choice(recursionDepth: depth, batchSize: 60, scale: spectrum.largestEigenvalue / 2 / factor)
        let run = LiSSA(choice, spectrum: spectrum, exampleCount: 60, shift: 0.1)
        let error = #expect(throws: SolverError.self) { try run.solve([1, 1, 1], count: 1, in: system, parallel: parallel) }
        guard case .diverged(let settings, let step, let safeScale) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(settings == run.settings)
        #expect((1...depth).contains(step))
        var safe = choice
        safe.scale = safeScale
        safe.recursionDepth = 1000
        let solution = try LiSSA(safe, spectrum: spectrum, exampleCount: 60, shift: 0.1)
            .solve([1, 1, 1], count: 1, in: system, parallel: parallel)
        #expect(solution.converged == [true])
    }

    @Test("mini-batches at a scale that only suits the mean diverge and are noticed")
    func noisy() throws {
        let curvature = RankOneCurvature(count: 100, scales: [Double](repeating: 1, count: 30), seed: 8)
        let spectrum = try SpectrumEstimate(of: curvature, parallel: parallel)
        let choice = LiSSA.Choice(recursionDepth: 2000, batchSize: 1, scale: spectrum.largestEigenvalue)
        let run = LiSSA(choice, spectrum: spectrum, exampleCount: 100, shift: 0.1)
        #expect(throws: SolverError.self) {
            try run.solve(
                [Float](repeating: 1, count: 30), count: 1, in: DampedCurvature(curvature, shift: 0.1), parallel: parallel)
        }
    }

    @Test("a curvature that is not finite ends in an error, not in a trap")
    func notFinite() async {
        await #expect(processExitsWith: .success) {
            for value in [Float.nan, .infinity, 1e30] {
                let curvature = RankOneCurvature([1, 0, 0, 0, value, 0, 0, 0, 1], width: 3)
                let parallel = Parallel(threads: 1)
                #expect(throws: SolverError.self) {
                    let spectrum = try SpectrumEstimate(of: curvature, parallel: parallel)
                    let run = LiSSA(.init(), spectrum: spectrum, exampleCount: 3, shift: 0.1)
                    return try run.solve([1, 1, 1], count: 1, in: DampedCurvature(curvature, shift: 0.1), parallel: parallel)
                }
            }
        }
    }

    @Test("automatic numbers follow from the spectrum as documented")
    func formulas() {
        func resolved(
            _ choice: LiSSA.Choice = .init(), largest: Double, norm: Double, examples: Int = 10_000, shift: Double = 0.01
        )
            -> LiSSA.Settings
        {
            let spectrum = SpectrumEstimate(largestEigenvalue: largest, trace: 10, largestExampleNorm: norm)
            return choice.resolved(for: spectrum, exampleCount: examples, shift: shift)
        }
        // R²/B is at most a quarter of λ_max, B a power of two from 32 to 512 and never more than n.
        #expect(resolved(largest: 2, norm: 1).batchSize == 32)
        #expect(resolved(largest: 2, norm: 16).batchSize == 32)
        #expect(resolved(largest: 2, norm: 17).batchSize == 64)
        #expect(resolved(largest: 2, norm: 64).batchSize == 128)
        #expect(resolved(largest: 2, norm: 200).batchSize == 512)
        #expect(resolved(largest: 2, norm: 1e300).batchSize == 512)
        #expect(resolved(largest: 0, norm: 0).batchSize == 32)
        #expect(resolved(largest: 2, norm: 1e9, examples: 77).batchSize == 77)
        #expect(resolved(largest: 2, norm: 1, examples: 5).batchSize == 5)
        #expect(resolved(largest: 2, norm: 16).scale == 2 + 0.01 + 16.0 / 32)
        for shift in [1e-3, 0.01, 0.1, 1] {
            let settings = resolved(largest: 2, norm: 16, shift: shift)
            func missing(_ steps: Int) -> Double { (0..<steps).reduce(1) { power, _ in power * (1 - shift / settings.scale) } }
            #expect(missing(settings.recursionDepth) <= 0.01 * (1 + 1e-9) || settings.recursionDepth == LiSSA.Choice.deepest)
            #expect(missing(settings.recursionDepth - 1) > 0.01 || settings.recursionDepth == 10)
        }
        #expect(resolved(largest: 2, norm: 16, shift: 0).recursionDepth == LiSSA.Choice.deepest)
        #expect(resolved(largest: 2, norm: 16, shift: 1e-18).recursionDepth == LiSSA.Choice.deepest)
        #expect(resolved(largest: 2, norm: 16, shift: 1e9).recursionDepth == 10)
        #expect(resolved(largest: 2, norm: 16).numRepeat == 4)
    }

    @Test("what is chosen by hand stays, and the rest is fitted to it")
    func byHand() {
        let spectrum = SpectrumEstimate(largestEigenvalue: 2, trace: 10, largestExampleNorm: 16)
        let all = LiSSA.Choice(recursionDepth: 7, numRepeat: 3, batchSize: 5, scale: 11, seed: 13)
        #expect(
            all.resolved(for: spectrum, exampleCount: 100, shift: 0.01)
                == LiSSA.Settings(recursionDepth: 7, numRepeat: 3, batchSize: 5, scale: 11, seed: 13))
        let single = LiSSA.Choice(batchSize: 1).resolved(for: spectrum, exampleCount: 100, shift: 0.01)
        #expect(single.scale == 2 + 0.01 + 16)
        let slow = LiSSA.Choice(scale: 100).resolved(for: spectrum, exampleCount: 100, shift: 1)
        let usual = LiSSA.Choice(scale: 10).resolved(for: spectrum, exampleCount: 100, shift: 1)
        #expect(abs(Double(slow.recursionDepth) / Double(usual.recursionDepth) - 10) < 1)
    }
}

extension RankOneCurvature {
    /// Normal rows, the first of them `size` times as long as the others.
    init(outlier size: Float, among count: Int, order: Int) {
        var numbers = SeededNumbers(20)
        var rows = numbers.floats(count * order)
        for j in 0..<order { rows[j] *= size }
        self.init(rows, width: order)
    }

    /// Rows that are `weak` or −`weak` along the first axis and normal along the others.
    init(coupled count: Int, order: Int, weak: Float) {
        var numbers = SeededNumbers(21)
        let rows = (0..<count).flatMap { _ in [numbers.uniform() < 0.5 ? weak : -weak] + numbers.floats(order - 1) }
        self.init(rows, width: order)
    }
}
