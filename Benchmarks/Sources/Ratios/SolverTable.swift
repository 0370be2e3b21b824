import Dispatch
import Formats
import Foundation
import InverseCurvature
import LinearAlgebra
import Networks

/// What each part of a solver buys: the time until s_test is so near to the exact one, for each way to get there. What is prepared once for a
/// checkpoint (spectra, factors, diagonals) is timed apart.
///
///     Ratios SHARED solvers
struct SolverTable {
    let name: String
    let system: DampedCurvature
    /// ∇ℓ of some tests, stacked, and their s_test.
    let sides, exact: [Float]
    let network: NetworkCurvature
    let parallel: Parallel
    /// Milliseconds after which errors are told.
    let budgets: [Double]

    /// Errors whose times are told.
    private static let errors = [0.1, 0.03, 0.01, 0.001]
    /// LiSSA's recursions, as in what it is compared with.
    private static let repeats = 4

    private var tests: Int { sides.count / system.dimension }
    private func part(_ test: Int) -> Range<Int> { test * system.dimension..<(test + 1) * system.dimension }
    private func error(of solution: [Float], _ test: Int) -> Double {
        let reference = exact[part(test)]
        return Vectors.norm(zip(solution, reference).map { $0 - $1 }) / Vectors.norm(Array(reference))
    }

    /// Milliseconds that something took, beside what it gave.
    private func timed<T>(_ body: () throws -> T) rethrows -> (T, Double) {
        let start = DispatchTime.now().uptimeNanoseconds
        let result = try body()
        return (result, Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6)
    }

    // MARK: Curves

    /// When a way to solve has come how far for one test.
    private typealias Curve = (_ test: Int) throws -> [(milliseconds: Double, error: Double)]

    private func row(_ name: String, _ curve: Curve) throws {
        _ = try curve(0)
        let curves = try (0..<tests).map { try curve($0) }
        let cells = Self.errors.map { wanted in
            let times = curves.map { $0.filter { $0.error <= wanted }.map(\.milliseconds).min() ?? .infinity }.sorted()
            let median = times[times.count / 2]
            return median.isFinite ? String(format: "%8.0f", median) : "       –"
        }
        let left = budgets.map { budget in
            let errors = curves.map { $0.filter { $0.milliseconds <= budget }.map(\.error).min() ?? 1 }.sorted()
            let median = errors[errors.count / 2]
            return median < 1 ? String(format: "%8.5f", median) : "       –"
        }
        print("  " + cells.joined(separator: " ") + "  |" + left.joined(separator: " ") + "   " + name)
    }

    /// A refinement, round after round; each with its residual on all examples.
    private func rounds(_ count: Int, _ lissa: LiSSA) -> Curve {
        { test in
            var refinement = LiSSA.Refinement(of: Array(sides[part(test)]), count: 1, in: system, by: lissa)
            var points: [(Double, Double)] = []
            var total = 0.0
            for _ in 0..<count {
                let (solution, time) = try timed {
                    try refinement.advance([0], parallel: parallel)
                    return try refinement.solution(parallel: parallel)
                }
                total += time
                points.append((total, error(of: solution.vectors, test)))
            }
            return points
        }
    }

    /// Runs of a solver at growing settings.
    private func runs<Setting>(_ settings: [Setting], _ solve: @escaping (Setting, [Float]) throws -> [Float]) -> Curve {
        { test in
            try settings.map { setting in
                let (solution, time) = try timed { try solve(setting, Array(sides[part(test)])) }
                return (time, error(of: solution, test))
            }
        }
    }

    /// Plain LiSSA with each mini-batch drawn with replacement, which the solver does not offer.
    private func replacing(depth: Int, batchSize: Int, scale: Double, _ v: [Float]) throws -> [Float] {
        func solve<Curvature: CurvatureOperator>(_ curvature: Curvature) throws -> [Float] {
            let length = v.count
            let places = AlignedMemory<Float>(uninitialized: Self.repeats * length)
            try parallel.forEach(Self.repeats) { index in
                let workspace = curvature.makeWorkspace(vectorCount: 1)
                var stream = RandomStream(seed: 1, index: UInt64(index))
                let h = places.start + index * length
                h.update(from: v, count: length)
                var batch = [UInt32](repeating: 0, count: batchSize)
                for _ in 0..<depth {
                    for i in batch.indices { batch[i] = stream.next(below: UInt32(curvature.exampleCount)) }
                    try batch.withUnsafeBufferPointer { batch in
                        try v.withUnsafeBufferPointer { v in
                            try curvature.addProduct(
                                over: .indices(batch), alpha: Float(-1 / scale), of: h, beta: Float(1 - system.shift / scale),
                                plus: v.baseAddress, to: h, vectorCount: 1, workspace: workspace)
                        }
                    }
                }
            }
            let factor = Float(1 / scale) / Float(Self.repeats)
            return (0..<length).map { i in factor * (0..<Self.repeats).reduce(0) { $0 + places.start[$1 * length + i] } }
        }
        let curvature = system.data
        return try solve(curvature)
    }

    // MARK: The table

    func run() throws {
        let count = system.data.exampleCount
        print("\ns_test of \(name), λ = \(system.shift), \(parallel.threads) threads")
        let list = budgets.map { String(format: "%g", $0) }.joined(separator: ", ")
        print("ms until the error is 0.1, 0.03, 0.01, 0.001 | error within \(list) ms; medians over \(tests) tests")
        let (spectrum, spectrumTime) = try timed { try SpectrumEstimate(of: system.data, parallel: parallel) }
        let (factors, factorTime) = try timed {
            let (blocks, examples) = try network.kroneckerBlocks(KroneckerSettings(memoryLimit: 1 << 32), parallel: parallel)
            return try EKFAC(blocks: blocks, exampleCount: examples).inverse(shift: system.shift)
        }
        let (factored, factoredTime) = try timed {
            try PreconditionedSpectrum(of: system, by: factors, parallel: parallel)
        }
        let (diagonal, diagonalTime) = try timed {
            let values = try network.diagonal(parallel: parallel).values
            let preconditioner = DiagonalPreconditioner(diagonal: values, shift: system.shift)
            return LiSSA.Preconditioning(
                preconditioner, spectrum: try PreconditionedSpectrum(of: system, by: preconditioner, parallel: parallel))
        }
        print(
            String(
                format:
                    "  prepared once: spectrum %.0f ms, EKFAC %.0f ms and its spectrum %.0f ms, diagonal and its spectrum %.0f ms",
                spectrumTime, factorTime, factoredTime, diagonalTime))
        let unseen = SpectrumEstimate(
            largestEigenvalue: spectrum.largestEigenvalue, trace: spectrum.trace,
            largestExampleNorm: spectrum.largestExampleNorm)
        func lissa(_ choice: LiSSA.Choice, _ spectrum: SpectrumEstimate, _ preconditioning: LiSSA.Preconditioning? = nil) -> LiSSA
        {
            var choice = choice
            choice.numRepeat = Self.repeats
            return LiSSA(choice, spectrum: spectrum, preconditioning: preconditioning, exampleCount: count, shift: system.shift)
        }
        let batch = 32
        let safe = lissa(.init(recursionDepth: 1_000, batchSize: batch), unseen).settings.scale
        let seen = lissa(.init(recursionDepth: 1_000, batchSize: batch), spectrum).settings.scale
        let depths = [250, 500, 1_000, 2_000, 4_000, 8_000]
        let rounds = 6
        try row(
            "one round, batches of \(batch) with replacement",
            runs(depths) { try replacing(depth: $0, batchSize: batch, scale: safe, $1) })
        try row(
            "one round, without replacement",
            runs(depths) {
                try lissa(.init(recursionDepth: $0, batchSize: batch, scale: safe), unseen)
                    .solve($1, count: 1, in: system, parallel: parallel).vectors
            })
        let depth = 1_000
        try row(
            "rounds of \(depth) steps, each with a full product (control variate)",
            self.rounds(rounds, lissa(.init(recursionDepth: depth, batchSize: batch, scale: safe, rounds: rounds), unseen)))
        func averaged(_ depth: Int, _ scale: Double) -> LiSSA.Choice {
            .init(recursionDepth: depth, batchSize: batch, scale: scale, rounds: rounds, relativeError: 1e-9)
        }
        try row("and the mean of their last quarter", self.rounds(rounds, lissa(averaged(depth, safe), unseen)))
        let shorter = Int(Double(depth) * seen / safe)
        try row(
            "and the scale that batches show: rounds of \(shorter) steps",
            self.rounds(rounds, lissa(averaged(shorter, seen), spectrum)))
        for (steps, batch) in [(24, 256), (48, 512)] {
            let choice = LiSSA.Choice(
                recursionDepth: steps, batchSize: batch, rounds: rounds, relativeError: 1e-9, isPreconditioned: true)
            try row(
                "preconditioned by EKFAC: rounds of \(steps) steps of \(batch)",
                self.rounds(rounds, lissa(choice, spectrum, .init(factors, spectrum: factored))))
        }
        try row(
            "preconditioned by the diagonal: rounds of 1000 steps of 64",
            self.rounds(
                rounds,
                lissa(
                    .init(
                        recursionDepth: 1_000, batchSize: 64, rounds: rounds, relativeError: 1e-9, isPreconditioned: true),
                    spectrum, diagonal)))
        try row(
            "automatic settings, for each error",
            runs(Self.errors) {
                try lissa(.init(relativeError: $0), spectrum, .init(factors, spectrum: factored))
                    .solve($1, count: 1, in: system, parallel: parallel).vectors
            })
        for (name, preconditioner) in [
            ("", nil), (", preconditioned by the diagonal", diagonal.preconditioner), (", preconditioned by EKFAC", factors),
        ] as [(String, (any Preconditioner)?)] {
            try row(
                "conjugate gradients" + name,
                runs([2, 4, 6, 8, 10, 12, 15, 20, 25, 30]) {
                    try ConjugateGradient(.init(maxIter: $0, tol: 1e-9), preconditioner: preconditioner)
                        .solve($1, count: 1, in: system, parallel: parallel).vectors
                })
        }
    }
}
