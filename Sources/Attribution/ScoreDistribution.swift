public import LinearAlgebra

/// The largest of many scores, and how all of them are spread.
public struct ScoreDistribution: Sendable, Equatable {
    /// A score that so large a share of all scores does not exceed.
    public struct Quantile: Sendable, Equatable {
        /// The share.
        public let probability: Double
        /// Interpolated between the two scores nearest to it.
        public let value: Double
    }

    /// The shares whose quantiles are told: both ends, and what shows a long tail.
    public static let probabilities = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1]

    /// Indices of the largest, the largest first; of equals the lower index.
    public let largest: [Int]
    /// One for each of `probabilities`.
    ///
    /// With n scores in rising order, x₀ … xₙ₋₁, and h = (n − 1)p that of p is x_⌊h⌋ + (h − ⌊h⌋)(x_⌊h⌋₊₁ − x_⌊h⌋): type 7 of Hyndman & Fan
    /// 1996, "Sample quantiles in statistical packages", which R and NumPy take where nothing is said.
    public let quantiles: [Quantile]
    /// (1/n) Σ xᵢ, added up in the order of the examples.
    public let mean: Double

    /// Sorts scores, at most 2³² − 1; nil where there are none, or one is not finite. O(n).
    /// - Parameter count: how many of the largest are wanted.
    /// - Throws: `Interrupted`.
    public init?(of scores: [Double], largest count: Int, interruption: Interruption = .never) throws(Interrupted) {
        guard let ranks = try Ranks(scores, interruption: interruption), let lowest = ranks.order.first,
            let highest = ranks.order.last,
            scores[Int(lowest)].isFinite, scores[Int(highest)].isFinite
        else { return nil }
        var largest: [Int] = []
        var level = ranks.starts.count - 2
        while level >= 0, largest.count < count {
            let equals = ranks.order[Int(ranks.starts[level])..<Int(ranks.starts[level + 1])]
            largest += equals.prefix(count - largest.count).map { Int($0) }
            level -= 1
        }
        self.largest = largest
        quantiles = Self.probabilities.map { probability in
            let place = probability * Double(scores.count - 1)
            let below = Int(place)
            let (low, high) = (
                scores[Int(ranks.order[below])], scores[Int(ranks.order[min(below + 1, scores.count - 1)])]
            )
            return Quantile(probability: probability, value: low + (place - Double(below)) * (high - low))
        }
        var sum = 0.0
        var paced = PacedInterruption(interruption)
        for score in scores {
            try paced.check(after: 1)
            sum += score
        }
        mean = sum / Double(scores.count)
    }
}
