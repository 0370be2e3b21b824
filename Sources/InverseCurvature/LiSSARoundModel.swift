internal import Foundation

extension LiSSA {
    /// What rounds cost and leave: see `Choice.resolved`.
    struct RoundModel {
        /// What is known of the matrix that the recursion divides by the scale: D + λI, or M = P^-½(D + λI)P^-½.
        struct Terrain {
            /// λ, or λ_min(M).
            let slowest: Double
            /// λ_max(D) or λ_max(M), and the trace of what mini-batches estimate.
            let largest, trace: Double
            /// R², or nil where it is not known: the largest batches are the safe ones then.
            let largestExampleNorm: Double?
            /// What a step costs beside its products, in rows.
            let stepRows: Double
            /// Batches worth trying.
            let batches: [Int]
            /// The automatic scale for a batch.
            let scale: (Int) -> Double
            /// The part of the steps that is averaged.
            let averagedPart: Double
            let samplingBias: (_ batch: Int, _ scale: Double) -> Double
            let isPreconditioned: Bool

            init(of spectrum: SpectrumEstimate, exampleCount: Int, shift: Double) {
                (slowest, largest, trace) = (shift, spectrum.largestEigenvalue, spectrum.trace)
                largestExampleNorm = spectrum.largestExampleNorm
                stepRows = 4
                let usual = [16, 32, 64, 128, 256, 512].filter { $0 < exampleCount }
                batches = exampleCount <= 512 ? usual + [exampleCount] : usual
                scale = { Choice.automaticScale(for: spectrum, batchSize: $0, shift: shift) }
                averagedPart = 0.25
                samplingBias = { batch, scale in
                    Choice.samplingBias(
                        for: spectrum, exampleCount: exampleCount, batchSize: batch, scale: scale, shift: shift)
                }
                isPreconditioned = false
            }

            init(of spectrum: PreconditionedSpectrum, exampleCount: Int) {
                (slowest, largest, trace) = (spectrum.slowest, spectrum.largest, spectrum.trace)
                largestExampleNorm = nil
                stepRows = 4 + spectrum.rowsOfPreconditioner
                batches = spectrum.batches.map(\.size) + (exampleCount <= 1024 || spectrum.batches.isEmpty ? [exampleCount] : [])
                scale = { spectrum.scale(batchSize: $0, exampleCount: exampleCount) }
                averagedPart = 0.5
                samplingBias = { _, _ in 0 }
                isPreconditioned = true
            }
        }

        /// One way to set a round, and how many of them it takes.
        struct Plan {
            var batch: Int
            var scale: Double
            var depth: Int
            var rounds: Int
            var cost: Double
        }

        private let terrain: Terrain
        private let exampleCount: Int
        private let choice: Choice
        private let repeats: Int

        init(_ terrain: Terrain, exampleCount: Int, choice: Choice) {
            self.terrain = terrain
            self.exampleCount = exampleCount
            self.choice = choice
            repeats = choice.numRepeat ?? Choice.repeats
        }

        /// The part of the noise's bound that is usual, and of that the part that averaging leaves.
        static let measuredNoise = 0.25, averagedNoise = 1.0 / 3
        private static let biases = [0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005]
        /// A bias may be this part of the noise,
        private static let coveredBias = 0.8
        /// or this small, whatever the noise.
        private static let smallBias = 0.005

        /// Whether the recursions are those of plain LiSSA, and cost no matter.
        private var isPlain: Bool { choice.recursionDepth != nil && choice.relativeError == nil }
        private var target: Double { choice.relativeError ?? Choice.usualError(exampleCount: exampleCount) }

        /// A depth chosen by hand is no matter of cost: the batch is then one that suits the steps.
        var plan: Plan { isPlain ? modest : cheapest }

        /// Whether this model's rounds cost less than another's; where neither knows, whether its steps contract faster.
        func isCheaper(than other: RoundModel) -> Bool {
            let (one, two) = (plan, other.plan)
            guard one.cost == two.cost else { return one.cost < two.cost }
            return terrain.slowest / one.scale > other.terrain.slowest / two.scale
        }

        /// The plan in numbers.
        var settings: Settings {
            let plan = plan
            let depth = isPlain ? plan.depth : min(plan.depth, briefDepth(scale: plan.scale))
            let part = isPlain ? 0 : terrain.averagedPart
            func settings(rounds: Int, target: Double?) -> Settings {
                Settings(
                    recursionDepth: depth, numRepeat: repeats, batchSize: plan.batch, scale: plan.scale, seed: choice.seed,
                    averaged: max(1, min(depth, choice.averaged ?? Int(part * Double(depth)))),
                    isPreconditioned: terrain.isPreconditioned, rounds: rounds, relativeError: target)
            }
            if let rounds = choice.rounds { return settings(rounds: max(1, rounds), target: choice.relativeError) }
            if isPlain { return settings(rounds: 1, target: nil) }
            // The model may be wrong by a factor; what is measured decides where the rounds end.
            let allowed = max(1, Choice.deepest / max(1, depth))
            let needed = plan.rounds * max(1, plan.depth / max(1, depth))
            return settings(rounds: min(2 * needed + 2, allowed), target: target)
        }

        /// Steps of a preconditioned round at most: until little is left where μ is a half. Most of the error is where μ is about 1, and what is
        /// slow takes more of such rounds, which also lower the noise, in place of long ones.
        private func briefDepth(scale: Double) -> Int {
            guard terrain.isPreconditioned, choice.recursionDepth == nil else { return .max }
            return max(10, Int((2 * exponent(for: 0.1) * scale).rounded(.up)))
        }

        private var cheapest: Plan {
            let batches = choice.batchSize.map { [min($0, exampleCount)] } ?? terrain.batches
            let plans = batches.flatMap { batch in Self.biases.compactMap { plan(batch: batch, bias: $0) } }
            // The first of equals: the smallest batch.
            return plans.reduce(nil as Plan?) { best, plan in best.map { $0.cost <= plan.cost } ?? false ? best : plan } ?? modest
        }

        private func scale(_ batch: Int) -> Double { choice.scale ?? terrain.scale(batch) }

        /// Steps until a bias is reached, and no more than are allowed.
        private func depth(scale: Double, bias: Double) -> Int {
            if let depth = choice.recursionDepth { return depth }
            // log1p keeps a λ far below the scale from rounding to no contraction at all.
            let contraction = -log1p(-min(terrain.slowest / scale, 0.999))
            let needed = contraction > 0 ? exponent(for: bias) / contraction : .infinity
            return needed >= Double(Choice.deepest) ? Choice.deepest : max(10, Int(needed.rounded(.up)))
        }

        /// u with the mean of e^−x over the last part of 0...u at `bias`.
        private func exponent(for bias: Double) -> Double {
            guard !isPlain else { return log(1 / bias) }
            let part = terrain.averagedPart
            var range = log(1 / bias)...(log(1 / bias) / (1 - part))
            for _ in 0..<30 {
                let middle = (range.lowerBound + range.upperBound) / 2
                let mean = (exp(-middle * (1 - part)) - exp(-middle)) / (part * middle)
                range = mean > bias ? middle...range.upperBound : range.lowerBound...middle
            }
            return range.upperBound
        }

        /// ν.
        private func noise(batch: Int, scale: Double) -> Double {
            // All examples at once make none.
            guard batch < exampleCount else { return 0 }
            let amplitude = min(1, terrain.largest / terrain.slowest) * max(0, terrain.trace)
            let variance = Self.measuredNoise * amplitude / (2 * scale * Double(batch) * Double(repeats))
            return max(0, (isPlain ? 1 : Self.averagedNoise) * variance).squareRoot()
        }

        private func plan(batch: Int, bias: Double) -> Plan? {
            let scale = scale(batch)
            let depth = depth(scale: scale, bias: bias)
            var settings = Settings(recursionDepth: depth, numRepeat: repeats, batchSize: batch, scale: scale, seed: 0)
            if !isPlain { settings.averaged = max(1, Int(terrain.averagedPart * Double(depth))) }
            let remaining = settings.bias(shift: terrain.slowest)
            let noise = noise(batch: batch, scale: scale)
            guard choice.recursionDepth != nil || bias <= max(Self.coveredBias * noise, Self.smallBias) else { return nil }
            let left = (remaining * remaining + noise * noise).squareRoot()
            guard left < Choice.leastContraction else { return nil }
            var rounds = max(1, (log(target) / log(max(left, 1e-12))).rounded(.up))
            if rounds == 1, left + terrain.samplingBias(batch, scale) > target { rounds = 2 }
            guard rounds < 1000, rounds == 1 || choice.recursionDepth != nil || rounds * Double(depth) <= Double(Choice.deepest)
            else { return nil }
            let cost = rounds * (Double(repeats) * Double(depth) * (Double(batch) + terrain.stepRows) + Double(exampleCount))
            return Plan(batch: batch, scale: scale, depth: depth, rounds: Int(rounds), cost: cost)
        }

        /// Where no round contracts as it should, or the depth is given: as deep as is allowed, with batches that make R²/B a quarter of
        /// λ_max, beyond which larger ones buy no larger steps.
        private var modest: Plan {
            let largest = max(terrain.largest, .leastNormalMagnitude)
            let batch: Int
            if let norm = terrain.largestExampleNorm {
                let wanted = min(512, (4 * norm / largest).rounded(.up))
                let suitable = wanted.isNaN ? 512 : max(32, Int(wanted).nextPowerOfTwo)
                batch = min(exampleCount, choice.batchSize ?? suitable)
            } else {
                batch = min(exampleCount, choice.batchSize ?? terrain.batches.last ?? exampleCount)
            }
            let scale = scale(batch)
            return Plan(batch: batch, scale: scale, depth: depth(scale: scale, bias: 0.05), rounds: 1, cost: .infinity)
        }
    }
}

extension PreconditionedSpectrum {
    /// A scale at which a recursion of M contracts in mean square, with a fifth to spare, as far as batches show it.
    ///
    /// It takes s > ½(μ + y) along an eigenvector of μ, with y = d/B of d directions. Most μ are about 1, which is what P is for; then λ_max(M_B)
    /// is (1 + √y)² (Marchenko & Pastur 1967), and tells y. Half of λ_max(M_B), at which no step lengthens the error, would be up to twice as
    /// much.
    func scale(batchSize: Int, exampleCount: Int) -> Double {
        // The strongest direction, which swings, contracts no slower than the slowest then.
        let least = max(0.6 * largest, (largest + slowest) / 2, 1e-12)
        guard batchSize < exampleCount else { return least }
        // A batch is part of a larger one, of whose mean it holds so much.
        let seen =
            batches.last { $0.size <= batchSize }?.mean
            ?? batches.first.map { $0.mean * Double($0.size) / Double(batchSize) }
            ?? largest * Double(exampleCount) / Double(batchSize)
        let root = max(0, seen.squareRoot() - 1)
        return max(least, 0.6 * (1 + root * root))
    }
}

extension Int {
    /// The smallest power of two that is not below a positive number.
    fileprivate var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
