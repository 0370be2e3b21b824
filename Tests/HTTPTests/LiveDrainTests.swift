import Dispatch
import HTTP
import Sockets
import Synchronization
import Testing

@Suite("Stopping")
struct LiveDrainTests {
    @Test("A drain closes what is idle, finishes what is begun, takes nothing new, and ends")
    func drain() throws {
        let live = try LiveServer()
        let hello = request("GET /hello HTTP/1.1")
        let idle = try live.client()
        #expect(try idle.exchange(hello).status == 200)
        let busy = try live.client()
        let twoRequests = request("GET /hold HTTP/1.1") + hello
        try busy.send(twoRequests)
        let begun = try live.client()
        try begun.send("GET /hello HT")
        let held = try #require(live.held())
        let sent = hello.utf8.count + twoRequests.utf8.count + "GET /hello HT".utf8.count
        #expect(live.eventually { $0.openConnections == 3 && $0.receivedBytes == sent })

        let completed = Mutex(false)
        live.server.drain(deadline: .seconds(30)) { completed.withLock { $0 = true } }
        #expect(try idle.rest() == "")
        #expect(throws: (any Error).self) { try live.client() }
        try begun.send("TP/1.1\r\nHost: h\r\n\r\n")
        let answer = try begun.answer()
        #expect(answer.body == "hello" && answer.fields["connection"] == "close")
        #expect(!completed.withLock { $0 })
        held.reply(.text("finished"))
        let last = try busy.answer()
        #expect(last.body == "finished" && last.fields["connection"] == "close")
        #expect(try busy.rest() == "")
        busy.disconnect()
        begun.disconnect()
        live.server.wait()
        #expect(completed.withLock { $0 })
        #expect(!held.request.cancellation.isCancelled)
        #expect(live.server.counters.openConnections == 0)
    }

    @Test("What is not finished by the deadline is cancelled and broken off")
    func deadline() throws {
        let live = try LiveServer()
        let client = try live.client()
        try client.send(request("GET /hold HTTP/1.1"))
        let held = try #require(live.held())
        live.server.drain(deadline: .milliseconds(20))
        live.server.wait()
        #expect(held.request.cancellation.isCancelled)
        #expect(live.server.counters.openConnections == 0)
        #expect(throws: (any Error).self) { try client.answer() }
        held.reply(.text("too late"))
    }

    @Test("A later drain can shorten the deadline, and each completion is called once")
    func secondDrain() throws {
        let live = try LiveServer()
        let client = try live.client()
        try client.send(request("GET /hold HTTP/1.1"))
        let held = try #require(live.held())
        let completions = Mutex(0)
        live.server.drain(deadline: .seconds(3_600)) { completions.withLock { $0 += 1 } }
        live.server.drain(deadline: .zero) { completions.withLock { $0 += 1 } }
        live.server.wait()
        live.server.drain(deadline: .zero) { completions.withLock { $0 += 1 } }
        #expect(completions.withLock { $0 } == 3)
        #expect(held.request.cancellation.isCancelled)
    }

    @Test("A connection that waits to be accepted when the drain begins is served, if its request is there")
    func waitingConnections() throws {
        var limits = HTTPLimits()
        limits.lingerTimeout = .milliseconds(50)
        let live = try LiveServer(limits: limits)
        let clients = try (0..<20).map { _ in try live.client() }
        for client in clients { try client.send(request("GET /hello HTTP/1.1")) }
        live.server.drain(deadline: .seconds(10))
        for client in clients { #expect(try client.answer().body == "hello") }
        live.server.wait()
        #expect(live.server.counters.requests == 20)
    }

    @Test("A server that was never started drains and waits at once, and one that is let go of stops")
    func lifetimes() throws {
        let completed = Mutex(false)
        var server: HTTPServer? = try HTTPServer(handler: Router(problem: LiveServer.problem), problem: LiveServer.problem)
        server?.drain(deadline: .seconds(10)) { completed.withLock { $0 = true } }
        server?.wait()
        #expect(completed.withLock { $0 })

        server = try HTTPServer(handler: Router(problem: LiveServer.problem), problem: LiveServer.problem)
        let port = try #require(try server?.bind(host: "localhost", port: 0).port)
        try server?.start()
        let client = try LoopbackClient(port: port)
        #expect(try client.exchange(request("GET / HTTP/1.1")).status == 404)
        server = nil
        #expect((try? client.rest()) ?? "" == "")
    }

    @Test("A port that is taken is an error that names it")
    func takenPort() throws {
        let live = try LiveServer()
        let second = try HTTPServer(handler: Router(problem: LiveServer.problem), problem: LiveServer.problem)
        #expect(throws: (any Error).self) { try second.bind(host: "127.0.0.1", port: live.port) }
    }
}
