/// The scores of all pairs of a training example of one slice and a test of another: a cell of FastIF's table 5 (Guo et al. 2021).
public struct SliceStatistics: Sendable, Equatable {
    /// Scores that were counted: training examples × tests.
    public internal(set) var pairs = 0
    /// Of them those above zero, where the training example helped, those below, where it harmed, and those of zero. A score that is no
    /// number is none of the three.
    public internal(set) var helpful = 0, harmful = 0, zero = 0
    /// Σ of the scores above zero, and of those below.
    public internal(set) var helpfulSum = 0.0, harmfulSum = 0.0

    /// Σ score. For a training slice and one test it is the effect of the slice as a group, to first order (Koh et al. 2019, section 2).
    public var sum: Double { isDefined ? helpfulSum + harmfulSum : .nan }
    /// Σ |score|.
    public var absoluteSum: Double { isDefined ? helpfulSum - harmfulSum : .nan }
    /// The mean score; nil where there are no pairs, or scores are not finite.
    public var mean: Double? { Self.mean(sum, of: pairs) }
    /// The mean |score|; nil as above.
    public var meanAbsolute: Double? { Self.mean(absoluteSum, of: pairs) }
    /// The mean |score| of what helped, as the table has it; nil where nothing did.
    public var meanHelpful: Double? { Self.mean(helpfulSum, of: helpful) }
    /// The mean |score| of what harmed; nil where nothing did.
    public var meanHarmful: Double? { Self.mean(-harmfulSum, of: harmful) }

    /// Whether all scores were numbers.
    private var isDefined: Bool { helpful + harmful + zero == pairs }

    private static func mean(_ sum: Double, of count: Int) -> Double? {
        count > 0 && sum.isFinite ? sum / Double(count) : nil
    }

    /// Adds some scores of one test, in the order of the examples.
    mutating func add(_ scores: UnsafeBufferPointer<Float>, of examples: [UInt32]) {
        // Summed for itself first: a short sum is nearer to the truth, and the sum of sums is too.
        var some = SliceStatistics()
        for example in examples {
            let score = scores[Int(example)]
            some.pairs += 1
            some.helpful += score > 0 ? 1 : 0
            some.harmful += score < 0 ? 1 : 0
            some.zero += score == 0 ? 1 : 0
            some.helpfulSum += score > 0 ? Double(score) : 0
            some.harmfulSum += score < 0 ? Double(score) : 0
        }
        pairs += some.pairs
        helpful += some.helpful
        harmful += some.harmful
        zero += some.zero
        helpfulSum += some.helpfulSum
        harmfulSum += some.harmfulSum
    }
}

/// How alike two slices of tests see the training data: a cell of FastIF's table 6.
public struct SliceCorrelation: Sendable, Equatable {
    /// Of the mean scores of all training examples, each over the tests of one slice: Spearman's ρ and Kendall's τ-b. Nil where one
    /// slice tells no examples apart, has no tests, or has scores that are no numbers.
    public let spearman, kendall: Double?
}
