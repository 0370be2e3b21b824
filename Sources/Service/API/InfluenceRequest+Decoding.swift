public import JSON
internal import Networks

extension InfluenceRequest {
    private static let fields =
        [
            "id", "model", "checkpoint", "tests", "aggregate", "method", "compare", "measurement", "curvature", "damping",
            "damping_mode",
            "solver",
            "until",
            "gradients", "k", "candidates", "groups", "include", "deadline_ms",
        ] + Method.fields

    /// Reads a request.
    /// - Throws: every problem found.
    public init(_ json: JSON, limits: RequestLimits) throws(JSONIssues) {
        let reader = JSONReader(json)
        let object = reader.object(allowing: Self.fields)
        id = object?.requestID()
        model = object?.string("model") ?? ""
        checkpoint = object?.optionalString("checkpoint")
        tests = (object?.array("tests", count: 1...limits.maximumTests) ?? []).compactMap { Test($0) }
        aggregate = object?.choice("aggregate", default: .none) ?? .none
        (method, compared) = object.map { Method.read($0) } ?? (.standard, [])
        measurement = object?.choice("measurement", default: .loss) ?? .loss
        system = SystemRequest(object)
        until = object?.optionalObject("until").flatMap { Goal($0) }
        gradients = object?.gradients()
        k = object?.integer("k", default: Self.standardK, in: 1...limits.maximumK) ?? Self.standardK
        candidates = object?.optionalValue("candidates").flatMap { Candidates($0) }
        groups = object?.groups(limits) ?? []
        include = object?.optionalValue("include").map { $0.options(Include.names) } ?? .metadata
        deadlineMilliseconds = object?.deadline(limits)
        try reader.issues.check()
    }
}

/// How much a request may ask for.
public struct RequestLimits: Sendable, Equatable {
    /// Tests in one request.
    public var maximumTests: Int
    /// Examples at each end.
    public var maximumK: Int
    /// Groups in one request.
    public var maximumGroups: Int
    /// Slices of the training data in one request, and slices of tests.
    public var maximumSlices = 100
    /// Tests in all slices of one request.
    public var maximumSliceTests = 1_000
    /// The longest deadline a request may set itself.
    public var maximumDeadlineMilliseconds: Int
}

extension InfluenceRequest.Goal {
    /// Reads what is to be reached: one of two.
    init?(_ object: JSONObjectReader) {
        guard let object = object.optionalFields(["rank_stable", "relative_error"]) else { return nil }
        switch (object.has("rank_stable"), object.has("relative_error")) {
        case (true, false):
            guard let isWanted = object.bool("rank_stable") else { return nil }
            // Not to ask for it is to ask for nothing.
            guard isWanted else { return nil }
            self = .rankStable
        case (false, true):
            guard let error = object.number("relative_error", in: 1e-5...0.5) else { return nil }
            self = .relativeError(error)
        default:
            object.report("must have either rank_stable or relative_error")
            return nil
        }
    }
}

extension InfluenceRequest.Candidates {
    /// Reads which examples are scored: the nearest, or a set.
    init?(_ reader: JSONReader) {
        guard let object = reader.object(allowing: ["nearest_neighbors", "layer"] + ExampleSet.fields) else { return nil }
        let names = ExampleSet.fields.filter(object.has)
        switch (object.has("nearest_neighbors"), names.isEmpty) {
        case (true, true):
            guard let count = object.integer("nearest_neighbors", in: 1...Int(Int32.max)) else { return nil }
            self = .nearestNeighbors(count, FeatureLayer(object))
        case (false, false):
            if object.has("layer") { object.report("layer", "goes with nearest_neighbors; leave it out") }
            guard let set = ExampleSet(object) else { return nil }
            self = .these(set)
        default:
            reader.report("must have either nearest_neighbors, or indices or conditions: where, target or id")
            return nil
        }
    }
}

extension InfluenceRequest.Group {
    /// Reads a group.
    init?(_ reader: JSONReader) {
        guard let object = reader.object(allowing: ["name"] + ExampleSet.fields) else { return nil }
        let (name, members) = (object.string("name"), ExampleSet(object))
        guard let name, let members else { return nil }
        if name.isEmpty || name.unicodeScalars.count > 128 { object.report("name", "must be a string of 1 to 128 characters") }
        self.init(name: name, members: members)
    }
}

extension InfluenceRequest.Include {
    static let names: [(String, Self)] = [
        ("inputs", .inputs), ("metadata", .metadata), ("all_scores", .allScores), ("s_test", .sTest),
    ]
}
