import Dispatch
import Glibc
import HTTP
import HTTPTypes
import Sockets
import Synchronization

/// A server on a loopback port, with routes that do what the tests look for; drained when the value goes.
final class LiveServer: Sendable {
    /// A request that was received and that the test answers itself.
    struct Held: Sendable {
        let request: Request
        let reply: @Sendable (Response) -> Void
    }

    let server: HTTPServer
    let port: UInt16
    private let inbox: Inbox

    /// Where requests to /hold wait for the test.
    private final class Inbox: Sendable {
        let held = Mutex<[Held]>([])
        let arrived = DispatchSemaphore(value: 0)
    }

    init(limits: HTTPLimits = HTTPLimits()) throws {
        let inbox = Inbox()
        server = try HTTPServer(handler: Self.routes(inbox), limits: limits, problem: Self.problem)
        port = try server.bind(host: "127.0.0.1", port: 0).port ?? 0
        try server.start()
        self.inbox = inbox
    }

    deinit {
        server.drain(deadline: .zero)
        server.wait()
    }

    /// A new connection.
    func client(receiveBuffer: Int32? = nil) throws -> LoopbackClient {
        try LoopbackClient(port: port, receiveBuffer: receiveBuffer)
    }

    /// The next request to /hold, once it has come; nil if none comes within ten seconds.
    func held() -> Held? {
        guard inbox.arrived.wait(timeout: .now() + 10) == .success else { return nil }
        return inbox.held.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    /// Whether `condition` comes to hold within ten seconds.
    func eventually(_ condition: (ServerCounters) -> Bool) -> Bool {
        for _ in 0..<2_000 {
            if condition(server.counters) { return true }
            usleep(5_000)
        }
        return false
    }

    static let problem: ProblemRenderer = { status, detail, _ in
        .text("\(status.code): \(detail)", type: "text/plain", status: status)
    }

    private static func routes(_ inbox: Inbox) -> Router {
        var router = Router(problem: problem)
        router.on(.get, "/hello") { _, reply in reply(.text("hello")) }
        router.on(.get, "/names/{name}") { request, reply in reply(.text(request.parameters["name"] ?? "none")) }
        router.on(.post, "/echo") { request, reply in reply(.bytes(request.body, type: "application/octet-stream")) }
        router.on(.get, "/echo") { request, reply in reply(.bytes(request.body, type: "application/octet-stream")) }
        router.on(.post, "/elsewhere") { request, reply in
            DispatchQueue.global().async { reply(.bytes(request.body, type: "application/octet-stream")) }
        }
        router.on(.get, "/large/{count}") { request, reply in
            let count = request.parameters["count"].flatMap { Int($0) } ?? 0
            reply(.bytes(Array(repeating: UInt8(ascii: "x"), count: count), type: "application/octet-stream"))
        }
        router.on(.get, "/empty") { _, reply in reply(Response(status: .noContent, body: Array("dropped".utf8))) }
        router.on(.get, "/unchanged") { _, reply in reply(Response(status: .notModified, body: Array("dropped".utf8))) }
        router.on(.get, "/forgetful") { _, _ in }
        router.on(.get, "/twice") { _, reply in
            reply(.text("first"))
            reply(.text("second"))
        }
        router.on(.get, "/closing") { _, reply in
            var response = Response.text("bye")
            response.closesConnection = true
            reply(response)
        }
        router.on(.get, "/split") { _, reply in
            reply(.text("x", fields: [HTTPField.Name("X-Value")!: "a\r\nX-Injected: b"]))
        }
        router.on(.get, "/hold") { request, reply in
            inbox.held.withLock { $0.append(Held(request: request, reply: reply)) }
            inbox.arrived.signal()
        }
        router.on(
            .post, "/picky",
            admit: { head, _ in
                head.fields[.contentType] == "text/plain"
                    ? nil : problem(.unsupportedMediaType, "Send text/plain.", head.target.raw)
            }
        ) { request, reply in reply(.bytes(request.body, type: "text/plain")) }
        return router
    }
}
