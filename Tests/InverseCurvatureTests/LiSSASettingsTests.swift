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

    private func resolved(
        _ choice: LiSSA.Choice = .init(), largest: Double = 2, trace: Double = 10, norm: Double = 16, examples: Int = 10_000,
        shift: Double = 0.01
    ) -> LiSSA.Settings {
        let spectrum = SpectrumEstimate(largestEigenvalue: largest, trace: trace, largestExampleNorm: norm)
        return choice.resolved(for: spectrum, exampleCount: examples, shift: shift)
    }

    @Test("the automatic scale is a fifth above half of λ_max + λ + R²/B, whatever the batch")
    func scale() {
        for batch in [1, 4, 32, 1000] {
            #expect(resolved(.init(batchSize: batch)).scale == 0.6 * (2 + 0.01 + 16 / Double(batch)))
        }
        // Where λ is most of it, half of λ_max and all of λ.
        #expect(resolved(.init(batchSize: 32), norm: 0, shift: 10).scale == 2 / 2 + 10)
        let settings = resolved()
        #expect(settings.scale == 0.6 * (2 + 0.01 + 16 / Double(settings.batchSize)))
    }

    @Test("where batches were looked at the scale is half of what they reach, and never above what is safe without looking")
    func seenScale() {
        func scale(_ largest: Double, batch: Int, size: Int = 8, residual: Double = 0) -> Double {
            let spectrum = SpectrumEstimate(
                largestEigenvalue: 2, trace: 10, largestExampleNorm: 160, largestResidual: residual,
                batches: [BatchSpectrum(size: size, count: 8, mean: largest, deviation: 0, largest: largest)])
            return LiSSA.Choice(batchSize: batch).resolved(for: spectrum, exampleCount: 10_000, shift: 0.01).scale
        }
        #expect(abs(scale(5, batch: 8) - 0.5 * (5.5 + 0.01)) < 1e-12)
        #expect(abs(scale(5, batch: 16) - 0.5 * (5.5 + 0.01)) < 1e-12)
        // No less than a fifth above half of λ_max + λ.
        #expect(abs(scale(2, batch: 16) - 0.6 * 2.01) < 1e-12)
        #expect(abs(scale(2, batch: 16, residual: 1) - 0.6 * 3.01) < 1e-12)
        // No batch of this size, nor of a smaller one, was looked at.
        #expect(scale(5, batch: 4) == 0.6 * (2 + 0.01 + 160 / 4))
        // Batches that reach more than they can.
        #expect(scale(1e6, batch: 512) <= 0.6 * (2 + 0.01 + 160.0 / 512))
    }

    @Test("automatic depth, batch and rounds end within bounds for any spectrum")
    func bounds() {
        let values = [0, 1e-300, 1e-9, 0.01, 2, 16, 1e9, 1e300]
        for largest in values {
            for norm in values {
                for shift in [0, 1e-18, 1e-6, 0.01, 1, 1e9] {
                    for examples in [1, 2, 77, 10_000, 1_000_000] {
                        let settings = resolved(largest: largest, trace: largest, norm: norm, examples: examples, shift: shift)
                        #expect((1...min(512, examples)).contains(settings.batchSize))
                        #expect((10...LiSSA.Choice.deepest).contains(settings.recursionDepth))
                        #expect(settings.rounds >= 1)
                        #expect(settings.rounds == 1 || settings.rounds * settings.recursionDepth <= LiSSA.Choice.deepest)
                        #expect(settings.numRepeat == LiSSA.Choice.repeats)
                        #expect(settings.relativeError == LiSSA.Choice.usualError(exampleCount: examples))
                    }
                }
            }
        }
        for shift in [0, 1e-18] { #expect(resolved(shift: shift).recursionDepth == LiSSA.Choice.deepest) }
        #expect(resolved(shift: 1e9).recursionDepth == 10)
    }

    @Test(
        "bias is never planned above noise but where it is small, and smaller errors take more rounds, not deeper ones without end"
    )
    func rounds() {
        let errors = [0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-6]
        let settings = errors.map { resolved(.init(relativeError: $0), trace: 30, norm: 100, examples: 50_000) }
        for (easier, harder) in zip(settings, settings.dropFirst()) { #expect(harder.rounds >= easier.rounds) }
        #expect(settings[5].rounds > settings[0].rounds)
        #expect(settings.allSatisfy { $0.recursionDepth < 5000 })
        for (error, settings) in zip(errors, settings) { #expect(settings.relativeError == error) }
    }

    @Test("what is chosen by hand stays, and the rest is fitted to it")
    func byHand() {
        let all = LiSSA.Choice(recursionDepth: 7, numRepeat: 3, batchSize: 5, scale: 11, seed: 13)
        #expect(
            resolved(all, examples: 100)
                == LiSSA.Settings(
                    recursionDepth: 7, numRepeat: 3, batchSize: 5, scale: 11, seed: 13, rounds: 1, relativeError: nil))
        var several = all
        several.rounds = 4
        #expect(resolved(several).rounds == 4 && resolved(several).relativeError == nil)
        var wanted = all
        wanted.relativeError = 0.01
        #expect(resolved(wanted).relativeError == 0.01 && resolved(wanted).recursionDepth == 7)
        #expect(resolved(.init(batchSize: 1)).scale == 0.6 * (2 + 0.01 + 16))
        // R²/B is at most a quarter of λ_max, B a power of two from 32 to 512.
        for (norm, batch) in [(1, 32), (16, 32), (17, 64), (64, 128), (1e300, 512)] {
            #expect(resolved(.init(recursionDepth: 1000), norm: norm).batchSize == batch)
        }
        let slow = resolved(.init(batchSize: 32, scale: 100), shift: 1)
        let usual = resolved(.init(batchSize: 32, scale: 10), shift: 1)
        #expect(slow.recursionDepth > 5 * usual.recursionDepth)
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
