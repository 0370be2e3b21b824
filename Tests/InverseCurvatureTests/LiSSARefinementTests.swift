@testable import InverseCurvature
import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@Suite("LiSSA: rounds of refinement")
struct LiSSARefinementTests {
    private let parallel = Parallel(threads: 2)
    private let shift = 0.05
    private let curvature = RankOneCurvature(count: 300, scales: [1, 0.9, 0.7, 0.5, 0.3, 0.1], seed: 1)

    private var system: DampedCurvature { DampedCurvature(curvature, shift: shift) }

    private func lissa(_ choice: LiSSA.Choice, of curvature: RankOneCurvature? = nil, shift: Double? = nil) throws -> LiSSA {
        let curvature = curvature ?? self.curvature
        return LiSSA(
            choice, spectrum: try SpectrumEstimate(of: curvature, parallel: parallel), exampleCount: curvature.exampleCount,
            shift: shift ?? self.shift)
    }

    private func exact(_ side: [Float], of curvature: RankOneCurvature? = nil, shift: Double? = nil) -> [Double] {
        (curvature ?? self.curvature).dense.plus(diagonal: shift ?? self.shift).solved(for: side)
    }

    private func sides(_ count: Int) -> [Float] {
        var numbers = SeededNumbers(7)
        return numbers.floats(6 * count)
    }

    @Test("one round is the plain recursion, to the last bit", arguments: [1, 2, 4, 7], [1, 3, 32])
    func oneRound(repeats: Int, batch: Int) throws {
        for (depth, count, scale, seed) in [(0, 1, 4, 0), (1, 2, 5, 1), (37, 3, 8, 2), (200, 1, 20, 3)]
            as [(Int, Int, Double, UInt64)]
        {
            let run = try lissa(
                .init(recursionDepth: depth, numRepeat: repeats, batchSize: batch, scale: scale, seed: seed))
            #expect(run.settings.rounds == 1)
            let v = sides(count)
            let plain = try PlainLiSSA.solve(v, count: count, of: curvature, shift: shift, run.settings)
            let solution = try run.solve(v, count: count, in: system, parallel: parallel)
            #expect(solution.vectors == plain.mean)
            #expect(solution.repeats == plain.repeats)
        }
    }

    @Test(
        "with the full batch R rounds are s ← s + h_J/scale of the remainder, written out in double precision", arguments: 1...4)
    func formula(rounds: Int) throws {
        let (depth, scale) = (12, 2.0)
        let side = sides(1)
        let matrix = curvature.dense.plus(diagonal: shift)
        var s = [Double](repeating: 0, count: 6)
        for _ in 0..<rounds {
            let image = matrix.times(s)
            let r = side.indices.map { Double(side[$0]) - image[$0] }
            var h = r
            for _ in 0..<depth {
                let image = matrix.times(h)
                h = h.indices.map { r[$0] + h[$0] - image[$0] / scale }
            }
            s = s.indices.map { s[$0] + h[$0] / scale }
        }
        let run = try lissa(.init(recursionDepth: depth, numRepeat: 1, batchSize: 300, scale: scale, rounds: rounds))
        let solution = try run.solve(side, count: 1, in: system, parallel: parallel)
        #expect(Closeness.relativeDistance(solution.vectors, s) < 1e-5)
        #expect(solution.accuracies.map(\.rounds) == [rounds])
        #expect(abs(solution.residuals[0] - curvature.residual(solution.vectors, side, shift: shift)) < 1e-5)
    }

    @Test("mini-batches: each round takes a constant factor off the error, down to single precision")
    func contraction() throws {
        let side = sides(1)
        let exact = exact(side)
        let errors = try (1...6).map { rounds in
            let run = try lissa(.init(recursionDepth: 400, numRepeat: 8, batchSize: 16, scale: 4, rounds: rounds))
            return Closeness.relativeDistance(
                try run.solve(side, count: 1, in: system, parallel: parallel).vectors, exact)
        }
        for (one, next) in zip(errors, errors.dropFirst()) { #expect(next < 0.3 * one || next < 1e-5) }
        #expect(errors[5] < 1e-5, "\(errors)")
    }

    @Test("the wanted error is reached, from the estimate and in truth", arguments: [0.1, 0.03, 0.01, 1e-3, 1e-4])
    func target(error: Double) throws {
        let (v, count) = (sides(4), 4)
        for seed in 0..<5 as Range<UInt64> {
            let run = try lissa(.init(seed: seed, relativeError: error))
            let solution = try run.solve(v, count: count, in: system, parallel: parallel)
            #expect(solution.converged == [true, true, true, true], "\(run.settings) \(solution.accuracies)")
            for side in 0..<count {
                let part = side * 6..<side * 6 + 6
                #expect(Closeness.relativeDistance(solution.vectors[part], exact(Array(v[part]))) < 2.5 * error)
                #expect(try #require(solution.accuracies[side].relativeError) <= error)
            }
        }
    }

    @Test("sides finish one by one, and each is solved as alone, bit for bit, on any number of threads")
    func earlyFinish() throws {
        let curvature = RankOneCurvature(diagonal: [1, 0.9, 0.8, 0.002, 0.001, 0.0005])
        let system = DampedCurvature(curvature, shift: 0.01)
        var numbers = SeededNumbers(3)
        // Along strong directions, along weak ones, zero, and of very different sizes.
        let sides: [[Float]] = [
            [1, -1, 2, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0], numbers.floats(6, scale: 1e9),
            numbers.floats(6, scale: 1e-9),
            [1, 0, 0, 1e-3, 0, 0],
        ]
        let run = try lissa(
            .init(recursionDepth: 1500, numRepeat: 4, batchSize: 3, relativeError: 1e-4), of: curvature, shift: 0.01)
        let together = try run.solve(sides.flatMap { $0 }, count: 6, in: system, parallel: Parallel(threads: 3))
        #expect(Set(together.accuracies.map(\.rounds)).count >= 3, "\(together.accuracies)")
        #expect(together.accuracies[2].rounds == 0 && together.converged[2] && together.residuals[2] == 0)
        for (index, side) in sides.enumerated() {
            let alone = try run.solve(side, count: 1, in: system, parallel: Parallel(threads: 1))
            #expect(together[index] == alone)
        }
    }

    @Test("the bits are the same on any number of threads, also where each correction is the mean of several recursions")
    func threads() throws {
        let run = try lissa(.init(recursionDepth: 50, numRepeat: 3, batchSize: 1, seed: 5, rounds: 3))
        let v = sides(2)
        let solutions = try [1, 2, 5].map { try run.solve(v, count: 2, in: system, parallel: Parallel(threads: $0)) }
        #expect(solutions[1] == solutions[0])
        #expect(solutions[2] == solutions[0])
        func corrections(effort: Int, threads: Int) throws -> [[Float]] {
            try run.corrections(
                of: v, count: 2, round: 1, effort: effort, in: system, parallel: Parallel(threads: threads),
                interruption: .never)
        }
        let averaged = try corrections(effort: 4, threads: 1)
        #expect(try corrections(effort: 4, threads: 3) == averaged)
        #expect(Set(averaged).count == 3)
    }

    @Test("a round of more noise than it corrects is not taken, and the next one averages more")
    func noisy() throws {
        var side = RefinedSide([1, 1])
        try side.take([[1, 0], [0, 1]])
        #expect(side.rounds == 1 && side.solution == [0.5, 0.5])
        let repeats = side.repeats
        side.remainder = [0.25, 0.25]
        for effort in [4, 16] {
            try side.take([[3, 0], [-2.9, 0]])
            #expect(side.rounds == 1 && side.effort == effort)
            #expect(side.solution == [0.5, 0.5] && side.repeats == repeats && side.remainder == [0.25, 0.25])
        }
        #expect(side.attempts == 3)
        try side.take([[0.25, 0.125], [0.25, 0.375]])
        #expect(side.rounds == 2 && side.solution == [0.75, 0.75] && side.remainder == nil)
        #expect(side.repeats == [[0.75, 0.625], [0.75, 0.875]])
    }

    @Test("automatic rounds never raise the error for long, however weakly λ holds", arguments: [0.05, 0.005, 5e-4])
    func weak(shift: Double) throws {
        let noisy = RankOneCurvature(coupled: 2000, order: 16, weak: 0.05)
        let side: [Float] = [1] + [Float](repeating: 0, count: 15)
        let exact = exact(side, of: noisy, shift: shift)
        let run = try lissa(.init(recursionDepth: 2000, batchSize: 1, rounds: 5), of: noisy, shift: shift)
        var refinement = LiSSA.Refinement(of: side, count: 1, in: DampedCurvature(noisy, shift: shift), by: run)
        var errors = [1.0]
        for _ in 0..<5 {
            try refinement.advance([0], parallel: parallel)
            errors.append(
                Closeness.relativeDistance(try refinement.solution(parallel: parallel).vectors, exact))
        }
        for (one, next) in zip(errors, errors.dropFirst()) { #expect(next <= 1.1 * one, "\(errors)") }
        #expect(errors[5] < 0.5, "\(errors)")
    }

    @Test("the repeats of the last round are independent corrections of one vector: their mean is the solution")
    func repeats() throws {
        let run = try lissa(.init(recursionDepth: 100, numRepeat: 5, batchSize: 4, scale: 6, rounds: 3))
        let solution = try run.solve(sides(2), count: 2, in: system, parallel: parallel)
        #expect(solution.repeats.count == 5 && Set(solution.repeats).count == 5)
        for i in solution.vectors.indices {
            let mean = solution.repeats.reduce(0.0) { $0 + Double($1[i]) } / 5
            #expect(abs(Double(solution.vectors[i]) - mean) < 1e-6 * (1 + abs(mean)))
        }
    }

    @Test("driven a round at a time it is the same as in one go, and goes on where that ended")
    func stepwise() throws {
        let run = try lissa(.init(recursionDepth: 80, numRepeat: 4, batchSize: 8, scale: 5, rounds: 3))
        let longer = try lissa(.init(recursionDepth: 80, numRepeat: 4, batchSize: 8, scale: 5, rounds: 4))
        let v = sides(2)
        var refinement = LiSSA.Refinement(of: v, count: 2, in: system, by: run)
        #expect(refinement.unfinished == [0, 1])
        for _ in 0..<3 {
            // One after the other, and looked at in between.
            try refinement.advance([1], parallel: parallel)
            _ = try refinement.solution(parallel: parallel)
            try refinement.advance([0], parallel: parallel)
        }
        #expect(refinement.unfinished.isEmpty)
        #expect(try refinement.solution(parallel: parallel) == run.solve(v, count: 2, in: system, parallel: parallel))
        try refinement.advance([0, 1], parallel: parallel)
        #expect(try refinement.solution(parallel: parallel) == longer.solve(v, count: 2, in: system, parallel: parallel))
    }

    @Test("an interrupted round has not happened: the solution so far stands, and going on gives the same bits")
    func interrupted() throws {
        let run = try lissa(.init(recursionDepth: 2000, numRepeat: 4, batchSize: 8, scale: 5, rounds: 2))
        let v = sides(2)
        var refinement = LiSSA.Refinement(of: v, count: 2, in: system, by: run)
        let nothing = try refinement.solution(parallel: parallel)
        #expect(nothing.vectors == [Float](repeating: 0, count: 12) && nothing.residuals == [1, 1])
        #expect(nothing.converged == [false, false] && nothing.repeats.count == 4)
        try refinement.advance([0, 1], parallel: parallel)
        let first = try refinement.solution(parallel: parallel)
        for limit in [0, 3, 6] {
            let asked = Atomic(0)
            let interruption = Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue > limit }
            #expect(throws: Interrupted()) {
                try refinement.advance([0, 1], parallel: parallel, interruption: interruption)
            }
            #expect(try refinement.solution(parallel: parallel) == first)
        }
        try refinement.advance([0, 1], parallel: parallel)
        #expect(try refinement.solution(parallel: parallel) == run.solve(v, count: 2, in: system, parallel: parallel))
    }

    @Test(
        "right-hand sides that are not finite are refused, and zeros are solved without work", arguments: [Float.nan, .infinity])
    func badNumbers(value: Float) throws {
        let run = try lissa(.init())
        #expect(throws: SolverError.notFinite) {
            try run.solve([1, 0, value, 0, 0, 0], count: 1, in: system, parallel: parallel)
        }
        let never = Interruption {
            Issue.record("work began")
            return false
        }
        var refinement = LiSSA.Refinement(of: [Float](repeating: 0, count: 6), count: 1, in: system, by: run)
        #expect(refinement.unfinished.isEmpty)
        try refinement.advance([0], parallel: parallel, interruption: never)
        let solution = try refinement.solution(parallel: parallel)
        #expect(solution.vectors == [Float](repeating: 0, count: 6) && solution.converged == [true])
        #expect(solution.accuracies[0].relativeError == 0)
    }

    @Test("a scale far too small is noticed within the first steps, before the recursion ends", arguments: [3, 10, 1000])
    func divergesEarly(factor: Double) throws {
        let strong = RankOneCurvature(diagonal: [5, 0.1])
        let run = try lissa(
            .init(recursionDepth: 10_000, numRepeat: 4, batchSize: 2, scale: 5 / 2 / factor, rounds: 5), of: strong)
        let error = #expect(throws: SolverError.self) {
            try run.solve([1, 1], count: 1, in: DampedCurvature(strong, shift: shift), parallel: parallel)
        }
        guard case .diverged(_, let step, let safeScale) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(step <= 6)
        #expect(safeScale > 5)
    }
}
