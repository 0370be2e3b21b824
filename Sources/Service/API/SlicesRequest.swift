public import JSON
internal import Networks

/// A question for `POST /influence/slices`: how much slices of the training data help or harm slices of tests.
public struct SlicesRequest: Hashable, Sendable {
    /// A named set of examples.
    public struct Slice: Hashable, Sendable {
        /// What the answer calls it.
        public let name: String
        /// Its members.
        public let members: ExampleSet
        /// Its place in the request, for errors.
        public let pointer: JSONPointer
    }

    /// How training examples are scored, without the tests.
    public var scoring: InfluenceRequest
    /// At least one; they may overlap.
    public var trainingSlices: [Slice]
    /// What tests are of.
    public var dataset: String
    /// At least one; no test is in two.
    public var testSlices: [Slice]
    /// Whether the answer says how alike slices of tests are.
    public var isCorrelated: Bool
    /// How many tests there may be.
    let testLimit: Int

    static let fields =
        ["training_slices", "test_slices", "correlations"] + InfluenceRequest.scoringFields + InfluenceRequest.Method.fields

    /// Reads a request.
    /// - Throws: every problem found.
    public init(_ json: JSON, limits: RequestLimits) throws(JSONIssues) {
        let reader = JSONReader(json)
        let object = reader.object(allowing: Self.fields)
        scoring = InfluenceRequest(scoring: object, limits)
        trainingSlices = object?.value("training_slices", "an array of slices").map { Self.slices($0, limits) } ?? []
        let tests = object?.object("test_slices", allowing: ["dataset", "slices"])
        dataset = tests?.string("dataset") ?? ""
        testSlices = tests?.value("slices", "an array of slices").map { Self.slices($0, limits) } ?? []
        isCorrelated = object?.bool("correlations", default: true) ?? true
        testLimit = limits.maximumSliceTests
        try reader.issues.check()
    }

    private static func slices(_ reader: JSONReader, _ limits: RequestLimits) -> [Slice] {
        let slices = (reader.array(count: 1...limits.maximumSlices) ?? []).compactMap { reader in
            InfluenceRequest.Group(reader).map { Slice(name: $0.name, members: $0.members, pointer: reader.pointer) }
        }
        if Set(slices.map(\.name)).count < slices.count { reader.report("names a slice twice") }
        return slices
    }
}

extension InfluenceRequest {
    /// Members that say how training examples are scored, those of single methods aside.
    fileprivate static let scoringFields =
        ["id", "model", "checkpoint", "method"]
        + ([.measurement] + SystemRequest.fields + [.gradients] as [SharedMember]).map(\.rawValue) + ["deadline_ms"]

    /// Reads how training examples are scored: a request that is yet without tests.
    fileprivate init(scoring object: JSONObjectReader?, _ limits: RequestLimits) {
        id = object?.requestID()
        model = object?.string("model") ?? ""
        checkpoint = object?.optionalString("checkpoint")
        tests = []
        aggregate = .none
        (method, compared) = object.map { Method.read($0) } ?? (.standard, [])
        measurement = object?.choice("measurement", default: .loss) ?? .loss
        system = SystemRequest(object)
        until = nil
        gradients = object?.gradients()
        // Rankings aren't shown.
        k = 1
        candidates = nil
        groups = []
        include = .allScores
        deadlineMilliseconds = object?.deadline(limits)
    }
}
