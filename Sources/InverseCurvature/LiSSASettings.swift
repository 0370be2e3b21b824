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
        /// Rounds of refinement at most; one is plain LiSSA.
        public var rounds: Int
        /// The relative error of s_test, as far as it can be estimated, at which a right-hand side needs no further round; nil to run
        /// all rounds.
        public var relativeError: Double?

        /// Settings chosen by hand.
        public init(
            recursionDepth: Int, numRepeat: Int, batchSize: Int, scale: Double, seed: UInt64, rounds: Int = 1,
            relativeError: Double? = nil
        ) {
            self.recursionDepth = recursionDepth
            self.numRepeat = numRepeat
            self.batchSize = batchSize
            self.scale = scale
            self.seed = seed
            self.rounds = rounds
            self.relativeError = relativeError
        }

        /// What one round still lacks of the fixed point in the direction where C vanishes, the slowest: (1 − λ/s)^J of it.
        public func bias(shift: Double) -> Double { exp(Double(recursionDepth) * log1p(-min(shift / scale, 1))) }
    }
}
