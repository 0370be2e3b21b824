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
        /// Names the random streams.
        public var seed: UInt64
        /// Rounds of refinement. Where they are automatic, a depth chosen by hand without a wanted error is one round, which is plain
        /// LiSSA.
        public var rounds: Int?
        /// The wanted relative error of s_test; rounds end where it is reached.
        public var relativeError: Double?

        /// All automatic but what is given.
        public init(
            recursionDepth: Int? = nil, numRepeat: Int? = nil, batchSize: Int? = nil, scale: Double? = nil, seed: UInt64 = 0,
            rounds: Int? = nil, relativeError: Double? = nil
        ) {
            self.recursionDepth = recursionDepth
            self.numRepeat = numRepeat
            self.batchSize = batchSize
            self.scale = scale
            self.seed = seed
            self.rounds = rounds
            self.relativeError = relativeError
        }

        /// The most steps that automatic rounds take together: beyond it λ is too small for a Neumann series, and the answer says that
        /// it has not converged.
        public static let deepest = 20_000
        /// Repeats where they are automatic: the mean of ten lies within two standard errors of its expectation with a probability of
        /// .923 (Student's t with 9 degrees of freedom); of eight, with .914; of four, with .861.
        public static let repeats = 10
        /// The wanted relative error where none is given.
        public static let usualError = 0.02
        /// What a round may leave, as a part of what it began with: more, and averaging costs less than refining.
        private static let leastContraction = 0.7

        /// Fills in what is automatic: for a wanted error, what costs least by a model of the rounds.
        ///
        /// The error e of a step's h obeys e ← (I − (C_B + λI)/s)e + noise. In mean square it contracts if
        /// s > ½(λ_max + λ + R²/B) with R² = max ‖Cᵢ‖, because E[C_B²] ≼ D² + (R²/B)·D; we take a fifth more than
        /// that, so that it cannot diverge and an underestimated λ_max does no harm.
        ///
        /// A round leaves ρ² = β² + ν² of the squared error it began with. β = (1 − λ/s)^J is what the slowest direction lacks. The noise
        /// along an eigenvector of μ has the stationary variance E(qᵀCᵢδ)²/(2sB(μ + λ)); with curvature independent of δ that sums to
        /// ν² ≈ min(λ, λ_max)·d/(2sBT), where d = Σ μ/(μ + λ) ≤ trace/λ counts the directions that λ does not cover: a bound, of which
        /// `measuredNoise` is usual. Then log ε / log ρ rounds are needed, each of T·J·(B + `stepRows`) + n products. The bias may not be
        /// above the noise, which the standard errors measure, unless both are small.
        public func resolved(for spectrum: SpectrumEstimate, exampleCount: Int, shift: Double) -> Settings {
            let target = relativeError ?? Self.usualError
            let repeats = numRepeat ?? Self.repeats
            let model = RoundModel(spectrum: spectrum, exampleCount: exampleCount, shift: shift, repeats: repeats, choice: self)
            // A depth chosen by hand is no matter of cost: the batch is then one that suits the steps.
            let plan = recursionDepth != nil && relativeError == nil ? model.modest : model.cheapest(for: target)
            func settings(depth: Int, rounds: Int, target: Double?) -> Settings {
                Settings(
                    recursionDepth: depth, numRepeat: repeats, batchSize: plan.batch, scale: plan.scale, seed: seed,
                    rounds: rounds, relativeError: target)
            }
            if let rounds { return settings(depth: plan.depth, rounds: max(1, rounds), target: relativeError) }
            if recursionDepth != nil, relativeError == nil { return settings(depth: plan.depth, rounds: 1, target: nil) }
            // The model may be wrong by a factor; what is measured decides where the rounds end.
            let allowed = max(1, Self.deepest / max(1, plan.depth))
            return settings(depth: plan.depth, rounds: min(2 * plan.rounds + 2, allowed), target: target)
        }

        /// A scale at which the recursion contracts in mean square, with a fifth to spare.
        static func safeScale(for spectrum: SpectrumEstimate, batchSize: Int, shift: Double) -> Double {
            max(0.6 * (spectrum.largestEigenvalue + shift + spectrum.largestExampleNorm / Double(batchSize)), 1e-12)
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

        /// What rounds cost and leave.
        private struct RoundModel {
            let spectrum: SpectrumEstimate
            let exampleCount: Int
            let shift: Double
            let repeats: Int
            let choice: Choice

            /// One way to set a round, and how many of them it takes.
            struct Plan {
                var batch: Int
                var scale: Double
                var depth: Int
                var rounds: Int
                var cost: Double
            }

            /// The part of the noise's bound that is usual.
            static let measuredNoise = 0.25
            /// What a step costs beside its products, in rows.
            static let stepRows = 4.0
            static let biases = [0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005]
            /// A bias may be this part of the noise,
            static let coveredBias = 0.8
            /// or this small, whatever the noise.
            static let smallBias = 0.005

            func cheapest(for target: Double) -> Plan {
                let plans = batches.flatMap { batch in Self.biases.compactMap { plan(batch: batch, bias: $0, target: target) } }
                // The first of equals: the smallest batch.
                return plans.reduce(nil as Plan?) { best, plan in best.map { $0.cost <= plan.cost } ?? false ? best : plan }
                    ?? modest
            }

            /// Batches worth trying.
            private var batches: [Int] {
                if let batch = choice.batchSize { return [min(batch, exampleCount)] }
                let usual = [16, 32, 64, 128, 256, 512].filter { $0 < exampleCount }
                return exampleCount <= 512 ? usual + [exampleCount] : usual
            }

            private func scale(batch: Int) -> Double {
                choice.scale ?? safeScale(for: spectrum, batchSize: batch, shift: shift)
            }

            /// Steps until a bias is reached, and no more than are allowed.
            private func depth(scale: Double, bias: Double) -> Int {
                if let depth = choice.recursionDepth { return depth }
                // log1p keeps a λ far below the scale from rounding to no contraction at all.
                let contraction = -log1p(-min(shift / scale, 0.999))
                let needed = contraction > 0 ? log(1 / bias) / contraction : .infinity
                return needed >= Double(deepest) ? deepest : max(10, Int(needed.rounded(.up)))
            }

            /// ν.
            private func noise(batch: Int, scale: Double) -> Double {
                // All examples at once make none.
                guard batch < exampleCount else { return 0 }
                let amplitude = min(1, spectrum.largestEigenvalue / shift) * max(0, spectrum.trace)
                let variance = Self.measuredNoise * amplitude / (2 * scale * Double(batch) * Double(repeats))
                return max(0, variance).squareRoot()
            }

            private func plan(batch: Int, bias: Double, target: Double) -> Plan? {
                let scale = scale(batch: batch)
                let depth = depth(scale: scale, bias: bias)
                let remaining = exp(Double(depth) * log1p(-min(shift / scale, 1)))
                let noise = noise(batch: batch, scale: scale)
                guard choice.recursionDepth != nil || bias <= max(Self.coveredBias * noise, Self.smallBias) else { return nil }
                let left = (remaining * remaining + noise * noise).squareRoot()
                guard left < leastContraction else { return nil }
                var rounds = max(1, (log(target) / log(max(left, 1e-12))).rounded(.up))
                if rounds == 1 {
                    let added = samplingBias(
                        for: spectrum, exampleCount: exampleCount, batchSize: batch, scale: scale, shift: shift)
                    if left + added > target { rounds = 2 }
                }
                guard rounds < 1000, rounds == 1 || choice.recursionDepth != nil || rounds * Double(depth) <= Double(deepest)
                else { return nil }
                let cost = rounds * (Double(repeats) * Double(depth) * (Double(batch) + Self.stepRows) + Double(exampleCount))
                return Plan(batch: batch, scale: scale, depth: depth, rounds: Int(rounds), cost: cost)
            }

            /// Where no round contracts as it should, or the depth is given: as deep as is allowed, with batches that make R²/B a quarter of λ_max, beyond which
            /// larger ones buy no larger steps.
            var modest: Plan {
                let largest = max(spectrum.largestEigenvalue, .leastNormalMagnitude)
                let wanted = min(512, (4 * spectrum.largestExampleNorm / largest).rounded(.up))
                let suitable = wanted.isNaN ? 512 : max(32, Int(wanted).nextPowerOfTwo)
                let batch = min(exampleCount, choice.batchSize ?? suitable)
                let scale = scale(batch: batch)
                return Plan(
                    batch: batch, scale: scale, depth: depth(scale: scale, bias: 0.05), rounds: 1, cost: .infinity)
            }
        }
    }
}

extension Int {
    /// The smallest power of two that is not below a positive number.
    fileprivate var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
