public import HTTP
internal import HTTPTypes
internal import Logging

/// What every request passes on its way in and every answer on its way out: names, keys, origins, counts and the log. What is asked is
/// the router's business.
public struct FrontDoor: RequestHandler {
    private let router: Router
    private let metrics: Metrics
    /// What is counted of each route, by its index in the router's.
    private let routes: [RouteMetrics]
    /// The indices of the routes that health checks and metrics ask for again and again.
    private let quietRoutes: Set<Int>
    /// The indices of the routes that need no key.
    private let publicRoutes: Set<Int>
    private let keys: APIKeys?
    private let cors: CORSPolicy
    private let logger: Logger
    private let accessLog: AccessLog

    /// - Parameter keys: who may come in; nil for everybody.
    init(router: Router, metrics: Metrics, keys: APIKeys?, cors: CORSPolicy, logger: Logger) {
        self.router = router
        self.metrics = metrics
        self.keys = keys
        self.cors = cors
        self.logger = logger
        accessLog = AccessLog(logger)
        routes = router.routes.map { metrics.route($0.pattern) }
        func indices(_ isMeant: (String) -> Bool) -> Set<Int> {
            Set(router.routes.indices.filter { isMeant(router.routes[$0].pattern) })
        }
        publicRoutes = indices { $0.hasPrefix("/health/") }
        quietRoutes = indices { $0.hasPrefix("/health/") || $0 == "/metrics" }
    }

    /// Gives a request its names.
    public func begin(_ head: RequestHead) -> (any ExchangeContext)? {
        Visit(
            requestID: RequestIdentifier(of: head.fields), trace: TraceContext(continuing: head.fields),
            route: router.route(of: head))
    }

    /// Refuses whoever has no key, and what the router refuses.
    public func admit(_ head: RequestHead, _ context: (any ExchangeContext)?) -> Response? {
        let visit = context as? Visit
        // A browser asks without credentials whether it may send them (Fetch, CORS-preflight), and the answer tells nothing else.
        if let keys, head.method != .options, !isPublic(visit) {
            let verdict = keys.check(head.fields)
            if case .granted(let name) = verdict {
                visit?.keyName = name
            } else {
                metrics.rejected.add(.unauthorized)
                return Response(Problem(verdict), instance: head.target.raw)
            }
        }
        return router.admit(head, context)
    }

    private func isPublic(_ visit: Visit?) -> Bool { visit?.route.map(publicRoutes.contains) ?? false }

    /// Has the router answer.
    public func handle(_ request: Request, reply: @escaping @Sendable (Response) -> Void) {
        router.handle(request, reply: reply)
    }

    /// Adds what every answer has: the request's names, where its time went, and which pages may read it.
    public func complete(_ response: inout Response, head: RequestHead?, context: (any ExchangeContext)?) {
        let visit = context as? Visit
        response.fields[RequestIdentifier.fieldName] = (visit?.requestID ?? RequestIdentifier()).description
        response.fields[Self.traceparent] = (visit?.trace ?? TraceContext()).description
        if let timing = visit.flatMap({ ServerTiming.value($0.timings) }) { response.fields[ServerTiming.fieldName] = timing }
        cors.amend(&response, method: head?.method ?? .get, fields: head?.fields ?? [:])
    }

    /// Counts and logs an exchange.
    public func ended(_ record: ExchangeRecord) {
        let visit = record.context as? Visit
        // Before the next request of the same client is looked at: that comes to the same loop later.
        visit?.letGo()
        let seconds = record.duration / .seconds(1)
        if let status = record.status {
            let route = visit?.route.map { routes[$0] } ?? metrics.unmatchedRoute
            // The method of what was no request is not known, and is counted among the others.
            route.answered(record.head?.method ?? Self.noMethod, status: status, seconds: seconds)
            if record.head == nil { metrics.rejected.add(.protocolError) }
        } else {
            metrics.cancelled.add()
        }
        guard logger.logLevel <= (visit?.route.map(quietRoutes.contains) == true ? .debug : .info) else { return }
        log(record, visit, milliseconds: seconds * 1_000)
    }

    /// In lower case, as W3C Trace Context section 3.2.1 has it.
    private static let traceparent = HTTPField.Name("traceparent")!
    private static let noMethod = HTTPRequest.Method("-")!

    private func log(_ record: ExchangeRecord, _ visit: Visit?, milliseconds: Double) {
        let id = visit?.requestID ?? record.fields[RequestIdentifier.fieldName].flatMap { RequestIdentifier($0) }
        accessLog.write(
            AccessRecord(
                requestID: id ?? RequestIdentifier(), trace: visit?.trace, peer: record.peer, keyName: visit?.keyName,
                method: record.head?.method.rawValue ?? "-", path: record.head?.target.raw ?? "-",
                route: visit?.route.map { router.routes[$0].pattern } ?? Metrics.unmatched,
                // What nginx writes where the client closed before the answer.
                status: record.status?.code ?? 499, receivedBytes: record.receivedBytes, sentBytes: record.contentBytes,
                durationMilliseconds: milliseconds,
                queueMilliseconds: visit?.timings.first { $0.name == "queue" }?.milliseconds,
                userAgent: record.head?.fields[.userAgent]))
    }
}

extension Problem {
    /// The refusal of a request without a key (RFC 9110 section 15.5.2, RFC 6750 section 3).
    init(_ verdict: APIKeys.Verdict) {
        self.init(
            .unauthorized, "unauthorized",
            verdict == .missing
                ? "this needs a key: send Authorization: Bearer KEY" : "this key is not one of those that are valid here",
            fields: verdict.challenge.map { [.wwwAuthenticate: $0] } ?? [:])
    }
}
