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
/// It draws its mini-batches with replacement, the first without. Automatic rounds return the mean of the last quarter of their steps
/// instead of the last one (Polyak & Juditsky 1992).
///
/// With a preconditioner P ≈ D + λI a step is h ← h + P⁻¹(r − (C_B + λI)h)/scale from h = P⁻¹r/scale, the same recursion for
/// P^-½(D + λI)P^-½ in the coordinates of P^½h: fewer steps, each of which also costs P⁻¹; the mean is over the last half of them.
///
/// Each repeat of each round owns a random stream and its memory, and repeats are averaged in order: the bits do not depend on the
/// threads. A mini-batch is shared by all right-hand sides, and each is solved as if it were alone, to the last bit. A round takes J·T·B
/// products with one example's Cᵢ, and those of all n examples once, for each right-hand side.
public struct LiSSA: Sendable {
    /// What determines the run.
    public let settings: Settings
    /// What takes over for a right-hand side whose numbers grow: without P, at a scale that is safe whatever mini-batches hold. Nil where the
    /// scale was chosen by hand, or is that one.
    let cautious: Settings?
    /// A scale that does: named where one chosen by hand does not.
    let safeScale: Double
    /// What sampling without replacement adds to the bias of the first round.
    let samplingBias: Double
    /// P⁻¹; nil is the identity.
    let preconditioner: (any Preconditioner)?
    /// The smallest eigenvalue of what is divided by the scale: λ, or that of P^-½(D + λI)P^-½.
    let slowest: Double

    /// A run with the automatic parts of `choice` filled in for a curvature of this spectrum.
    ///
    /// P⁻¹ is no default, as it does not win at equal time wherever it is at hand. Measured with 4 repeats on two cores of a Zen 5, the error of
    /// one test after so many milliseconds, what is prepared once apart:
    /// - MNIST by softmax regression, λ = 0.01 (λ_max = 2.3; μ of M from 0.1 to 3.9): rounds without P 0.046 after 25 and 0.0032 after 49; with
    ///   EKFAC's 0.11 after 14, 0.016 after 28, 0.0044 after 43. A step with EKFAC's costs as much there as 800 rows.
    /// - 784-128-10 on MNIST, λ = 0.011 (λ_max = 2.3; μ from 0.03 to 7.9, as EKFAC knows nothing of what couples layers): 0.054 after 850
    ///   and 0.0046 after 1,690 without; 0.10 after 490, 0.026 after 980, 0.014 after 1,950 with it.
    /// - The first again, at λ = 0.0001: 0.73 after 180 without; 0.12 after 41, 0.0073 after 120 with it, which is taken there.
    ///
    /// The diagonal's is behind in all that was measured.
    ///
    /// - Parameter preconditioning: taken where `choice` says so, and by default where its rounds are expected to cost less than those without:
    ///   both are modelled alike, from the spectra (see `Choice.resolved`).
    public init(
        _ choice: Choice, spectrum: SpectrumEstimate, preconditioning: Preconditioning? = nil, exampleCount: Int, shift: Double
    ) {
        let plain = RoundModel(
            .init(of: spectrum, exampleCount: exampleCount, shift: shift), exampleCount: exampleCount, choice: choice)
        let rooted = preconditioning.map {
            RoundModel(.init(of: $0.spectrum, exampleCount: exampleCount), exampleCount: exampleCount, choice: choice)
        }
        // Depth and scale by hand are meant for the plain recursion.
        let isFree = choice.recursionDepth == nil && choice.scale == nil
        let automatic: Settings
        if let preconditioning, let rooted, choice.isPreconditioned ?? (isFree && rooted.isCheaper(than: plain)) {
            automatic = rooted.settings
            preconditioner = preconditioning.preconditioner
            slowest = preconditioning.spectrum.slowest
            samplingBias = 0
            safeScale = preconditioning.spectrum.scale(batchSize: automatic.batchSize, exampleCount: exampleCount)
        } else {
            automatic = plain.settings
            preconditioner = nil
            slowest = shift
            samplingBias = Choice.samplingBias(
                for: spectrum, exampleCount: exampleCount, batchSize: automatic.batchSize, scale: automatic.scale, shift: shift)
            safeScale = Choice.safeScale(for: spectrum, batchSize: automatic.batchSize, shift: shift)
        }
        settings = automatic
        let unconditioned = plain.settings
        let safest = Choice.safeScale(for: spectrum, batchSize: unconditioned.batchSize, shift: shift)
        let isSafest = preconditioner == nil && automatic.scale >= safest
        cautious = choice.scale != nil || isSafest ? nil : unconditioned.slowed(to: max(safest, unconditioned.scale))
    }

    /// β: what a round with some settings leaves in the slowest direction.
    func contraction(isCautious: Bool, shift: Double) -> Double {
        guard isCautious, let cautious else { return settings.bias(shift: slowest) }
        return cautious.bias(shift: shift)
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
