public import HTTPTypes

/// A request that cannot be served as it stands: the status that says so, and what was wrong with it.
public struct ProtocolError: Error, Equatable, Sendable {
    /// The status to answer with.
    public let status: HTTPResponse.Status
    /// What was wrong and, where it helps, what would be right; a sentence for the client's author.
    public let detail: String

    /// A refusal with `status`, for the reason that `detail` gives.
    public init(_ status: HTTPResponse.Status, _ detail: String) {
        self.status = status
        self.detail = detail
    }

    /// A 400 for the reason that `detail` gives (RFC 9110 §15.5.1).
    static func malformed(_ detail: String) -> ProtocolError { ProtocolError(.badRequest, detail) }
}

/// Renders a refusal as a response: its status, what was wrong, and the request's target as it was written, where it could be read.
/// HTTP itself has no format for one; the service has.
public typealias ProblemRenderer = @Sendable (_ status: HTTPResponse.Status, _ detail: String, _ target: String?) -> Response
