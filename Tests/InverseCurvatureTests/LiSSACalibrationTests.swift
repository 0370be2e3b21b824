import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("LiSSA: what it says of its own error")
struct LiSSACalibrationTests {
    private let parallel = Parallel(threads: 2)
    private let shift = 0.05
    private let curvature = RankOneCurvature(count: 700, scales: [1, 0.9, 0.7, 0.5, 0.3, 0.2], seed: 11)
    private let side: [Float] = [1, -2, 0.5, 1, 3, -1]

    private func solutions(_ choice: LiSSA.Choice, seeds: Range<UInt64>) throws -> [Solution] {
        let spectrum = try SpectrumEstimate(of: curvature, parallel: parallel)
        return try seeds.map { seed in
            var choice = choice
            choice.seed = seed
            return try LiSSA(choice, spectrum: spectrum, exampleCount: 700, shift: shift)
                .solve(side, count: 1, in: DampedCurvature(curvature, shift: shift), parallel: parallel)
        }
    }

    /// The part of the exact scores of some examples that lies within two standard errors of what is returned.
    private func coverage(_ solutions: [Solution]) -> Double {
        let exact = curvature.dense.plus(diagonal: shift).solved(for: side)
        var (within, all) = (0, 0)
        for solution in solutions {
            for example in 0..<20 {
                let gradient = curvature.rows.values(of: example).map { Double($0) }
                func score(_ s: some Collection<some BinaryFloatingPoint>) -> Double {
                    zip(s, gradient).reduce(0) { $0 + Double($1.0) * $1.1 }
                }
                let scores = solution.repeats.map { score($0) }
                let mean = scores.reduce(0, +) / Double(scores.count)
                let squares = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                let standardError = (squares / Double(scores.count - 1) / Double(scores.count)).squareRoot()
                if abs(score(solution.vectors) - score(exact)) <= 2 * standardError { within += 1 }
                all += 1
            }
        }
        return Double(within) / Double(all)
    }

    @Test(
        "the exact score lies within two standard errors in 90 % of 250 seeds, after two rounds and after several",
        arguments: [2, 3])
    func calibrated(rounds: Int) throws {
        // Deep: the bias of a round is far below its noise.
        let solutions = try solutions(
            .init(recursionDepth: 150, numRepeat: LiSSA.Choice.repeats, batchSize: 8, rounds: rounds),
            seeds: 0..<250)
        let sound = solutions.filter { $0.accuracies[0].isBiasBelowNoise }
        #expect(sound.count >= 240)
        #expect(coverage(sound) >= 0.9, "\(coverage(sound))")
    }

    @Test("automatic settings are calibrated wherever they say that bias is below noise")
    func automatic() throws {
        let solutions = try solutions(.init(batchSize: 16), seeds: 0..<200)
        let sound = solutions.filter { $0.accuracies[0].isBiasBelowNoise }
        #expect(sound.count >= 100, "\(solutions[0].accuracies)")
        #expect(coverage(sound) >= 0.9, "\(coverage(sound)) of \(sound.count)")
    }

    @Test("a shallow recursion says that its bias is above its noise, and its scores are off by more than standard errors show")
    func shallow() throws {
        let solutions = try solutions(.init(recursionDepth: 6, numRepeat: 8, batchSize: 64), seeds: 0..<50)
        #expect(solutions.allSatisfy { !$0.accuracies[0].isBiasBelowNoise })
        #expect(coverage(solutions) < 0.8)
    }

    @Test("the estimated error is the true one within a factor, over settings and seeds", arguments: [1, 2, 3], [8, 32])
    func estimate(rounds: Int, batch: Int) throws {
        let exact = curvature.dense.plus(diagonal: shift).solved(for: side)
        let solutions = try solutions(
            .init(recursionDepth: 250, numRepeat: 8, batchSize: batch, rounds: rounds), seeds: 0..<40)
        let squares = solutions.map { solution in
            let error = Closeness.relativeDistance(solution.vectors, exact)
            return error * error
        }
        let estimates = solutions.compactMap { $0.accuracies[0].relativeError }.map { $0 * $0 }
        #expect(estimates.count == 40)
        let ratio = (estimates.reduce(0, +) / squares.reduce(0, +)).squareRoot()
        // Bias is bounded from above.
        #expect(ratio > 0.8 && ratio < 5, "\(ratio)")
    }

    @Test("a single repeat knows nothing of its error after one round, and says something after two")
    func singleRepeat() throws {
        let one = try solutions(.init(recursionDepth: 200, numRepeat: 1, batchSize: 16, rounds: 1), seeds: 0..<1)[0]
        #expect(one.accuracies[0].relativeError == nil && one.accuracies[0].noise == nil)
        let exact = curvature.dense.plus(diagonal: shift).solved(for: side)
        var known = 0
        for solution in try solutions(.init(recursionDepth: 200, numRepeat: 1, batchSize: 16, rounds: 3), seeds: 0..<20) {
            let error = Closeness.relativeDistance(solution.vectors, exact)
            guard let estimate = solution.accuracies[0].relativeError else { continue }
            known += 1
            #expect(estimate > 0.05 * error && estimate < 10 * error + 1e-6, "\(estimate) of \(error)")
        }
        #expect(known >= 15)
    }

    @Test("where λ vanishes nothing is claimed of flat directions before they could be seen")
    func flat() throws {
        let flat = RankOneCurvature(diagonal: [1, 1, 1e-4])
        let spectrum = try SpectrumEstimate(of: flat, parallel: parallel)
        for rounds in 1...5 {
            let run = LiSSA(
                .init(recursionDepth: 200, numRepeat: 4, batchSize: 3, rounds: rounds), spectrum: spectrum, exampleCount: 3,
                shift: 0)
            let solution = try run.solve([1, 1, 1e-3], count: 1, in: DampedCurvature(flat, shift: 0), parallel: parallel)
            let error = Closeness.relativeDistance(solution.vectors, [1, 1, 10])
            if let estimate = solution.accuracies[0].relativeError { #expect(estimate > 0.3 * error) }
        }
    }
}
