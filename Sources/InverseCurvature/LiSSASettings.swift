internal import Foundation

extension LiSSA {
    /// Every number that determines a run.
    public struct Settings: Sendable, Hashable {
        /// J: steps of each recursion.
        public var recursionDepth: Int
        /// T: independent recursions, averaged.
        public var numRepeat: Int
        /// B: examples of each step.
        public var batchSize: Int
        /// What curvature is divided by, so that the recursion contracts.
        public var scale: Double
        /// Names the random streams.
        public var seed: UInt64

        /// Settings chosen by hand.
        public init(recursionDepth: Int, numRepeat: Int, batchSize: Int, scale: Double, seed: UInt64) {
            self.recursionDepth = recursionDepth
            self.numRepeat = numRepeat
            self.batchSize = batchSize
            self.scale = scale
            self.seed = seed
        }

        /// What the recursion still lacks of the fixed point in the direction where C vanishes, the slowest: (1 − λ/s)^J of it.
        public func bias(shift: Double) -> Double { exp(Double(recursionDepth) * log1p(-min(shift / scale, 1))) }
    }

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
        /// Names the random streams.
        public var seed: UInt64

        /// All automatic but what is given.
        public init(
            recursionDepth: Int? = nil, numRepeat: Int? = nil, batchSize: Int? = nil, scale: Double? = nil, seed: UInt64 = 0
        ) {
            self.recursionDepth = recursionDepth
            self.numRepeat = numRepeat
            self.batchSize = batchSize
            self.scale = scale
            self.seed = seed
        }

        /// The most steps that automatic depth takes: beyond it λ is too small for a Neumann series, and the answer says that it
        /// has not converged.
        public static let deepest = 20_000

        /// Fills in what is automatic.
        ///
        /// The error e of a step's h obeys e ← (I − (C_B + λI)/s)e + noise. In mean square it contracts if
        /// s > ½(λ_max + λ + R²/B) with R² = max ‖Cᵢ‖, because E[C_B²] ≼ D² + (R²/B)·D; we take twice that bound, so that it cannot
        /// diverge and an underestimated λ_max does no harm. The batch makes R²/B a quarter of λ_max: larger ones buy no larger
        /// steps. What the slowest direction lacks after J steps is (1 − λ/s)^J; J brings it to `bias`.
        public func resolved(for spectrum: SpectrumEstimate, exampleCount: Int, shift: Double, bias: Double = 0.01) -> Settings {
            let largest = max(spectrum.largestEigenvalue, .leastNormalMagnitude)
            let noise = spectrum.largestExampleNorm
            let wanted = (4 * noise / largest).rounded(.up)
            let suitable = wanted < 512 ? max(32, Int(wanted).nextPowerOfTwo) : 512
            let batch = min(exampleCount, batchSize ?? suitable)
            let scale = self.scale ?? Self.safeScale(for: spectrum, batchSize: batch, shift: shift)
            let depth: Int
            if let recursionDepth {
                depth = recursionDepth
            } else {
                // log1p keeps a λ far below the scale from rounding to no contraction at all.
                let contraction = -log1p(-min(shift / scale, 0.999))
                let needed = contraction > 0 ? log(1 / bias) / contraction : .infinity
                depth = needed >= Double(Self.deepest) ? Self.deepest : max(10, Int(needed.rounded(.up)))
            }
            return Settings(
                recursionDepth: depth, numRepeat: numRepeat ?? 4, batchSize: batch, scale: scale, seed: seed)
        }

        /// A scale at which the recursion contracts in mean square, with a factor of two to spare.
        static func safeScale(for spectrum: SpectrumEstimate, batchSize: Int, shift: Double) -> Double {
            max(spectrum.largestEigenvalue + shift + spectrum.largestExampleNorm / Double(batchSize), 1e-12)
        }
    }
}

extension Int {
    /// The smallest power of two that is not below a positive number.
    fileprivate var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
