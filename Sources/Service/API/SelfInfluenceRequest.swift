public import JSON

/// A question for `POST /self-influence`: which training examples move themselves most.
public struct SelfInfluenceRequest: Hashable, Sendable {
    /// Comes back in the answer.
    public var id: String?
    /// The model's name.
    public var model: String
    /// The checkpoint's name; nil for the latest.
    public var checkpoint: String?
    /// How training examples are scored.
    public var method: InfluenceRequest.Method
    /// C + λI.
    public var curvature: CurvatureRequest
    /// Who solves for all training examples; nil for whoever suits.
    public var solver: InfluenceRequest.Solver?
    /// Which cache's gradients scores are of; nil for exact ones.
    public var gradients: String?
    /// Examples that are listed.
    public var k: Int
    /// What the answer carries.
    public var include: InfluenceRequest.Include
    /// When to give up; nil for the configuration's.
    public var deadlineMilliseconds: Int?

    static let fields =
        ["id", "model", "checkpoint", "method"] + InfluenceRequest.Method.fieldsForSelf + ["k", "include", "deadline_ms"]

    /// What answers may carry.
    static let included = InfluenceRequest.Include.names.filter { $0.1 != .sTest }

    /// Reads a request.
    /// - Throws: every problem found.
    public init(_ json: JSON, limits: RequestLimits) throws(JSONIssues) {
        let reader = JSONReader(json)
        let object = reader.object(allowing: Self.fields)
        id = object?.requestID()
        model = object?.string("model") ?? ""
        checkpoint = object?.optionalString("checkpoint")
        method = object.map { InfluenceRequest.Method.readForSelf($0) } ?? .standard
        curvature = CurvatureRequest(object)
        solver = object?.optionalObject("solver").flatMap { ExampleSolver.readForSelf($0) }
        gradients = object?.gradients()
        k = object?.integer("k", default: 10, in: 1...limits.maximumK) ?? 10
        include = object?.optionalValue("include").map { $0.options(Self.included) } ?? .metadata
        deadlineMilliseconds = object?.deadline(limits)
        try reader.issues.check()
    }
}

extension ExampleSolver {
    /// Reads a solver that is to serve all training examples, and says what would do where it can't.
    fileprivate static func readForSelf(_ object: JSONObjectReader) -> InfluenceRequest.Solver? {
        let names = kinds.map { $0.name }
        guard let name = object.members["name"]?.stringValue, InfluenceRequest.solvers.contains(name), !names.contains(name)
        else {
            return read(object)
        }
        object.report(
            "name",
            "must be a solver that serves all training examples: \(names.joined(separator: ", ")); \(name) solves for single tests. Leave solver "
                + "out for whichever suits")
        return nil
    }
}
