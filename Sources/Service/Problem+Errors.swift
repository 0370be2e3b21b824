internal import HTTPTypes
internal import InverseCurvature
internal import JSON
internal import LinearAlgebra

extension Problem {
    /// An error that is of the request's making, in the request's terms; nil for any other.
    init?(describing error: any Error) {
        switch error {
        case let known as Problem: self = known
        case let issues as JSONIssues: self.init(issues)
        case let syntax as JSONSyntaxError: self.init(.badRequest, "malformed-json", "the body is not JSON: \(syntax)")
        case let unsolved as SolverError: self.init(unsolved)
        case is Interrupted:
            self.init(
                .gatewayTimeout, "deadline-exceeded", "the answer was not ready in time; raise deadline_ms, or ask for less")
        default: return nil
        }
    }

    /// What went wrong on our side, told in general terms: the log has the particulars.
    static let internalError = Problem(
        .internalServerError, "internal-error", "the service failed to answer; its log says why")
}
