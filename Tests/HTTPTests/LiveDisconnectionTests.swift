import Dispatch
import Glibc
import HTTP
import Testing

@Suite("Connections that end")
struct LiveDisconnectionTests {
    @Test("A client that finishes sending after its request gets the full answer, however late")
    func halfClose() throws {
        let live = try LiveServer()
        let client = try live.client()
        try client.send(request("GET /hold HTTP/1.1"))
        client.halfClose()
        let held = try #require(live.held())
        // Until the octets that show whether the client is still there have been sent, and beyond.
        #expect(live.eventually { $0.sentBytes > 0 })
        #expect(!held.request.cancellation.isCancelled)
        held.reply(.text("late"))
        let answer = try client.answer()
        #expect(answer.status == 200 && answer.body == "late")
        #expect(try client.rest() == "")
        #expect(live.server.counters.cancellations == 0)
    }

    @Test("Pipelined requests before a half-close are all answered")
    func halfCloseAfterPipeline() throws {
        let live = try LiveServer()
        let client = try live.client()
        try client.send(request("GET /hello HTTP/1.1") + request("POST /elsewhere HTTP/1.1", "Content-Length: 2", body: "hi"))
        client.halfClose()
        #expect(try client.answer().body == "hello")
        #expect(try client.answer().body == "hi")
        #expect(try client.rest() == "")
    }

    @Test(
        "A client that closes while its answer is computed cancels it, by a reset or by an ordinary close",
        arguments: [true, false])
    func cancellation(_ byReset: Bool) throws {
        let live = try LiveServer()
        let client = try live.client()
        try client.send(request("GET /hold HTTP/1.1"))
        let held = try #require(live.held())
        #expect(!held.request.cancellation.isCancelled)
        if byReset { client.reset() } else { client.disconnect() }
        #expect(live.eventually { $0.cancellations == 1 && $0.openConnections == 0 })
        #expect(held.request.cancellation.isCancelled)
        #expect(live.server.counters.requestsInFlight == 1)
        held.reply(.text("for nobody"))
        #expect(live.eventually { $0.requestsInFlight == 0 })
    }

    @Test("A request that does not come to its end is never run; a client that still listens is told")
    func truncation() throws {
        let live = try LiveServer()
        for input in [
            "GET /hel", "GET /hello HTTP/1.1\r\nHost: h\r\n", request("POST /echo HTTP/1.1", "Content-Length: 5", body: "1234"),
            request("POST /echo HTTP/1.1", "Transfer-Encoding: chunked", body: "5\r\nhello\r\n"),
        ] {
            let client = try live.client()
            try client.send(input)
            client.halfClose()
            #expect(try client.rest().hasPrefix("HTTP/1.1 400 "))
        }
        #expect(live.server.counters.requests == 0)
        let silent = try live.client()
        silent.halfClose()
        #expect(try silent.rest() == "")
    }

    @Test("Resets at any octet of a request leave nothing behind")
    func resets() throws {
        let live = try LiveServer()
        let input = Array(request("POST /elsewhere HTTP/1.1", "Content-Length: 5", body: "hello").utf8)
        for count in 0...input.count {
            let client = try live.client()
            try client.send(Array(input[..<count]))
            client.reset()
        }
        #expect(live.eventually { $0.openConnections == 0 && $0.requestsInFlight == 0 })
        #expect(live.server.counters.requests <= 1)
        #expect(try live.client().exchange(request("GET /hello HTTP/1.1")).status == 200)
    }

    @Test("Clients that come and go by the hundred, from several threads, leave nothing behind")
    func churn() throws {
        let live = try LiveServer()
        let input = Array(
            (request("POST /elsewhere HTTP/1.1", "Content-Length: 2", body: "hi") + request("GET /hello HTTP/1.1")).utf8)
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            var random = SplitMix64(seed: UInt64(thread))
            for _ in 0..<200 {
                guard let client = try? live.client() else { continue }
                try? client.send(Array(input[..<random.below(input.count + 1)]))
                switch random.below(3) {
                case 0: client.reset()
                case 1: client.disconnect()
                default:
                    client.halfClose()
                    _ = try? client.rest()
                }
            }
        }
        #expect(live.eventually { $0.acceptedConnections == 800 && $0.openConnections == 0 && $0.requestsInFlight == 0 })
        #expect(try live.client().exchange(request("GET /hello HTTP/1.1")).body == "hello")
    }

    @Test("A reset in the middle of an answer ends the connection")
    func resetWhileWriting() throws {
        let live = try LiveServer()
        let client = try live.client(receiveBuffer: 4_096)
        try client.send(request("GET /large/20000000 HTTP/1.1"))
        try client.readMore(atMost: 1_000)
        #expect(live.eventually { $0.sentBytes > 0 && $0.requestsInFlight == 0 })
        client.reset()
        #expect(live.eventually { $0.openConnections == 0 })
    }

    @Test("A slow header section is a 408; a connection that says nothing is closed without a word")
    func slowHeader() throws {
        var limits = HTTPLimits()
        limits.headerTimeout = .milliseconds(50)
        let live = try LiveServer(limits: limits)
        #expect(try live.client().rest() == "")
        let slow = try live.client()
        try slow.send("GET /hello HTTP/1.1\r\nHost:")
        #expect(try slow.answer().status == 408)
        #expect(try slow.rest() == "")
        // Octets that trickle in do not put it off.
        let trickling = try live.client()
        var answered = false
        for _ in 0..<400 where !answered {
            do { try trickling.send("x") } catch { break }
            usleep(5_000)
            answered = live.server.counters.refusals == 2
        }
        #expect(answered)
    }

    @Test("A slow body is a 408, one that grows is not")
    func slowBody() throws {
        var limits = HTTPLimits()
        limits.bodyTimeout = .milliseconds(400)
        limits.bodyProgressBytes = 1
        let live = try LiveServer(limits: limits)
        let slow = try live.client()
        try slow.send(request("POST /echo HTTP/1.1", "Content-Length: 5", body: "1"))
        #expect(try slow.answer().status == 408)
        #expect(try slow.rest() == "")
        #expect(live.server.counters.requests == 0)
        // One octet in a fraction of the timeout, for longer than the timeout.
        let steady = try live.client()
        try steady.send(request("POST /echo HTTP/1.1", "Content-Length: 50"))
        for _ in 0..<50 {
            try steady.send("x")
            usleep(20_000)
        }
        #expect(try steady.answer().body.count == 50)
    }

    @Test("An idle connection is closed without a word")
    func idle() throws {
        var limits = HTTPLimits()
        limits.idleTimeout = .milliseconds(50)
        let live = try LiveServer(limits: limits)
        let client = try live.client()
        #expect(try client.exchange(request("GET /hello HTTP/1.1")).status == 200)
        #expect(try client.rest() == "")
        #expect(live.eventually { $0.openConnections == 0 })
    }

    @Test("A client that takes nothing of its answer is cut off")
    func writeStall() throws {
        var limits = HTTPLimits()
        limits.writeTimeout = .milliseconds(100)
        let live = try LiveServer(limits: limits)
        let client = try live.client(receiveBuffer: 4_096)
        try client.send(request("GET /large/20000000 HTTP/1.1"))
        #expect(live.eventually { $0.openConnections == 0 && $0.acceptedConnections == 1 })
        #expect(live.server.counters.sentBytes < 20_000_000)
    }

    @Test("A client that takes its answer piece by piece gets it, for longer than the time in which it must take some")
    func slowProgress() throws {
        var limits = HTTPLimits()
        limits.writeTimeout = .milliseconds(500)
        let live = try LiveServer(limits: limits)
        let client = try live.client(receiveBuffer: 65_536)
        try client.send(request("GET /large/20000000 HTTP/1.1", "Connection: close"))
        for _ in 0..<40 {
            for _ in 0..<4 { try client.readMore() }
            usleep(25_000)
        }
        #expect(try client.rest().utf8.count > 20_000_000)
    }

    @Test("After its last word the server waits for the client to close, but not for ever")
    func linger() throws {
        var limits = HTTPLimits()
        limits.lingerTimeout = .milliseconds(50)
        let live = try LiveServer(limits: limits)
        let client = try live.client()
        #expect(try client.exchange(request("GET /hello HTTP/1.1", "Connection: close")).status == 200)
        #expect(live.eventually { $0.openConnections == 0 })
    }
}
