internal import Dispatch
internal import Foundation
public import HTTP
public import HTTPTypes
internal import JSON
internal import LinearAlgebra
public import Logging
internal import Store
internal import Synchronization

/// The interface over HTTP: routes to engine, engine to JSON.
///
/// Nothing computes or reads the store on the event loop: what computes goes to the compute pool, what only reads goes to a pool
/// of its own, so that catalogue and information stay quick while every compute worker is busy. Health needs neither.
public struct API: Sendable {
    let engine: Engine
    let configuration: ServiceConfiguration
    let compute: ComputePool
    let decoders = ComputePool(workers: 2, capacity: 256)
    private let catalogue = ComputePool(workers: 2, capacity: 256)
    let lifecycle: Lifecycle
    let logger: Logger

    /// An interface to an engine.
    public init(engine: Engine, configuration: ServiceConfiguration, lifecycle: Lifecycle, logger: Logger) {
        self.engine = engine
        self.configuration = configuration
        self.lifecycle = lifecycle
        self.logger = logger
        compute = ComputePool(workers: configuration.jobs, capacity: configuration.queueLength)
    }

    /// Renders what the HTTP layer refuses by itself.
    public static func problem(_ status: HTTPResponse.Status, _ detail: String, _ target: String?) -> Response {
        Response(Problem(status, kind(of: status), detail), instance: target)
    }

    /// All routes.
    public func router() -> Router {
        var router = Router(problem: Self.problem)
        router.on(.post, "/influence", admit: admitCompute) { answerInfluence($0, $1) }
        router.on(.post, "/predict", admit: admitCompute) { answerPredict($0, $1) }
        read(&router, "/models") { _ in try engine.modelsJSON() }
        read(&router, "/models/{model}") { try engine.modelJSON($0.parameters["model"] ?? "") }
        read(&router, "/datasets") { _ in try engine.datasetsJSON() }
        read(&router, "/datasets/{dataset}") { try engine.datasetJSON($0.parameters["dataset"] ?? "") }
        read(&router, "/datasets/{dataset}/examples/{index}") {
            try engine.exampleJSON($0.parameters["dataset"] ?? "", index: $0.parameters["index"] ?? "")
        }
        read(&router, "/info") { _ in try infoJSON() }
        router.on(.get, "/health/live") { _, reply in reply(.json(JSON.object(["status": "live"]).serialized())) }
        router.on(.get, "/health/ready") { request, reply in reply(readiness(request)) }
        return router
    }

    private func readiness(_ request: Request) -> Response {
        guard lifecycle.isReady else {
            return Response(
                Problem(.serviceUnavailable, "not-ready", "the service is starting or stopping"), instance: request.target.raw)
        }
        return .json(JSON.object(["status": "ready"]).serialized())
    }

    /// A route that reads the store and no body.
    private func read(_ router: inout Router, _ pattern: String, _ body: @escaping @Sendable (Request) throws -> JSON) {
        router.on(.get, pattern, admit: { refusal(of: $0) }) { request, reply in
            let isAdmitted = catalogue.submit(deadline: .now() + .seconds(30)) { outcome in
                guard outcome == .run else { return reply(overloaded(request)) }
                do {
                    reply(.json(try body(request).serialized()))
                } catch {
                    reply(response(to: error, request))
                }
            }
            if !isAdmitted { reply(overloaded(request)) }
        }
    }

    /// Refuses, before the body is read, what has a content we don't take, and everything while the queue is full.
    private func admitCompute(_ head: RequestHead) -> Response? {
        if let refusal = refusal(of: head) { return refusal }
        return compute.isFull ? Response(Self.overload, instance: head.target.raw) : nil
    }

    private func refusal(of head: RequestHead) -> Response? {
        MediaTypes.refusal(of: head.fields, hasBody: head.hasBody).map { Response($0, instance: head.target.raw) }
    }

    func overloaded(_ request: Request) -> Response { Response(Self.overload, instance: request.target.raw) }

    private static let overload = Problem(
        .serviceUnavailable, "overloaded", "every worker is busy and the queue is full; try again later",
        fields: [.retryAfter: "1"])

    /// Any error, as a problem document. What is not of the request's making is logged and told in general terms.
    func response(to error: any Error, _ request: Request, id: String? = nil) -> Response {
        let known = Problem(describing: error)
        if known == nil || known?.status == .internalServerError {
            logger.error("request failed", metadata: ["path": "\(request.target.raw)", "error": "\(error)"])
        }
        return Response(known ?? .internalError, instance: request.target.raw, id: id)
    }

    /// A word for programs for each status that the HTTP layer refuses with.
    private static func kind(of status: HTTPResponse.Status) -> String {
        status.reasonPhrase.lowercased().split(separator: " ").joined(separator: "-")
    }
}

/// Whether the service takes requests: readers are health checks, the writer is whoever starts and stops it.
public final class Lifecycle: Sendable {
    private let ready = Atomic(false)

    /// Not ready.
    public init() {}

    /// Whether requests should be sent here.
    public var isReady: Bool {
        get { ready.load(ordering: .acquiring) }
        set { ready.store(newValue, ordering: .releasing) }
    }
}
