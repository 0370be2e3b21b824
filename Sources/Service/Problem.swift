public import HTTPTypes
public import JSON

/// What went wrong with a request, as its problem document says it (RFC 9457).
public struct Problem: Error, Sendable, Equatable {
    /// The HTTP status.
    public let status: HTTPResponse.Status
    /// The last part of the `type`, for programs: "unknown-model".
    public let kind: String
    /// What went wrong, for people, and what to change.
    public let detail: String
    /// What is wrong where in the request.
    public let errors: [JSONIssue]
    /// Fields the response carries beside its content: Allow, Retry-After.
    public let fields: HTTPFields

    /// A problem; `kind` is lower-case words joined by hyphens.
    public init(
        _ status: HTTPResponse.Status, _ kind: String, _ detail: String, errors: [JSONIssue] = [], fields: HTTPFields = [:]
    ) {
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.fields = fields
    }

    /// Valid JSON with a wrong meaning: 422 with every issue found.
    public init(_ issues: JSONIssues) {
        let more = issues.omitted > 0 ? " (and \(issues.omitted) more)" : ""
        self.init(
            .unprocessableContent, "invalid-request",
            issues.issues.count == 1
                ? issues.issues[0].description : "\(issues.issues.count) things are wrong with the request\(more); see errors",
            errors: issues.issues)
    }

    /// One thing wrong at one place of the request.
    public init(
        _ status: HTTPResponse.Status = .unprocessableContent, _ kind: String = "invalid-request", at pointer: String,
        _ detail: String
    ) {
        let issue = JSONIssue(pointer: pointer, detail: detail)
        self.init(status, kind, issue.description, errors: [issue])
    }

    /// The document. `instance` is the request's target.
    public func json(instance: String?, id: String?) -> JSON {
        var members: JSONObject = [
            "type": .string("urn:influenced:problem:\(kind)"), "title": .string(status.reasonPhrase),
            "status": .integer(status.code), "detail": .string(detail),
        ]
        if let instance { members["instance"] = .string(instance) }
        if let id { members["id"] = .string(id) }
        if !errors.isEmpty {
            members["errors"] = .array(
                errors.map { .object(["pointer": .string($0.pointer), "detail": .string($0.detail)]) })
        }
        return .object(members)
    }
}
