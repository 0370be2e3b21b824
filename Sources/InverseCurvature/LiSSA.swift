internal import Foundation
public import LinearAlgebra

/// LiSSA: s_test by a stochastic Neumann series (Agarwal, Bullins & Hazan 2017; Koh & Liang 2017, section 3;
/// FastIF section 3.3 runs the repeats in parallel).
///
///     h₀ = v,   h ← v + h − (C_B + λI)h/scale,   s_test = mean over repeats of h/scale
///
/// whose fixed point is h/scale = (D + λI)⁻¹v. The peers' form, v + (1 − d)h − Hh/scale, solves (H + scale·d·I) instead.
///
/// Each repeat owns a random stream and its memory, and repeats are averaged in order: the bits do not depend on the threads.
/// A mini-batch is shared by all right-hand sides, and each is solved as if it were alone, to the last bit. J·T·B products with one
/// example's Cᵢ, for each right-hand side.
public struct LiSSA: Sendable {
    /// What determines the run.
    public let settings: Settings
    /// The automatic scale, to be named where the recursion diverges.
    let safeScale: Double

    /// A run with the automatic parts of `choice` filled in for a curvature of this spectrum.
    public init(_ choice: Choice, spectrum: SpectrumEstimate, exampleCount: Int, shift: Double) {
        settings = choice.resolved(for: spectrum, exampleCount: exampleCount, shift: shift)
        safeScale = Choice.safeScale(for: spectrum, batchSize: settings.batchSize, shift: shift)
    }

    /// A residual above this is no solution, where the scale is not a safe one: the zero vector's is 1.
    static let uselessResidual = 10.0
    /// A run has converged if its residual is small,
    static let smallResidual = 1e-3
    /// or if its bias is small and its residual no more than mini-batch noise makes it, which the standard errors measure.
    static let smallBias = 0.05
    static let noisyResidual = 0.5

    /// Solves for `count` stacked right-hand sides.
    /// - Throws: `SolverError.diverged`, `.notFinite`, `Interrupted`. Several fail together where one of them does; alone, each other
    ///   one succeeds.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        precondition(rightHandSides.count == count * system.dimension, "right-hand sides are as long as the system's order")
        let length = rightHandSides.count
        let estimates = AlignedMemory<Float>(uninitialized: length * settings.numRepeat)
        try parallel.forEach(settings.numRepeat, interruption: interruption) { index in
            try runRepeat(
                index, of: system.data, rightHandSides, count: count, shift: system.shift,
                h: estimates.start + index * length, interruption: interruption)
        }
        let repeats = try (0..<settings.numRepeat).map {
            try interruption.check()
            return Array(estimates.elements[$0 * length..<($0 + 1) * length])
        }
        let mean = try Self.mean(of: repeats, interruption: interruption)
        let remainders = try system.remainder(
            of: rightHandSides, after: mean, count: count, parallel: parallel, interruption: interruption)
        let residuals = DampedCurvature.relativeNorms(of: remainders, to: rightHandSides, count: count)
        // At a safe scale nothing can grow: a large residual is noise along directions that λ leaves nearly free.
        let worst = settings.scale >= safeScale ? Double.greatestFiniteMagnitude : Self.uselessResidual
        guard residuals.allSatisfy({ $0 <= worst }) else {
            throw failure(at: settings.recursionDepth)
        }
        let isDeep = settings.bias(shift: system.shift) <= Self.smallBias
        return Solution(
            vectors: mean, repeats: repeats, residuals: residuals,
            converged: residuals.map { $0 <= (isDeep ? Self.noisyResidual : Self.smallResidual) })
    }

    /// Why numbers grew without bound: at a safe scale the recursion contracts, and only numbers that overflow can do that.
    private func failure(at step: Int) -> SolverError {
        settings.scale >= safeScale ? .notFinite : .diverged(settings: settings, step: step, safeScale: safeScale)
    }

    /// One recursion; leaves h/scale in `h`.
    private func runRepeat<Operator: CurvatureOperator>(
        _ index: Int, of curvature: Operator, _ v: [Float], count: Int, shift: Double, h: UnsafeMutablePointer<Float>,
        interruption: Interruption
    ) throws {
        let workspace = curvature.makeWorkspace(vectorCount: count, interruption: interruption)
        // Also where the curvature does not ask: a step is its products, and what every step takes.
        var pace = PacedInterruption(interruption)
        let operations = 4 * settings.batchSize * curvature.dimension * count + 5000
        var sampler = EpochSampler(
            count: curvature.exampleCount, stream: RandomStream(seed: settings.seed, index: UInt64(index)))
        // This step's rows, and the next one's: those are asked for while this step computes.
        var batch = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: settings.batchSize)
        var nextBatch = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: settings.batchSize)
        defer {
            batch.deallocate()
            nextBatch.deallocate()
        }
        sampler.next(into: nextBatch)
        let keep = Float(1 - shift / settings.scale)
        let step = Float(-1 / settings.scale)
        try v.withUnsafeBufferPointer { v in
            let v = v.baseAddress!
            let length = curvature.dimension
            // The fixed point is at most scale/λ times v, so that anything far beyond it is on its way to infinity.
            let growth = 100 * settings.scale / max(shift, 1e-6 * settings.scale)
            let bounds = (0..<count).map { growth * Vectors.norm(v + $0 * length, length) }
            h.update(from: v, count: length * count)
            for j in 0..<settings.recursionDepth {
                swap(&batch, &nextBatch)
                sampler.next(into: nextBatch)
                curvature.prepare(for: .indices(UnsafeBufferPointer(nextBatch)), workspace: workspace)
                try curvature.addProduct(
                    over: .indices(UnsafeBufferPointer(batch)), alpha: step, of: h, beta: keep, plus: v, to: h,
                    vectorCount: count,
                    workspace: workspace)
                try pace.check(after: operations)
                guard j % 16 == 15 || j == settings.recursionDepth - 1 else { continue }
                // Written so that NaN fails it too.
                guard bounds.indices.allSatisfy({ Vectors.norm(h + $0 * length, length) <= bounds[$0] }) else {
                    throw failure(at: j + 1)
                }
            }
            BLAS.scale(length * count, by: Float(1 / settings.scale), h)
        }
    }

    /// Averages in double precision and in order.
    private static func mean(of repeats: [[Float]], interruption: Interruption) throws -> [Float] {
        guard repeats.count > 1 else { return repeats.first ?? [] }
        var sums = [Double](repeating: 0, count: repeats[0].count)
        for estimate in repeats {
            try interruption.check()
            for i in sums.indices { sums[i] += Double(estimate[i]) }
        }
        let factor = 1 / Double(repeats.count)
        return sums.map { Float($0 * factor) }
    }
}
