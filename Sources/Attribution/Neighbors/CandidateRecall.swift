/// How many of the most influential examples are among the nearest: FastIF's R@m (Guo et al. 2021, section 5.2 and appendix B.1),
///
///     R@k = |{m nearest} ∩ {k most influential}| / |{k most influential}|,
///
/// over a sample of tests whose training examples were all scored. (The paper's m is our k, which a query calls k too.)
public struct CandidateRecall: Sendable, Equatable {
    /// m: candidates of each test.
    public let neighborCount: Int
    /// k: examples of each ranking.
    public let k: Int
    /// n: what a random choice would find is m / n of them.
    public let trainingCount: Int
    /// Of the k strongest proponents, opponents, and examples of either sign by |score| (the paper's "unsigned influence").
    public let proponents, opponents, both: Share

    /// A share over a sample of tests.
    public struct Share: Sendable, Equatable {
        /// Tests that have any such examples: the others say nothing.
        public let testCount: Int
        /// The mean of their shares, 0 to 1; 0 where there are none.
        public let mean: Double
        /// The standard deviation of their shares, over n − 1; 0 for fewer than two.
        public let standardDeviation: Double

        /// A share as it was found.
        public init(testCount: Int, mean: Double, standardDeviation: Double) {
            self.testCount = testCount
            self.mean = mean
            self.standardDeviation = standardDeviation
        }
    }

    /// A recall as it was found.
    public init(
        neighborCount: Int, k: Int, trainingCount: Int, proponents: Share, opponents: Share, both: Share
    ) {
        self.neighborCount = neighborCount
        self.k = k
        self.trainingCount = trainingCount
        self.proponents = proponents
        self.opponents = opponents
        self.both = both
    }

    /// The share that as many candidates would have if they were drawn at random: m / n.
    public var byChance: Double { trainingCount == 0 ? 0 : Double(min(neighborCount, trainingCount)) / Double(trainingCount) }
}
