internal import JSON

/// A route that takes a question and computes its answer. Over HTTP and on the command line it is the same.
public enum QueryRoute: String, CaseIterable, Sendable {
    case influence = "/influence"
    case parameters = "/influence/parameters"
    case slices = "/influence/slices"
    case selfInfluence = "/self-influence"
    case predict = "/predict"

    /// Reads a question, and how long it says that its answer may take.
    /// - Parameter standard: the deadline of those that set none, in milliseconds.
    /// - Throws: every problem found.
    func question(
        _ json: JSON, limits: RequestLimits, deadlineMilliseconds standard: Int
    ) throws(JSONIssues) -> (question: Question, deadlineMilliseconds: Int?) {
        switch self {
        case .influence:
            let request = try InfluenceRequest(json, limits: limits)
            return (Question(request, deadlineMilliseconds: standard), request.deadlineMilliseconds)
        case .parameters:
            let request = try ParametersRequest(json, limits: limits)
            return (Question(request), request.deadlineMilliseconds)
        case .slices:
            let request = try SlicesRequest(json, limits: limits)
            return (Question(request), request.scoring.deadlineMilliseconds)
        case .selfInfluence:
            let request = try SelfInfluenceRequest(json, limits: limits)
            return (Question(request), request.deadlineMilliseconds)
        case .predict: return (Question(try PredictRequest(json, limits: limits)), nil)
        }
    }
}
