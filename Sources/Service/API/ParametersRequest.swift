public import JSON

/// A question for `POST /influence/parameters`: how θ would change if training examples were removed.
public struct ParametersRequest: Hashable, Sendable {
    /// What is removed: one example, or several at once.
    public struct Removal: Hashable, Sendable {
        /// What the answer calls it; nil for a single example.
        public let name: String?
        /// Rows of the training dataset.
        public let members: ExampleSet
        /// Its place in the request, for errors: of an example's index, or of a group.
        public let pointer: JSONPointer
    }

    /// What the answer carries beside norms and the largest entries.
    public struct Include: OptionSet, Hashable, Sendable {
        /// The bits.
        public let rawValue: Int

        /// A set of bits.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// −(C + λI)⁻¹g, whole.
        public static let influence = Include(rawValue: 1)
        /// The listed examples' metadata.
        public static let metadata = Include(rawValue: 2)

        static let names: [(String, Self)] = [("influence", .influence), ("metadata", .metadata)]
    }

    /// Comes back in the answer.
    public var id: String?
    /// The model's name.
    public var model: String
    /// The checkpoint's name; nil for the latest.
    public var checkpoint: String?
    /// At least one: examples first, groups after them.
    public var removals: [Removal]
    /// What is solved.
    public var system: SystemRequest
    /// Entries that are listed of each tensor.
    public var k: Int
    /// What the answer carries.
    public var include: Include
    /// When to give up; nil for the configuration's.
    public var deadlineMilliseconds: Int?

    static let fields =
        ["id", "model", "checkpoint", "examples", "groups"] + SystemRequest.fields.map(\.rawValue) + [
            "k", "include", "deadline_ms",
        ]

    /// Reads a request.
    /// - Throws: every problem found.
    public init(_ json: JSON, limits: RequestLimits) throws(JSONIssues) {
        let reader = JSONReader(json)
        let object = reader.object(allowing: Self.fields)
        id = object?.requestID()
        model = object?.string("model") ?? ""
        checkpoint = object?.optionalString("checkpoint")
        let examples = object?.optionalValue("examples")?.integers(count: 1...limits.maximumTests, in: 0...Int(Int32.max)) ?? []
        let groups = object?.groups(limits) ?? []
        removals =
            examples.enumerated().map {
                Removal(name: nil, members: .indices([$1]), pointer: JSONPointer.root.appending("examples").appending($0))
            }
            + groups.enumerated().map {
                Removal(name: $1.name, members: $1.members, pointer: JSONPointer.root.appending("groups").appending($0))
            }
        if let object, !object.has("examples"), !object.has("groups") {
            object.report("must have examples, groups, or both: what is removed")
        }
        system = SystemRequest(object)
        k = object?.integer("k", default: 10, in: 1...limits.maximumK) ?? 10
        include = object?.optionalValue("include").map { $0.options(Include.names) } ?? .metadata
        deadlineMilliseconds = object?.deadline(limits)
        try reader.issues.check()
    }
}
