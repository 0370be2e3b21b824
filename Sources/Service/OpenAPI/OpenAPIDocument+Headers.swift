internal import JSON

extension OpenAPIDocument {
    /// A field of an answer, as the document's components know it.
    enum Header: String, CaseIterable, Sendable {
        case requestID = "X-Request-Id"
        case traceparent
        case serverTiming = "Server-Timing"
        case entityTag = "ETag"
        case retryAfter = "Retry-After"
        case allow = "Allow"
        case authenticate = "WWW-Authenticate"
        case accept = "Accept"
        case acceptEncoding = "Accept-Encoding"

        /// The fields that come with every answer.
        static let everywhere: [Header] = [.requestID, .traceparent]

        /// The header object. What is not required comes with some answers of its status only.
        var json: JSON {
            ["description": .string(text), "required": .bool(isRequired), "schema": schema.json]
        }

        private var isRequired: Bool {
            switch self {
            case .accept, .acceptEncoding, .serverTiming: false
            default: true
            }
        }

        private var text: String {
            switch self {
            case .requestID: "Names the request in the log."
            case .traceparent: "The trace the request belongs to (W3C Trace Context), with the service's own span."
            case .serverTiming: "Where the time went, in milliseconds (W3C Server Timing)."
            case .entityTag: "Names this version of the resource; send it back in If-None-Match."
            case .retryAfter: "Seconds after which to try again."
            case .allow: "The methods that the resource has."
            case .authenticate: "That a bearer token is wanted (RFC 6750 section 3)."
            case .accept: "The media type that requests have (RFC 9110 section 12.5.1), where another was sent."
            case .acceptEncoding: "The coding that requests have (RFC 9110 section 12.5.3), where another was sent."
            }
        }

        private var schema: Schema {
            switch self {
            case .traceparent: .string(pattern: "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
            case .entityTag: .string(pattern: "^\"[^\"]+\"$")
            case .retryAfter: .integer(in: 1 ... .max)
            case .authenticate: .string(pattern: "^Bearer")
            case .accept: .constant(.string(MediaTypes.json))
            case .acceptEncoding: .constant("identity")
            case .requestID, .serverTiming, .allow: .string(count: 1...1_000)
            }
        }
    }

    /// References to headers, for a response object.
    static func references(to headers: [Header]) -> JSON {
        .object(
            JSONObject(headers.map { ($0.rawValue, ["$ref": .string("#/components/headers/\($0.rawValue)")]) }))
    }
}
