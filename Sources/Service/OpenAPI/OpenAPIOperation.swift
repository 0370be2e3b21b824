internal import HTTPTypes
internal import JSON

/// One route, as the document describes it.
struct OpenAPIOperation: Sendable {
    /// A part of the path or the query, or a field of the request.
    struct Parameter: Sendable {
        enum Location: String, Sendable { case path, query, header }

        let name: String
        let location: Location
        let description: String
        let schema: Schema
        var example: JSON?

        var json: JSON {
            var members: JSONObject = [
                "name": .string(name), "in": .string(location.rawValue), "description": .string(description),
                "required": .bool(location == .path), "schema": schema.json,
            ]
            members["example"] = example
            return .object(members)
        }
    }

    /// What a route takes.
    struct Body: Sendable {
        let schema: String
        let examples: [RequestExample]
    }

    /// What a route gives when all is well.
    struct Answer: Sendable {
        let description: String
        var type = MediaTypes.json
        let schema: Schema
        /// Other forms it has, for those who ask for their media types.
        var alternatives: [(type: String, schema: Schema)] = []
        var headers: [OpenAPIDocument.Header] = []
    }

    let method: HTTPRequest.Method
    let path: String
    let id: String
    let tag: OpenAPIDocument.Tag
    let summary: String
    let description: String
    var parameters: [Parameter] = []
    var body: Body?
    let answer: Answer
    let refusals: [Refusal]
    /// Whether it is let in without a key whatever the configuration.
    var isPublic = false
    /// Whether it answers If-None-Match.
    var hasEntityTag = false

    /// The operation object.
    var json: JSON {
        var members: JSONObject = [
            "operationId": .string(id), "tags": [.string(tag.rawValue)], "summary": .string(summary),
            "description": .string(description), "security": isPublic ? [] : [[:], ["bearer": []]],
        ]
        let all = parameters + [Self.traceparent] + (hasEntityTag ? [Self.ifNoneMatch] : [])
        members["parameters"] = .array(all.map(\.json))
        if let body {
            let examples = body.examples.map { ($0.name, JSON.object(["summary": .string($0.summary), "value": $0.value])) }
            members["requestBody"] = [
                "required": true,
                "content": [
                    MediaTypes.json: ["schema": Schema.named(body.schema).json, "examples": .object(JSONObject(examples))]
                ],
            ]
        }
        members["responses"] = .object(responses)
        return .object(members)
    }

    private var responses: JSONObject {
        let headers = answer.headers + (hasEntityTag ? [.entityTag] : []) + OpenAPIDocument.Header.everywhere
        var responses: JSONObject = [
            "200": [
                "description": .string(answer.description), "headers": OpenAPIDocument.references(to: headers),
                "content": .object(
                    JSONObject(([(answer.type, answer.schema)] + answer.alternatives).map { ($0.0, ["schema": $0.1.json]) })),
            ]
        ]
        if hasEntityTag {
            responses["304"] = [
                "description": "The client's version is the current one (RFC 9110 section 15.4.5); there is no content.",
                "headers": OpenAPIDocument.references(to: [.entityTag] + OpenAPIDocument.Header.everywhere),
            ]
        }
        for refusal in refusals.sorted(by: { $0.status.code < $1.status.code }) {
            responses[String(refusal.status.code)] = refusal.reference
        }
        return responses
    }

    private static let traceparent = Parameter(
        name: "traceparent", location: .header,
        description: "The trace that the request belongs to (W3C Trace Context); what is not one is passed over.",
        schema: .string())

    private static let ifNoneMatch = Parameter(
        name: "If-None-Match", location: .header,
        description: "Entity tags that the client has, or `*`: if the current one is among them, the answer is 304.",
        schema: .string())
}
