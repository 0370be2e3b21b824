internal import Foundation

extension LiSSA {
    /// Every number that determines a run.
    public struct Settings: Sendable, Hashable {
        /// J: steps of each recursion.
        public var recursionDepth: Int
        /// T: independent recursions of a round, averaged.
        public var numRepeat: Int
        /// B: examples of each step.
        public var batchSize: Int
        /// What curvature is divided by, so that the recursion contracts.
        public var scale: Double
        /// Names the random streams.
        public var seed: UInt64
        /// K: steps at the end of each recursion, of all J, whose mean it returns; 1 is the last one alone, which is plain LiSSA.
        public var averaged: Int
        /// Whether the recursion is that of P⁻¹(D + λI); the scale is of its spectrum then.
        public var isPreconditioned: Bool
        /// Rounds of refinement at most; one is plain LiSSA.
        public var rounds: Int
        /// The relative error of s_test, as far as it can be estimated, at which a right-hand side needs no further round; nil to run
        /// all rounds.
        public var relativeError: Double?

        /// Settings chosen by hand.
        public init(
            recursionDepth: Int, numRepeat: Int, batchSize: Int, scale: Double, seed: UInt64, averaged: Int = 1,
            isPreconditioned: Bool = false, rounds: Int = 1, relativeError: Double? = nil
        ) {
            self.recursionDepth = recursionDepth
            self.numRepeat = numRepeat
            self.batchSize = batchSize
            self.scale = scale
            self.seed = seed
            self.averaged = averaged
            self.isPreconditioned = isPreconditioned
            self.rounds = rounds
            self.relativeError = relativeError
        }

        /// What one round still lacks of the fixed point in the slowest direction: (1 − λ/s)^J of it, for the mean of K steps that of so many
        /// powers. With P it is the smallest eigenvalue of P^-½(D + λI)P^-½ that stands in the place of λ.
        public func bias(shift: Double) -> Double {
            let decay = log1p(-min(shift / scale, 1))
            let last = exp(Double(recursionDepth) * decay)
            guard averaged > 1, decay < 0 else { return last }
            // x^(J−K+1) + … + x^J = x^J·(x^−K − 1)/(x^−1 − 1)
            let first = exp(Double(recursionDepth - averaged + 1) * decay)
            return (first - last * exp(decay)) / -expm1(decay) / Double(averaged)
        }

        /// The same at another scale, with as many more steps as that takes.
        func slowed(to other: Double) -> Settings {
            var settings = self
            let factor = other / scale
            let depth = (Double(recursionDepth) * factor).rounded(.up)
            settings.recursionDepth = max(recursionDepth, depth < Double(Choice.deepest) ? Int(depth) : Choice.deepest)
            settings.averaged = max(1, averaged * settings.recursionDepth / max(1, recursionDepth))
            settings.scale = other
            return settings
        }
    }
}
