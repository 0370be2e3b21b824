import Glibc
import HTTP
import HTTPTypes
import Sockets
import Synchronization

/// A server whose handlers tell what has reached them.
///
/// - `GET /`, `/hello`: "hello".
/// - `GET`, `POST /echo`: the body.
/// - `GET`, `POST`, `PUT`, `DELETE`, `PATCH /seen`: the request as its handler sees it.
/// - `GET /after`: ``after``.
final class WitnessServer: Sendable {
    let server: HTTPServer
    let port: UInt16
    private let log: Log

    /// The requests that were handled, as "GET /hello".
    private final class Log: Sendable {
        let handled = Mutex<[String]>([])
    }

    /// Limits near to each other, so that input over a limit need not be long; those of targets and fields are the server's
    /// own, because 8,000 octets must pass.
    static let limits = {
        var limits = HTTPLimits()
        limits.bodyBytes = 1_000
        limits.chunkExtensionBytes = 40
        // However slow the machine, none of the cases is about time.
        limits.headerTimeout = .seconds(60)
        limits.lingerTimeout = .seconds(60)
        return limits
    }()

    /// What tells that a connection went on.
    static let after = "went on"
    /// The request for it, after which the server closes.
    static let closingRequest = Array(request("GET /after HTTP/1.1", "Connection: close").utf8)

    init(limits: HTTPLimits = WitnessServer.limits) throws {
        let log = Log()
        server = try HTTPServer(handler: Self.routes(log), limits: limits) { status, detail, target in
            .text("\(status.code) \(detail) [\(target ?? "")]", status: status)
        }
        port = try server.bind(host: "127.0.0.1", port: 0).port ?? 0
        try server.start()
        self.log = log
    }

    deinit {
        server.drain(deadline: .zero)
        server.wait()
    }

    /// The requests that were handled so far, without those for ``after``.
    var handled: [String] { log.handled.withLock { $0 } }

    /// Waits until the server has read `count` octets in all, or `isOver`, or half a second has passed: in the middle of a
    /// request that is refused already, nothing is counted any more.
    func waitUntilRead(_ count: Int, unless isOver: () throws -> Bool) rethrows {
        for _ in 0..<10_000 {
            if server.counters.receivedBytes >= count { return }
            if try isOver() { return }
            usleep(20)
        }
    }

    private static func routes(_ log: Log) -> Router {
        var router = Router { status, detail, target in
            .text("\(status.code) \(detail) [\(target ?? "")]", status: status)
        }
        func on(_ method: HTTPRequest.Method, _ pattern: String, _ answer: @escaping @Sendable (Request) -> Response) {
            router.on(method, pattern) { request, reply in
                log.handled.withLock { $0.append("\(request.method) \(request.target.raw)") }
                reply(answer(request))
            }
        }
        for path in ["/", "/hello"] { on(.get, path) { _ in .text("hello") } }
        for method in [HTTPRequest.Method.get, .post] {
            on(method, "/echo") { .bytes($0.body, type: "application/octet-stream") }
        }
        for method in [HTTPRequest.Method.get, .post, .put, .delete, .patch] { on(method, "/seen") { .text(seen($0)) } }
        router.on(.get, "/after") { _, reply in reply(.text(after)) }
        return router
    }

    private static func seen(_ request: Request) -> String {
        let fields = request.fields.map { "\($0.name): \($0.value)" } + ["--"]
        let trailers = request.trailers.map { "\($0.name): \($0.value)" } + ["--"]
        let line = "\(request.method) \(request.target.raw) at \(request.head.message.authority ?? "no host")"
        return ([line] + fields + trailers).joined(separator: "\n") + "\n" + String(decoding: request.body, as: UTF8.self)
    }
}
