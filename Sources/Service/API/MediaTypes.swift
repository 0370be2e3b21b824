internal import HTTP
internal import HTTPTypes
internal import JSON

/// What requests may carry and ask for: JSON both ways (RFC 9110 sections 8.3, 8.4 and 12.5.1).
enum MediaTypes {
    static let json = "application/json"
    static let problem = "application/problem+json"

    /// Why a request's content or the answer it wants is not ours to deal in; nil if it is.
    static func refusal(of fields: HTTPFields, hasBody: Bool) -> Problem? {
        if hasBody, let type = fields[.contentType], !isJSON(type) {
            return Problem(
                .unsupportedMediaType, "unsupported-media-type", "the body must be application/json; Content-Type says \(type)",
                fields: [.accept: json])
        }
        if hasBody, let coding = fields[.contentEncoding], coding.lowercased() != "identity" {
            return Problem(
                .unsupportedMediaType, "unsupported-content-encoding",
                "the body must not be encoded; Content-Encoding says \(coding)", fields: [.acceptEncoding: "identity"])
        }
        let accepted = fields[values: .accept]
        if !accepted.isEmpty, !accepted.contains(where: acceptsJSON) {
            return Problem(
                .notAcceptable, "not-acceptable",
                "answers are application/json; Accept asks for \(accepted.joined(separator: ", "))")
        }
        return nil
    }

    private static func isJSON(_ value: String) -> Bool {
        let parts = parameters(of: value)
        guard parts.first == json else { return false }
        // RFC 8259 section 8.1: JSON is UTF-8, and there is no other.
        return parts.dropFirst().allSatisfy { !$0.hasPrefix("charset=") || $0 == "charset=utf-8" || $0 == "charset=\"utf-8\"" }
    }

    /// Whether one Accept field has a range that JSON is in, with a weight above zero.
    private static func acceptsJSON(_ field: String) -> Bool {
        field.split(separator: ",").contains { range in
            let parts = parameters(of: String(range))
            guard let type = parts.first, ["*/*", "application/*", json, "application/*+json"].contains(type) else {
                return false
            }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            return weight > 0
        }
    }

    private static func parameters(of value: String) -> [String] {
        value.lowercased().split(separator: ";").map { part in
            String(part.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        }
    }
}

extension Response {
    /// A JSON answer.
    static func json(_ bytes: [UInt8]) -> Response { .bytes(bytes, type: MediaTypes.json) }

    /// A problem document.
    init(_ problem: Problem, instance: String?, id: String? = nil) {
        self = .bytes(
            problem.json(instance: instance, id: id).serialized(), type: MediaTypes.problem, status: problem.status,
            fields: problem.fields)
    }
}
