public import Networks

/// A question for `POST /influence`, decoded; see the interface for what each field means.
public struct InfluenceRequest: Hashable, Sendable {
    /// What is given as a test.
    public struct Test: Hashable, Sendable {
        /// Where its input comes from.
        public enum Source: Hashable, Sendable {
            /// A row of a dataset.
            case example(dataset: String, index: Int)
            /// Features, with the shape they were given in.
            case input(values: [Float], shape: [Int])
            /// ∇ℓ itself, in θ, or in the space of the cache that is named.
            case gradient([Float])
        }

        /// Where its input comes from.
        public let source: Source
        /// The label or value it is judged by; nil for the dataset's, or the predicted label.
        public let target: Double?
        /// Another label, against which the target is asked about; nil for none.
        public let versus: Double?
        /// Its place in the request, for errors.
        public let pointer: String
    }

    /// How several tests become one answer.
    public enum Aggregate: String, Sendable, CaseIterable { case none, sum, mean }

    /// What C is.
    public enum Curvature: String, Sendable, CaseIterable {
        case hessian
        case gaussNewton = "gauss_newton"
        case empiricalFisher = "empirical_fisher"
    }

    /// What λ's damping is measured in.
    public enum DampingMode: String, Sendable, CaseIterable { case absolute, relative }

    /// What an answer has to reach, for which rounds are added.
    public enum Goal: Hashable, Sendable {
        /// The k-th and the next score differ by more than two standard errors at both ends.
        case rankStable
        /// s_test is as near to the exact one as this, as far as can be estimated.
        case relativeError(Double)
    }

    /// Which training examples are scored.
    public enum Candidates: Hashable, Sendable {
        /// So many that are nearest to each test by the features of a layer.
        case nearestNeighbors(Int, FeatureLayer)
        /// These.
        case these(ExampleSet)
    }

    /// A named set of training examples.
    public struct Group: Hashable, Sendable {
        /// What the answer calls it.
        public let name: String
        /// Its members.
        public let members: ExampleSet
    }

    /// What the answer carries beside indices and scores.
    public struct Include: OptionSet, Hashable, Sendable {
        /// The bits.
        public let rawValue: Int

        /// A set of bits.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// The listed examples' features.
        public static let inputs = Include(rawValue: 1)
        /// The listed examples' metadata.
        public static let metadata = Include(rawValue: 2)
        /// Every scored example's score.
        public static let allScores = Include(rawValue: 4)
        /// The s_test vector.
        public static let sTest = Include(rawValue: 8)
    }

    /// Comes back in the answer.
    public var id: String?
    /// The model's name.
    public var model: String
    /// The checkpoint's name; nil for the latest.
    public var checkpoint: String?
    /// At least one.
    public var tests: [Test]
    /// How they become one answer, if they do.
    public var aggregate: Aggregate
    /// How training examples are scored.
    public var method: Method
    /// The methods that are compared; none where there is one alone.
    public var compared: [Method]
    /// What of the tests' outputs is asked about.
    public var measurement: OutputMeasurement
    /// What is solved, by methods that solve.
    public var system: SystemRequest
    /// What to go on for; nil for what the solver stops at by itself.
    public var until: Goal?
    /// Which cache's gradients training examples are scored by; nil for exact ones.
    public var gradients: String?
    /// Examples at each end.
    public var k: Int
    /// How many those are where a request does not say.
    static let standardK = 10
    /// What is scored; nil for all.
    public var candidates: Candidates?
    /// Sets that are also scored as wholes.
    public var groups: [Group]
    /// What the answer carries.
    public var include: Include
    /// When to give up; nil for the configuration's.
    public var deadlineMilliseconds: Int?
}
