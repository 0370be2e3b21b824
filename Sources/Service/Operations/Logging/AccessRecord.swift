internal import Logging

/// What the access log says of one request.
struct AccessRecord: Equatable, Sendable {
    /// The request's name.
    var requestID: RequestIdentifier
    /// The trace that it belongs to, and our span in it.
    var trace: TraceContext?
    /// The client's address and port.
    var peer: String
    /// The name of its API key.
    var keyName: String?
    /// Its method.
    var method: String
    /// Path and query as they were written. Nothing in our queries is secret.
    var path: String
    /// The pattern of its route.
    var route: String
    /// The status of the answer.
    var status: Int
    /// Octets of the request's body.
    var receivedBytes: Int
    /// Octets of the answer's body.
    var sentBytes: Int
    /// From the request to the end of the answer.
    var durationMilliseconds: Double
    /// How long it waited for a worker, where it did.
    var queueMilliseconds: Double?
    /// What the client calls itself.
    var userAgent: String?

    /// The same as metadata: numbers as numbers, and what is not known left out.
    var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = [
            "request_id": .string(requestID.description), "peer": .string(peer), "method": .string(method),
            "path": .string(path), "route": .string(route), "status": .stringConvertible(status),
            "received_bytes": .stringConvertible(receivedBytes), "sent_bytes": .stringConvertible(sentBytes),
            "duration_ms": .stringConvertible(Self.rounded(durationMilliseconds)),
        ]
        metadata["trace_id"] = trace.map { .string($0.traceIDText) }
        metadata["span_id"] = trace.map { .string($0.spanIDText) }
        metadata["key"] = keyName.map { .string($0) }
        metadata["queue_ms"] = queueMilliseconds.map { .stringConvertible(Self.rounded($0)) }
        metadata["user_agent"] = userAgent.map { .string($0) }
        return metadata
    }

    /// To a microsecond.
    private static func rounded(_ milliseconds: Double) -> Double { (milliseconds * 1_000).rounded() / 1_000 }

    /// About how many octets it keeps in memory.
    fileprivate var cost: Int {
        512 + requestID.description.utf8.count + method.utf8.count + path.utf8.count + (userAgent?.utf8.count ?? 0)
    }
}

/// Writes access records as lines of the level `info`.
struct AccessLog: Sendable {
    private let logger: Logger
    private let lines: LineLogHandler?

    /// A log that writes where `logger` does, at the level that it has now.
    init(_ logger: Logger) {
        self.logger = logger
        lines = logger.handler as? LineLogHandler
    }

    /// Logs a request. With a ``LineLogHandler`` this costs the caller no more than a place in its queue.
    func write(_ record: AccessRecord) {
        guard logger.logLevel <= .info else { return }
        if let lines {
            lines.log(.info, "request", cost: record.cost) { record.metadata }
        } else {
            logger.info("request", metadata: record.metadata)
        }
    }
}
