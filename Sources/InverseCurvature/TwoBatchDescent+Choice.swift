internal import Foundation

extension TwoBatchDescent {
    /// What a user asks for: nil is `"auto"`.
    public struct Choice: Sendable, Hashable {
        /// J.
        public var steps: Int?
        /// |B₁| = |B₂|.
        public var batchSize: Int?
        /// η.
        public var stepSize: Double?
        /// Names the random streams.
        public var seed: UInt64

        /// All automatic but what is given.
        public init(steps: Int? = nil, batchSize: Int? = nil, stepSize: Double? = nil, seed: UInt64 = 0) {
            self.steps = steps
            self.batchSize = batchSize
            self.stepSize = stepSize
            self.seed = seed
        }

        /// The most automatic steps.
        public static let most = 2000
        /// A mini-batch where nothing is said.
        public static let usualBatch = 1024
        /// What automatic steps leave of the error where D vanishes, the slowest direction.
        private static let bias = 0.05
        /// λ is taken for at least this part of λ_max: below it η would be too small to do anything.
        private static let leastShift = 1e-3

        /// Fills in what is automatic: steps that leave a twentieth of S₀'s error in the slowest direction, if they are at most `most`.
        public func resolved(for spectrum: SpectrumEstimate, exampleCount: Int, shift: Double) -> Settings {
            let batch = min(max(1, exampleCount), max(1, batchSize ?? Self.usualBatch))
            let size = stepSize ?? Self.safeStepSize(for: spectrum, batchSize: batch, shift: shift)
            let contraction = size * shift * shift
            let needed = contraction > 0 ? log(1 / Self.bias) / contraction : .infinity
            let automatic = needed < Double(Self.most) ? max(1, Int(needed.rounded(.up))) : Self.most
            return Settings(steps: max(0, steps ?? automatic), batchSize: batch, stepSize: size, seed: seed)
        }

        /// An η at which the error e contracts in mean square.
        ///
        /// With Cᵢ ≽ 0 and R = max ‖Cᵢ‖, E[(C_B + λI)²] ≼ M = (D + λI)² + (R/B)·D, so that for A₁, A₂ of independent batches
        /// E‖(I − ηA₁A₂)e‖² ≤ ‖e‖² − 2η·eᵀ(D + λI)²e + η²‖M‖·eᵀMe, and M ≼ (1 + R/(4Bλ))·(D + λI)², as μ/(μ + λ)² is at most 1/(4λ).
        /// So η = 1/(‖M‖·(1 + R/(4Bλ))) contracts; up to twice that would.
        static func safeStepSize(for spectrum: SpectrumEstimate, batchSize: Int, shift: Double) -> Double {
            let largest = max(spectrum.largestBound, .leastNormalMagnitude)
            let noise = max(0, spectrum.largestExampleNorm) / Double(max(1, batchSize))
            let shift = max(shift, Self.leastShift * largest)
            let size = 1 / (((largest + shift) * (largest + shift) + noise * largest) * (1 + noise / (4 * shift)))
            return size.isFinite ? size : 1
        }
    }
}
