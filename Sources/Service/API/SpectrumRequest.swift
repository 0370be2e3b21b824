public import JSON

/// A question for `GET /models/{model}/checkpoints/{checkpoint}/spectrum`: names from the path, the rest from the query.
public struct SpectrumRequest: Hashable, Sendable {
    /// The model's name.
    public var model: String
    /// The checkpoint's name; nil for the latest.
    public var checkpoint: String?
    /// C, and the λ with which it is asked whether it is positive definite.
    public var curvature: CurvatureRequest
    /// How many of the largest eigenvalues.
    public var k: Int
    /// When to give up; nil for the configuration's.
    public var deadlineMilliseconds: Int?

    /// What `k` may be.
    public static let counts = 1...50
    /// Parameters of the query, those that are numbers apart.
    static let words = ["curvature", "damping_mode"], numbers = ["k", "damping", "deadline_ms"]

    /// Reads a request.
    /// - Parameter parameters: those of the query, in their order.
    /// - Throws: every problem found, each at the name of its parameter.
    public init(
        model: String, checkpoint: String?, parameters: [(name: String, value: String)], limits: RequestLimits
    ) throws(JSONIssues) {
        self.model = model
        self.checkpoint = checkpoint
        // Read as the members of a request's body are: the same names, bounds and words of refusal.
        let reader = JSONReader(.object(JSONObject(parameters.map { ($0.name, Self.value(of: $0)) })))
        let object = reader.object(allowing: Self.words + Self.numbers)
        for name in Set(parameters.map(\.name)).sorted() where parameters.count(where: { $0.name == name }) > 1 {
            object?.report(name, "must be given once")
        }
        curvature = CurvatureRequest(object)
        k = object?.integer("k", default: 10, in: Self.counts) ?? 10
        deadlineMilliseconds = object?.deadline(limits)
        try reader.issues.check()
    }

    /// What a parameter's text stands for: a number where one is expected and it is one.
    private static func value(of parameter: (name: String, value: String)) -> JSON {
        guard numbers.contains(parameter.name), let json = try? JSON(parsing: Array(parameter.value.utf8)),
            json.doubleValue != nil
        else { return .string(parameter.value) }
        return json
    }
}
