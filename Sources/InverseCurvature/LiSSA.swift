internal import Foundation
public import LinearAlgebra

/// LiSSA: s_test by a stochastic Neumann series (Agarwal, Bullins & Hazan 2017; Koh & Liang 2017, section 3;
/// FastIF section 3.3 runs the repeats in parallel), in rounds of iterative refinement.
///
///     h₀ = r,   h ← r + h − (C_B + λI)h/scale,   δₜ = h/scale,   s ← s + mean over repeats of δₜ,   r = v − (D + λI)s
///
/// The first round has s = 0 and r = v and is plain LiSSA, whose fixed point is h/scale = (D + λI)⁻¹v. The peers' form,
/// v + (1 − d)h − Hh/scale, solves (H + scale·d·I) instead. Each further round begins with r from a product over all examples, so that
/// its noise is in proportion to what it corrects: on a quadratic this is the control variate of SVRG (Johnson & Zhang 2013, eq. 2).
/// It draws its mini-batches with replacement, the first without.
///
/// Each repeat of each round owns a random stream and its memory, and repeats are averaged in order: the bits do not depend on the
/// threads. A mini-batch is shared by all right-hand sides, and each is solved as if it were alone, to the last bit. A round takes J·T·B
/// products with one example's Cᵢ, and those of all n examples once, for each right-hand side.
public struct LiSSA: Sendable {
    /// What determines the run.
    public let settings: Settings
    /// The automatic scale, which is safe and named where the recursion diverges.
    let safeScale: Double
    /// What sampling without replacement adds to the bias of the first round.
    let samplingBias: Double

    /// A run with the automatic parts of `choice` filled in for a curvature of this spectrum.
    public init(_ choice: Choice, spectrum: SpectrumEstimate, exampleCount: Int, shift: Double) {
        settings = choice.resolved(for: spectrum, exampleCount: exampleCount, shift: shift)
        safeScale = Choice.safeScale(for: spectrum, batchSize: settings.batchSize, shift: shift)
        samplingBias = Choice.samplingBias(
            for: spectrum, exampleCount: exampleCount, batchSize: settings.batchSize, scale: settings.scale, shift: shift)
    }

    /// Solves for `count` stacked right-hand sides, in as many rounds as each needs.
    /// - Throws: `SolverError.diverged`, `.notFinite`, `Interrupted`. Several fail together where one of them does; alone, each other
    ///   one succeeds.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        var refinement = try refined(rightHandSides, count: count, in: system, parallel: parallel, interruption: interruption)
        return try refinement.solution(parallel: parallel, interruption: interruption)
    }

    /// The same, the residuals of the last round left to be measured where nothing depends on them.
    /// - Throws: as `solve`.
    public func solveUnmeasured(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        var refinement = try refined(rightHandSides, count: count, in: system, parallel: parallel, interruption: interruption)
        return try refinement.unmeasuredSolution(parallel: parallel, interruption: interruption)
    }

    private func refined(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel, interruption: Interruption
    ) throws -> Refinement {
        var refinement = Refinement(of: rightHandSides, count: count, in: system, by: self)
        while true {
            let unfinished = refinement.unfinished
            if unfinished.isEmpty { return refinement }
            try refinement.advance(unfinished, parallel: parallel, interruption: interruption)
        }
    }
}
