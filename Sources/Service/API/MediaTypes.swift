internal import HTTP
internal import HTTPTypes
internal import JSON

/// What requests may carry and ask for: JSON both ways, and here and there something else beside it (RFC 9110 sections 8.3, 8.4 and
/// 12.5.1).
enum MediaTypes {
    static let json = "application/json"
    static let problem = "application/problem+json"
    static let svg = "image/svg+xml"

    /// Why a request's content or the answer it wants is not ours to deal in; nil if it is.
    /// - Parameter offers: the types that answers may have.
    static func refusal(of fields: HTTPFields, hasBody: Bool, offers: [String] = [json]) -> Problem? {
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
        guard choice(of: offers, fields) == nil else { return nil }
        return Problem(
            .notAcceptable, "not-acceptable",
            "answers are \(offers.joined(separator: " or ")); Accept asks for \(fields[values: .accept].joined(separator: ", "))")
    }

    /// The type among `offers` that Accept gives the most weight, the first of equals; nil where it wants none of them.
    static func choice(of offers: [String], _ fields: HTTPFields) -> String? {
        let accepted = fields[values: .accept]
        guard !accepted.isEmpty else { return offers.first }
        let weights = offers.map { weight(of: $0, accepted) }
        guard let most = weights.max(), most > 0 else { return nil }
        return zip(offers, weights).first { $0.1 == most }?.0
    }

    private static func isJSON(_ value: String) -> Bool {
        let parts = parameters(of: value)
        guard parts.first == json else { return false }
        // RFC 8259 section 8.1: JSON is UTF-8, and there is no other.
        return parts.dropFirst().allSatisfy { !$0.hasPrefix("charset=") || $0 == "charset=utf-8" || $0 == "charset=\"utf-8\"" }
    }

    /// The weight of a type: that of the most specific range it is in (RFC 9110 section 12.5.1), the largest where one is named twice.
    private static func weight(of type: String, _ fields: [String]) -> Double {
        let ranges = [type, type.prefix { $0 != "/" } + "/*", "*/*"]
        let offers = fields.flatMap { $0.split(separator: ",") }.map { parameters(of: String($0)) }
        for range in ranges {
            let matching = offers.filter { $0.first == range }
            guard !matching.isEmpty else { continue }
            return matching.reduce(0) { most, parts in
                max(most, parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1)
            }
        }
        return 0
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
