internal import HTTP
internal import HTTPTypes
internal import JSON

// The spectrum of a checkpoint: a page that computes. Its address is all there is of the request.
extension API {
    static let spectrumPath = "/models/{model}/checkpoints/{checkpoint}/spectrum"

    func answerSpectrum(_ request: Request, _ reply: @escaping @Sendable (Response) -> Void) {
        let type = MediaTypes.choice(of: [MediaTypes.json, MediaTypes.svg], request.fields) ?? MediaTypes.json
        computing(request, metrics.route(Self.spectrumPath), as: type, reply) { _ in
            let question = try SpectrumRequest(
                model: request.parameters["model"] ?? "", checkpoint: request.parameters["checkpoint"] ?? "",
                parameters: request.target.queryItems.map { ($0.name, $0.value) }, limits: configuration.requestLimits)
            return (Question(question), question.deadlineMilliseconds)
        }
    }

    /// The page, or a 304 where the client has it: it stays the same as long as the checkpoint does.
    func response(with answer: SpectrumAnswer, as type: String, to request: Request) -> Response {
        var response =
            type == MediaTypes.svg
            ? Response.text(answer.svg, type: MediaTypes.svg) : Response.json(answer.json.serialized())
        // What a name stands for may change, with the store: a cache asks before it answers (RFC 9111 section 5.2.2.4).
        response.fields[.cacheControl] = "no-cache"
        response.fields[.vary] = "Accept"
        return response.conditional(on: request.fields, method: request.method)
    }
}
