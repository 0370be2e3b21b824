internal import HTTPTypes
internal import JSON

/// How requests are refused: each status with what it means here and the fields that come with it.
struct Refusal: Sendable {
    let status: HTTPResponse.Status
    let meaning: String
    var headers: [OpenAPIDocument.Header] = []

    /// What the document's components call it: "NotFound".
    var name: String { status.reasonPhrase.filter { $0.isLetter } }

    /// A reference to it among the document's components.
    var reference: JSON { ["$ref": .string("#/components/responses/\(name)")] }

    /// The response object.
    var json: JSON {
        let schema = Schema.allOf([.named("Problem"), .object(["status": .constant(.integer(status.code))], isOpen: true)])
        return [
            "description": .string(meaning),
            "headers": OpenAPIDocument.references(to: headers + OpenAPIDocument.Header.everywhere),
            "content": [MediaTypes.problem: ["schema": schema.json]],
        ]
    }
}

extension OpenAPIDocument {
    /// What the server refuses before any route is asked, and what befalls any of them.
    var protocolRefusals: [Refusal] {
        [
            Refusal(status: .badRequest, meaning: "The request is not HTTP as RFC 9112 has it, or its body is not JSON."),
            Refusal(status: .methodNotAllowed, meaning: "The resource has no such method.", headers: [.allow]),
            Refusal(status: .requestTimeout, meaning: "The request took too long to arrive."),
            Refusal(
                status: .contentTooLarge, meaning: "The body is larger than \(configuration.maximumBodyBytes) bytes."),
            Refusal(status: .uriTooLong, meaning: "The request target is too long."),
            Refusal(status: .expectationFailed, meaning: "Expect asks for something else than 100-continue."),
            Refusal(
                status: .requestHeaderFieldsTooLarge, meaning: "A field, or all of them together, are too large or too many."),
            Refusal(status: .internalServerError, meaning: "The service failed; its log says why."),
            Refusal(status: .notImplemented, meaning: "The method, or the transfer coding of the body, is not implemented."),
            Refusal(status: .httpVersionNotSupported, meaning: "The request is of a version of HTTP other than 1.0 and 1.1."),
        ]
    }

    /// What is refused wherever keys and media types count: everywhere but at health.
    var accessRefusals: [Refusal] {
        [
            Refusal(
                status: .unauthorized, meaning: "The service is configured with API keys, and none of them came.",
                headers: [.authenticate]),
            Refusal(status: .notAcceptable, meaning: "Accept rules out the media type of the answer."),
            Refusal(
                status: .unsupportedMediaType, meaning: "The body is not application/json, or is encoded.",
                headers: [.accept, .acceptEncoding]),
            Self.unavailable,
        ]
    }

    /// What is refused where there is a body to understand and something to compute.
    var computeRefusals: [Refusal] {
        [
            Self.notFound,
            Refusal(status: .lengthRequired, meaning: "The request has neither Content-Length nor Transfer-Encoding."),
            Refusal(
                status: .unprocessableContent,
                meaning: "The request is well-formed, but means nothing that can be computed; errors says what is wrong where."),
            Refusal(status: .tooManyRequests, meaning: "This client has too many requests in the works.", headers: [.retryAfter]),
            Refusal(status: .gatewayTimeout, meaning: "The answer was not ready before the deadline."),
        ]
    }

    /// Every refusal there is; the routes that compute know them all.
    var refusals: [Refusal] { protocolRefusals + accessRefusals + computeRefusals }

    static let unavailable = Refusal(
        status: .serviceUnavailable,
        meaning: "Every worker is busy and the queue is full, or the service is starting or stopping.", headers: [.retryAfter])

    static let notFound = Refusal(
        status: .notFound, meaning: "The store has no such model, checkpoint, dataset or row.")
}
