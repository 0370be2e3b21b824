import InverseCurvature
import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@Suite("LiSSA: the recursion")
struct LiSSATests {
    private let parallel = Parallel(threads: 2)

    /// A run with settings chosen by hand.
    private func lissa(
        _ curvature: RankOneCurvature, depth: Int, repeats: Int, batch: Int, scale: Double, seed: UInt64 = 0, shift: Double
    )
        throws -> LiSSA
    {
        LiSSA(
            .init(recursionDepth: depth, numRepeat: repeats, batchSize: batch, scale: scale, seed: seed),
            spectrum: try SpectrumEstimate(of: curvature, parallel: parallel), exampleCount: curvature.exampleCount, shift: shift)
    }

    @Test(
        "with the full batch it is h ← v + h − (C + λI)h/scale, written out in double precision", arguments: [0, 1, 2, 10, 100])
    func fixedPoint(depth: Int) throws {
        let curvature = RankOneCurvature(count: 40, scales: [1, 0.8, 0.6, 0.4, 0.2, 0.1], seed: 1)
        let (shift, scale) = (0.05, 2.0)
        let side: [Float] = [1, -2, 3, -4, 5, -6]
        let v = side.map { Double($0) }
        let matrix = curvature.dense.plus(diagonal: shift)
        var h = v
        for _ in 0..<depth {
            let image = matrix.times(h)
            h = h.indices.map { v[$0] + h[$0] - image[$0] / scale }
        }
        let run = try lissa(curvature, depth: depth, repeats: 1, batch: 40, scale: scale, shift: shift)
        let solution = try run.solve(side, count: 1, in: DampedCurvature(curvature, shift: shift), parallel: parallel)
        #expect(Closeness.relativeDistance(solution.vectors, h.map { $0 / scale }) < 1e-5)
        #expect(solution.repeats == [solution.vectors])
    }

    @Test("what the full batch lacks in the direction of an eigenvalue μ after J steps is (1 − (μ + λ)/scale) to the power J + 1")
    func rate() throws {
        let eigenvalues = [1, 0.5, 0.1, 0.02, 0.004, 0]
        let curvature = RankOneCurvature(diagonal: eigenvalues)
        let (shift, scale) = (0.01, 1.5)
        let side = [Float](repeating: 1, count: 6)
        for depth in [5, 20, 100, 400] {
            let run = try lissa(curvature, depth: depth, repeats: 1, batch: 6, scale: scale, shift: shift)
            let solution = try run.solve(side, count: 1, in: DampedCurvature(curvature, shift: shift), parallel: parallel)
            for (i, eigenvalue) in eigenvalues.enumerated() {
                let missing = (0...depth).reduce(1) { power, _ in power * (1 - (eigenvalue + shift) / scale) }
                #expect(abs(1 - Double(solution.vectors[i]) * (eigenvalue + shift) - missing) < 1e-4)
            }
        }
    }

    @Test("mini-batches: the error falls with the root of the number of repeats, and is small once many are averaged")
    func repeats() throws {
        let curvature = RankOneCurvature(count: 400, scales: [1, 0.9, 0.8, 0.7], seed: 2)
        let shift = 0.1
        let side: [Float] = [1, 1, -1, 1]
        let exact = curvature.dense.plus(diagonal: shift).solved(for: side)
        func error(repeats: Int) throws -> Double {
            let squares = try (0..<12 as Range<UInt64>).map { seed in
                let run = try lissa(curvature, depth: 100, repeats: repeats, batch: 8, scale: 4, seed: seed, shift: shift)
                let solution = try run.solve(side, count: 1, in: DampedCurvature(curvature, shift: shift), parallel: parallel)
                let distance = Closeness.relativeDistance(solution.vectors, exact)
                return distance * distance
            }
            return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
        }
        let errors = try [1, 4, 16, 64].map { try error(repeats: $0) }
        // Halved each time, but for what twelve runs leave to chance.
        for (few, many) in zip(errors, errors.dropFirst()) { #expect(many < 0.7 * few) }
        #expect(errors[3] < errors[0] / 8 * 1.5)
    }

    @Test("its residuals are those of the mean it returns, and the mean is that of the repeats")
    func residuals() throws {
        let curvature = RankOneCurvature(count: 100, scales: [1, 0.5, 0.2], seed: 3)
        let side: [Float] = [1, 2, 3, 0, 0, 0, -1, 0, 1]
        let run = try lissa(curvature, depth: 50, repeats: 3, batch: 10, scale: 3, shift: 0.1)
        let solution = try run.solve(side, count: 3, in: DampedCurvature(curvature, shift: 0.1), parallel: parallel)
        #expect(solution.repeats.count == 3)
        for i in side.indices {
            let mean = solution.repeats.reduce(0.0) { $0 + Double($1[i]) } / 3
            #expect(abs(Double(solution.vectors[i]) - mean) <= 1e-7 * abs(mean))
        }
        for i in [0, 2] {
            let part = i * 3..<(i + 1) * 3
            #expect(abs(solution.residuals[i] - curvature.residual(solution.vectors[part], side[part], shift: 0.1)) < 1e-5)
        }
        #expect(Array(solution.vectors[3..<6]) == [0, 0, 0])
        #expect(solution.residuals[1] == 0)
        let isDeep = run.settings.bias(shift: 0.1) <= 0.05
        #expect(solution.converged == solution.residuals.map { $0 <= 1e-3 || isDeep && $0 <= 0.5 })
        #expect(solution.converged[1])
    }

    @Test("too few steps are said not to have converged")
    func unconverged() throws {
        let curvature = RankOneCurvature(diagonal: [1, 0.1])
        let run = try lissa(curvature, depth: 3, repeats: 1, batch: 2, scale: 2, shift: 0.001)
        let solution = try run.solve([0, 1], count: 1, in: DampedCurvature(curvature, shift: 0.001), parallel: parallel)
        #expect(solution.converged == [false])
        #expect(solution.residuals[0] > 0.5)
        // (1 − λ/scale)^J.
        let missing = (0..<3).reduce(1) { power, _ in power * (1 - 0.001 / 2) }
        #expect(abs(run.settings.bias(shift: 0.001) - missing) < 1e-12)
    }

    @Test("a solution whose residual is at rounding has converged, also without damping")
    func undamped() throws {
        let curvature = RankOneCurvature(diagonal: [1, 0.5, 0.25])
        let run = try lissa(curvature, depth: 400, repeats: 1, batch: 3, scale: 1.5, shift: 0)
        let solution = try run.solve([1, 1, 1], count: 1, in: DampedCurvature(curvature, shift: 0), parallel: parallel)
        #expect(solution.residuals[0] < 1e-5)
        #expect(solution.converged == [true])
    }

    @Test("the bits are the same on any number of threads, and others for another seed")
    func threads() throws {
        let curvature = RankOneCurvature(count: 64, scales: [1, 0.5, 0.25, 0.1, 0.05], seed: 4)
        let system = DampedCurvature(curvature, shift: 0.05)
        var numbers = SeededNumbers(5)
        let sides = numbers.floats(10)
        func solved(seed: UInt64, threads: Int) throws -> [[Float]] {
            let run = try lissa(curvature, depth: 60, repeats: 5, batch: 7, scale: 4, seed: seed, shift: 0.05)
            let solution = try run.solve(sides, count: 2, in: system, parallel: Parallel(threads: threads))
            return [solution.vectors] + solution.repeats
        }
        let one = try solved(seed: 0, threads: 1)
        #expect(try solved(seed: 0, threads: 2) == one)
        #expect(try solved(seed: 0, threads: 5) == one)
        #expect(Set(one).count == 6, "repeats draw different batches")
        let other = try solved(seed: 1, threads: 1)
        #expect(Set(one).isDisjoint(with: other))
    }

    @Test("several right-hand sides at once are solved as each alone, on the same batches, bit for bit")
    func several() throws {
        let curvature = RankOneCurvature(count: 50, scales: [1, 0.6, 0.3, 0.2], seed: 6)
        let system = DampedCurvature(curvature, shift: 0.1)
        var numbers = SeededNumbers(7)
        // Of very different sizes, and one of them zero.
        let sides = numbers.floats(4) + numbers.floats(4, scale: 1e9) + [0, 0, 0, 0] + numbers.floats(4, scale: 1e-9)
        let run = try lissa(curvature, depth: 40, repeats: 2, batch: 9, scale: 3, shift: 0.1)
        let together = try run.solve(sides, count: 4, in: system, parallel: parallel)
        for i in 0..<4 {
            let alone = try run.solve(Array(sides[i * 4..<(i + 1) * 4]), count: 1, in: system, parallel: parallel)
            #expect(together[i] == alone)
        }
    }

    @Test("whether each of several has converged does not depend on the others")
    func convergedEach() throws {
        let curvature = RankOneCurvature(diagonal: [1, 0.001])
        let system = DampedCurvature(curvature, shift: 0)
        let run = try lissa(curvature, depth: 50, repeats: 1, batch: 2, scale: 2, shift: 0)
        let solution = try run.solve([1, 0, 0, 1, 0, 0], count: 3, in: system, parallel: parallel)
        #expect(solution.converged == [true, false, true])
    }

    @Test("one that diverges does so at the same step beside others of any size, and the others succeed without it")
    func divergesAlone() throws {
        let curvature = RankOneCurvature(diagonal: [5, 0.1])
        let system = DampedCurvature(curvature, shift: 0.1)
        let run = try lissa(curvature, depth: 400, repeats: 1, batch: 2, scale: 2, shift: 0.1)
        let (unstable, stable) = ([1, 0], [0, 1]) as ([Float], [Float])
        let error = #expect(throws: SolverError.self) {
            try run.solve(unstable, count: 1, in: system, parallel: parallel)
        }
        guard case .diverged(_, let step, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(step < 100)
        for size in [1e-20, 1, 1e20] as [Float] {
            let companion = stable.map { size * $0 }
            _ = try run.solve(companion, count: 1, in: system, parallel: parallel)
            for sides in [companion + unstable, unstable + companion, companion + unstable + companion] {
                let together = #expect(throws: SolverError.self) {
                    try run.solve(sides, count: sides.count / 2, in: system, parallel: parallel)
                }
                #expect(together == error)
            }
        }
    }

    @Test("a batch larger than the data is all of it")
    func largeBatch() throws {
        let curvature = RankOneCurvature(diagonal: [1, 0.5, 0.25])
        let system = DampedCurvature(curvature, shift: 0.1)
        let run = try lissa(curvature, depth: 50, repeats: 1, batch: 1000, scale: 2, shift: 0.1)
        #expect(run.settings.batchSize == 3)
        let full = try lissa(curvature, depth: 50, repeats: 1, batch: 3, scale: 2, shift: 0.1)
        let side: [Float] = [1, 1, 1]
        #expect(
            try run.solve(side, count: 1, in: system, parallel: parallel).vectors
                == full.solve(side, count: 1, in: system, parallel: parallel).vectors)
    }

    @Test("stops within a few steps when interrupted", arguments: [1, 2])
    func interrupted(threads: Int) throws {
        let curvature = RankOneCurvature(diagonal: [1, 0.5])
        let run = try lissa(curvature, depth: 1_000_000, repeats: 2, batch: 2, scale: 2, shift: 0.1)
        let asked = Atomic(0)
        let interruption = Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue > 10 }
        #expect(throws: Interrupted()) {
            try run.solve(
                [1, 1], count: 1, in: DampedCurvature(curvature, shift: 0.1), parallel: Parallel(threads: threads),
                interruption: interruption)
        }
        #expect(asked.load(ordering: .relaxed) <= 10 + 2 * threads)
    }
}
