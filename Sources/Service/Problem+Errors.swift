internal import HTTPTypes
internal import JSON
internal import LinearAlgebra

extension Problem {
    /// Any error, in the terms of a request.
    init(describing error: any Error) {
        switch error {
        case let known as Problem: self = known
        case let issues as JSONIssues: self.init(issues)
        case let syntax as JSONSyntaxError: self.init(.badRequest, "malformed-json", "the body is not JSON: \(syntax)")
        case is Interrupted:
            self.init(
                .gatewayTimeout, "deadline-exceeded", "the answer was not ready in time; raise deadline_ms, or ask for less")
        default:
            self.init(.internalServerError, "internal-error", "the service failed to answer; its log says why")
        }
    }
}
