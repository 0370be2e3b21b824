internal import Foundation

extension LiSSA {
    /// What a user asks for: nil is `"auto"`.
    public struct Choice: Sendable, Hashable {
        /// J.
        public var recursionDepth: Int?
        /// T.
        public var numRepeat: Int?
        /// B.
        public var batchSize: Int?
        /// s.
        public var scale: Double?
        /// K. Where it is automatic, a depth chosen by hand without a wanted error averages nothing, which is plain LiSSA.
        public var averaged: Int?
        /// Names the random streams.
        public var seed: UInt64
        /// Rounds of refinement. Where they are automatic, a depth chosen by hand without a wanted error is one round, which is plain
        /// LiSSA.
        public var rounds: Int?
        /// The wanted relative error of s_test; rounds end where it is reached.
        public var relativeError: Double?
        /// Whether a preconditioner that is at hand is used; where that is automatic, if it is expected to cost less.
        public var isPreconditioned: Bool?

        /// All automatic but what is given.
        public init(
            recursionDepth: Int? = nil, numRepeat: Int? = nil, batchSize: Int? = nil, scale: Double? = nil,
            averaged: Int? = nil, seed: UInt64 = 0, rounds: Int? = nil, relativeError: Double? = nil,
            isPreconditioned: Bool? = nil
        ) {
            self.recursionDepth = recursionDepth
            self.numRepeat = numRepeat
            self.batchSize = batchSize
            self.scale = scale
            self.averaged = averaged
            self.seed = seed
            self.rounds = rounds
            self.relativeError = relativeError
            self.isPreconditioned = isPreconditioned
        }

        /// The most steps that automatic rounds take together: beyond it λ is too small for a Neumann series, and the answer says that
        /// it has not converged.
        public static let deepest = 20_000
        /// Repeats where they are automatic: the mean of ten lies within two standard errors of its expectation with a probability of
        /// .923 (Student's t with 9 degrees of freedom); of eight, with .914; of four, with .861.
        public static let repeats = 10
        /// The wanted relative error where none is given: .02, and .05 of more than 100,000 examples. One round reaches the latter as a rule,
        /// and another would read that many examples a few times over.
        public static func usualError(exampleCount: Int) -> Double { exampleCount > 100_000 ? 0.05 : 0.02 }
        /// What a round may leave, as a part of what it began with: more, and averaging costs less than refining.
        static let leastContraction = 0.7

        /// Fills in what is automatic: for a wanted error, what costs least by a model of the rounds.
        ///
        /// The error e of a step's h obeys e ← (I − (C_B + λI)/s)e + noise. In mean square it contracts if
        /// s > ½(λ_max + λ + R²/B) with R² = max ‖Cᵢ‖, because E[C_B²] ≼ D² + (R²/B)·D; `safeScale` is a fifth more than that. It is far
        /// more than most curvatures need, and steps are as short as the scale is large. No step lengthens the error where
        /// s ≥ ½(λ_max(C_B) + λ): so the scale is half of what batches were seen to reach (`SpectrumEstimate.batchBound`), and no less than
        /// a fifth above half of λ_max + λ, if that is smaller. Where few batches did not show what a curvature holds, the recursion grows:
        /// this is noticed, and the round done anew at `safeScale`.
        ///
        /// A round leaves ρ² = β² + ν² of the squared error it began with. β is the mean of (1 − λ/s)^j over the steps that are averaged: what
        /// the slowest direction lacks. The noise along an eigenvector of μ has the stationary variance E(qᵀCᵢδ)²/(2sB(μ + λ)); with
        /// curvature independent of δ that sums to ν² ≈ min(λ, λ_max)·d/(2sBT), where d = Σ μ/(μ + λ) ≤ trace/λ counts the directions that λ
        /// does not cover: a bound, of which `RoundModel.measuredNoise` is usual, and a third of that where the last quarter of the steps
        /// is averaged (Polyak & Juditsky 1992), which costs β less than it saves in ν. Then log ε / log ρ rounds are needed, each of
        /// T·J·(B + `stepRows`) + n products. The bias may not be above the noise, which the standard errors measure, unless both are small.
        ///
        /// A depth chosen by hand without a wanted error is plain LiSSA: nothing is averaged.
        public func resolved(for spectrum: SpectrumEstimate, exampleCount: Int, shift: Double) -> Settings {
            let terrain = RoundModel.Terrain(of: spectrum, exampleCount: exampleCount, shift: shift)
            return RoundModel(terrain, exampleCount: exampleCount, choice: self).settings
        }

        /// A scale at which the recursion contracts in mean square, with a fifth to spare; and so large that the strongest direction, which
        /// swings, contracts no slower than the one where C vanishes.
        static func safeScale(for spectrum: SpectrumEstimate, batchSize: Int, shift: Double) -> Double {
            max(
                0.6 * (spectrum.largestEigenvalue + shift + spectrum.largestExampleNorm / Double(batchSize)),
                spectrum.largestEigenvalue / 2 + shift, 1e-12)
        }

        /// `safeScale`, or less where batches were looked at: see `resolved`.
        static func automaticScale(for spectrum: SpectrumEstimate, batchSize: Int, shift: Double) -> Double {
            let safe = safeScale(for: spectrum, batchSize: batchSize, shift: shift)
            guard spectrum.batches?.contains(where: { $0.size <= batchSize }) ?? false else { return safe }
            let largest = spectrum.largestBound
            let seen = 0.5 * (spectrum.batchBound(size: batchSize) + shift)
            return min(safe, max(0.6 * (largest + shift), largest / 2 + shift, seen, 1e-12))
        }

        /// What sampling without replacement adds to the bias of the first round, which is plain LiSSA.
        ///
        /// Two batches of one epoch are negatively correlated: with m of them the covariance is −V/(m − 1), V that of one. Over all
        /// pairs of an epoch the recursion behaves as if D were D + V/(2s), with V ≼ E[Cᵢ²]/B and qᵀE[Cᵢ²]q about trace(D) times qᵀDq;
        /// and pairs count only as far as the recursion remembers, s/λ steps.
        static func samplingBias(
            for spectrum: SpectrumEstimate, exampleCount: Int, batchSize: Int, scale: Double, shift: Double
        ) -> Double {
            guard batchSize < exampleCount else { return 0 }
            let epoch = Double(exampleCount) / Double(batchSize)
            let remembered = shift > 0 ? min(1, scale / shift / epoch) : 1
            return max(0, spectrum.trace) / (2 * scale * Double(batchSize)) * remembered
        }
    }
}
