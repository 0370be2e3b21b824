public import JSON

/// A question for `POST /predict`.
public struct PredictRequest: Hashable, Sendable {
    /// Comes back in the answer.
    public var id: String?
    /// The model's name.
    public var model: String
    /// The checkpoint's name; nil for the latest.
    public var checkpoint: String?
    /// What to predict; none is a gradient.
    public var tests: [InfluenceRequest.Test]

    /// Reads a request.
    /// - Throws: every problem found.
    public init(_ json: JSON, limits: RequestLimits) throws(JSONIssues) {
        let reader = JSONReader(json)
        let object = reader.object(allowing: ["id", "model", "checkpoint", "tests"])
        id = object?.requestID()
        model = object?.string("model") ?? ""
        checkpoint = object?.optionalString("checkpoint")
        tests = (object?.array("tests", count: 1...limits.maximumTests) ?? []).compactMap { reader in
            guard let test = InfluenceRequest.Test(reader) else { return nil }
            if case .gradient = test.source {
                reader.report("must have dataset (with index) or input: a gradient predicts nothing")
            }
            if test.versus != nil {
                reader.issues.report(reader.pointer.appending("versus"), "has no meaning for predictions; leave it out")
            }
            return test
        }
        try reader.issues.check()
    }
}
