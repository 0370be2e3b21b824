internal import Dispatch
internal import Foundation
internal import HTTP
internal import HTTPTypes
internal import JSON
internal import Logging
internal import Store

/// The interface over HTTP: routes to engine, engine to JSON.
///
/// Nothing computes or reads the store on the event loop: what computes goes through the gate, what only reads goes to a pool of its
/// own, so that catalogue and information stay quick while every compute worker is busy. Health needs neither.
struct API: Sendable {
    let engine: Engine
    let configuration: ServiceConfiguration
    let metrics: Metrics
    let gate: ComputeGate
    let deadlines = Deadlines()
    let decoders = WorkerPool<Errand>(label: "decode", workers: 2, capacity: 256)
    private let catalogue = WorkerPool<Errand>(label: "read", workers: 2, capacity: 256)
    private let clients: ClientLimit
    let lifecycle: Lifecycle
    let logger: Logger

    /// An interface to an engine.
    init(engine: Engine, configuration: ServiceConfiguration, lifecycle: Lifecycle, logger: Logger) {
        self.engine = engine
        self.configuration = configuration
        self.lifecycle = lifecycle
        self.logger = logger
        let metrics = Metrics(
            engine: engine.counters,
            build: ["version": Version.current, "swift": Toolchain.swift, "architecture": Toolchain.architecture])
        self.metrics = metrics
        clients = ClientLimit(maximum: configuration.maximumRequestsPerClient)
        let gate = ComputeGate(
            workers: configuration.jobs, capacity: configuration.queueLength, coalesced: metrics.coalesced
        ) { engine.answer($0) }
        self.gate = gate
        metrics.onScrape { readings in
            (readings.queueDepth, readings.jobsRunning) = (gate.load.waiting, gate.load.running)
            (readings.solutionCacheEntries, readings.solutionCacheBytes) = engine.solutions.size
            readings.heldMemoryBytes = engine.heldBytes
            readings.storeBytes = try? engine.store.sizeInBytes
        }
    }

    /// Renders what the HTTP layer refuses by itself.
    static func problem(_ status: HTTPResponse.Status, _ detail: String, _ target: String?) -> Response {
        Response(Problem(status, kind(of: status), detail), instance: target)
    }

    /// All routes.
    func router() -> Router {
        var router = Router(problem: Self.problem)
        for route in QueryRoute.allCases { compute(&router, route.rawValue) { answer(route, $0, $1) } }
        compute(
            &router, Self.spectrumPath, .get, offers: [MediaTypes.json, MediaTypes.svg], handle: answerSpectrum)
        read(&router, "/models", isTagged: true) { _ in try engine.modelsJSON() }
        read(&router, "/models/{model}", isTagged: true) { try engine.modelJSON($0.parameters["model"] ?? "") }
        read(&router, "/datasets", isTagged: true) { _ in try engine.datasetsJSON() }
        read(&router, "/datasets/{dataset}", isTagged: true) { try engine.datasetJSON($0.parameters["dataset"] ?? "") }
        read(&router, "/datasets/{dataset}/examples/{index}", isTagged: true) {
            try engine.exampleJSON($0.parameters["dataset"] ?? "", index: $0.parameters["index"] ?? "")
        }
        read(&router, "/info") { _ in try infoJSON() }
        let text = "text/plain"
        router.on(.get, "/metrics", admit: { head, _ in refusal(of: head, offers: [text]) }) { request, reply in
            submit(request, to: catalogue, reply) {
                .bytes(metrics.exposition(), type: ExpositionWriter.contentType)
            }
        }
        let document = OpenAPIDocument(configuration: configuration).json.serialized()
        router.on(.get, "/openapi.json", admit: { head, _ in refusal(of: head) }) { _, reply in reply(.json(document)) }
        let live = Response.json(JSON.object(["status": "live"]).serialized())
        router.on(.get, "/health/live") { _, reply in reply(live) }
        router.on(.get, "/health/ready") { request, reply in reply(readiness(request)) }
        return router
    }

    private func readiness(_ request: Request) -> Response {
        guard lifecycle.isReady else {
            return Response(
                Problem(.serviceUnavailable, "not-ready", "the service is starting or stopping", fields: [.retryAfter: "1"]),
                instance: request.target.raw)
        }
        return .json(JSON.object(["status": "ready"]).serialized())
    }

    /// A route that computes, through the gate.
    private func compute(
        _ router: inout Router, _ pattern: String, _ method: HTTPRequest.Method = .post, offers: [String] = [MediaTypes.json],
        handle: @escaping @Sendable (Request, @escaping @Sendable (Response) -> Void) -> Void
    ) {
        _ = metrics.route(pattern, hasQueue: true)
        router.on(method, pattern, admit: { admitCompute($0, $1, offers: offers) }, handle: handle)
    }

    /// A route that reads the store and no body. Where the answer is tagged, a client that has it already gets a 304.
    private func read(
        _ router: inout Router, _ pattern: String, isTagged: Bool = false, _ body: @escaping @Sendable (Request) throws -> JSON
    ) {
        router.on(.get, pattern, admit: { head, _ in refusal(of: head) }) { request, reply in
            submit(request, to: catalogue, reply) {
                var response = Response.json(try body(request).serialized())
                guard isTagged else { return response }
                // What a name stands for may change, with the store: a cache asks before it answers (RFC 9111 section 5.2.2.4).
                response.fields[.cacheControl] = "no-cache"
                return response.conditional(on: request.fields, method: request.method)
            }
        }
    }

    /// Answers from a pool, with what `body` makes of the request or what it throws.
    private func submit(
        _ request: Request, to pool: WorkerPool<Errand>, _ reply: @escaping @Sendable (Response) -> Void,
        _ body: @escaping @Sendable () throws -> Response
    ) {
        let isAdmitted = pool.submit {
            guard !request.cancellation.isCancelled else { return }
            do { reply(try body()) } catch { reply(response(to: error, request)) }
        }
        if !isAdmitted { reply(overloaded(request.head)) }
    }

    /// Refuses, before the body is read, what has a content we don't take, everything while the queue is full, and the client that has
    /// as many requests in progress as it may.
    private func admitCompute(_ head: RequestHead, _ context: (any ExchangeContext)?, offers: [String]) -> Response? {
        if let refusal = refusal(of: head, offers: offers) { return refusal }
        guard !gate.isFull else { return overloaded(head) }
        let visit = context as? Visit
        guard let permit = clients.admit(Client(key: visit?.keyName, peer: head.peer)) else {
            metrics.rejected.add(.clientLimit)
            return Response(
                Problem(
                    .tooManyRequests, "too-many-requests",
                    "this client has \(clients.maximum) requests in progress, the most it may; wait for one of them",
                    fields: [.retryAfter: "1"]), instance: head.target.raw)
        }
        visit?.hold(permit)
        return nil
    }

    private func refusal(of head: RequestHead, offers: [String] = [MediaTypes.json]) -> Response? {
        MediaTypes.refusal(of: head.fields, hasBody: head.hasBody, offers: offers).map { Response($0, instance: head.target.raw) }
    }

    func overloaded(_ head: RequestHead) -> Response {
        metrics.rejected.add(.queueFull)
        return Response(
            Problem(
                .serviceUnavailable, "overloaded", "every worker is busy and the queue is full; try again later",
                fields: [.retryAfter: "1"]), instance: head.target.raw)
    }

    /// Any error, as a problem document. What is not of the request's making is logged and told in general terms.
    func response(to error: any Error, _ request: Request, id: String? = nil) -> Response {
        let known = Problem(describing: error)
        if known == nil || known?.status == .internalServerError {
            let name = (request.context as? Visit)?.requestID.description ?? "-"
            logger.error(
                "request failed", metadata: ["request_id": "\(name)", "path": "\(request.target.raw)", "error": "\(error)"])
        }
        return Response(known ?? .internalError, instance: request.target.raw, id: id)
    }

    /// A word for programs for each status that the HTTP layer refuses with.
    private static func kind(of status: HTTPResponse.Status) -> String {
        status.reasonPhrase.lowercased().split(separator: " ").joined(separator: "-")
    }
}
