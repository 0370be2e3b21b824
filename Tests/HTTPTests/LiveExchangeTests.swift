import HTTP
import Testing

@Suite("Exchanges over a connection")
struct LiveExchangeTests {
    @Test("Requests in a row are served on one connection")
    func keepAlive() throws {
        let live = try LiveServer()
        let client = try live.client()
        for _ in 0..<3 {
            let answer = try client.exchange(request("GET /hello HTTP/1.1"))
            #expect(answer.status == 200 && answer.body == "hello")
            #expect(answer.fields["connection"] == nil)
            #expect(answer.fields["content-type"] == "text/plain; charset=utf-8")
        }
        #expect(live.server.counters.acceptedConnections == 1)
        #expect(live.server.counters.requests == 3)
    }

    @Test("Every answer has a Date in the fixed form, refusals included")
    func date() throws {
        let live = try LiveServer()
        let pattern = /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d GMT/
        for line in ["GET /hello HTTP/1.1", "GET /none HTTP/1.1", "bad", "OPTIONS * HTTP/1.1"] {
            let answer = try live.client().exchange(request(line))
            #expect(try pattern.wholeMatch(in: answer.fields["date"] ?? "") != nil)
        }
    }

    @Test("Pipelined requests are answered in their order, whoever answers them")
    func pipelining() throws {
        let live = try LiveServer()
        let client = try live.client()
        var input = ""
        for index in 0..<50 {
            let body = "n\(index)"
            let path = index % 2 == 0 ? "/echo" : "/elsewhere"
            input += request("POST \(path) HTTP/1.1", "Content-Length: \(body.count)", body: body)
        }
        try client.send(input)
        for index in 0..<50 { #expect(try client.answer().body == "n\(index)") }
        #expect(live.server.counters.requests == 50)
    }

    @Test("A bad request is answered once, closes, and the request behind it never runs")
    func badFirst() throws {
        let live = try LiveServer()
        let client = try live.client()
        try client.send(request("GET /hello HTTP/1.1", "Bad : x") + request("GET /hello HTTP/1.1"))
        let all = try client.rest()
        #expect(all.hasPrefix("HTTP/1.1 400 "))
        #expect(all.components(of: "HTTP/1.1 ") == 1)
        #expect(all.contains("\r\nConnection: close\r\n"))
        #expect(live.server.counters.requests == 0)
        #expect(live.server.counters.refusals == 1)
    }

    @Test("A bad second request does not hurt the answer to the first")
    func badSecond() throws {
        let live = try LiveServer()
        let client = try live.client()
        try client.send(request("GET /hello HTTP/1.1") + "nonsense\r\n\r\n")
        #expect(try client.answer().body == "hello")
        #expect(try client.answer().status == 400)
        #expect(try client.rest() == "")
    }

    @Test("One octet per write gives the same answer")
    func oneByOne() throws {
        let live = try LiveServer()
        let client = try live.client()
        let body = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        for octet in Array(request("POST /echo HTTP/1.1", "Transfer-Encoding: chunked", body: body).utf8) {
            try client.send([octet])
        }
        #expect(try client.answer().body == "hello world")
    }

    @Test("Connection: close is obeyed, and so is HTTP/1.0, which goes on only when asked to")
    func closing() throws {
        let live = try LiveServer()
        for text in [
            request("GET /hello HTTP/1.1", "Connection: close"), "GET /hello HTTP/1.0\r\n\r\n", request("GET /closing HTTP/1.1"),
        ] {
            let client = try live.client()
            #expect(try client.exchange(text).fields["connection"] == "close")
            #expect(try client.rest() == "")
        }
        let client = try live.client()
        for _ in 0..<2 {
            let answer = try client.exchange("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(answer.fields["connection"] == "keep-alive" && answer.body == "hello")
        }
    }

    @Test("HEAD has the fields of GET and no content, and the next answer follows at once")
    func head() throws {
        let live = try LiveServer()
        let client = try live.client()
        try client.send(request("HEAD /hello HTTP/1.1") + request("GET /hello HTTP/1.1"))
        let head = try client.answer(hasContent: false)
        let get = try client.answer()
        #expect(get.body == "hello")
        #expect(head.status == get.status && head.fields == get.fields)
        #expect(head.fields["content-length"] == "5")
    }

    @Test("204 and 304 have neither content nor a length, and the next answer follows at once")
    func withoutContent() throws {
        let live = try LiveServer()
        let client = try live.client()
        try client.send(request("GET /empty HTTP/1.1") + request("GET /unchanged HTTP/1.1") + request("GET /hello HTTP/1.1"))
        for status in [204, 304] {
            let answer = try client.answer()
            #expect(answer.status == status && answer.fields["content-length"] == nil)
        }
        #expect(try client.answer().body == "hello")
    }

    @Test("A GET's body is read and does not become the next request")
    func getWithBody() throws {
        let live = try LiveServer()
        let client = try live.client()
        let hidden = "GET /forbidden HTTP/1.1\n"
        try client.send(
            request("GET /hello HTTP/1.1", "Content-Length: \(hidden.utf8.count)", body: hidden) + request("GET /echo HTTP/1.1"))
        #expect(try client.answer().body == "hello")
        #expect(try client.answer().status == 200)
        #expect(live.server.counters.requests == 2)
    }

    @Test("A handler that forgets its reply is answered for with 500; a second reply counts for nothing")
    func carelessHandlers() throws {
        let live = try LiveServer()
        let client = try live.client()
        #expect(try client.exchange(request("GET /forgetful HTTP/1.1")).status == 500)
        #expect(try client.exchange(request("GET /twice HTTP/1.1")).body == "first")
        #expect(try client.exchange(request("GET /hello HTTP/1.1")).body == "hello")
        #expect(live.eventually { $0.requestsInFlight == 0 })
    }

    @Test("A line break in a field's value does not become a field")
    func responseSplitting() throws {
        let live = try LiveServer()
        let answer = try live.client().exchange(request("GET /split HTTP/1.1"))
        #expect(answer.fields["x-injected"] == nil)
        #expect(answer.fields["x-value"] == "a  X-Injected: b")
    }

    @Test("A large answer reaches a client that reads slowly, whole")
    func slowReader() throws {
        let live = try LiveServer()
        let client = try live.client(receiveBuffer: 4_096)
        let count = 3_000_000
        try client.send(request("GET /large/\(count) HTTP/1.1", "Connection: close"))
        for _ in 0..<100 { try client.readMore(atMost: 1_000) }
        let all = try client.rest()
        let headEnd = try #require(all.firstRange(of: "\r\n\r\n")).upperBound
        #expect(all[headEnd...].utf8.count == count)
        #expect(live.eventually { $0.openConnections == 0 })
        #expect(live.server.counters.sentBytes == all.utf8.count)
    }

    @Test("Two hundred connections at once are all served")
    func manyConnections() throws {
        let live = try LiveServer()
        let clients = try (0..<200).map { _ in try live.client() }
        for round in 0..<3 {
            for (index, client) in clients.enumerated() { try client.send(request("GET /names/\(round)-\(index) HTTP/1.1")) }
            for (index, client) in clients.enumerated() { #expect(try client.answer().body == "\(round)-\(index)") }
        }
        #expect(live.server.counters.openConnections == 200)
        for client in clients { client.disconnect() }
        #expect(live.eventually { $0.openConnections == 0 })
    }

    @Test("Connections over the limit wait until one closes")
    func connectionLimit() throws {
        var limits = HTTPLimits()
        limits.connections = 2
        let live = try LiveServer(limits: limits)
        let first = try live.client()
        let second = try live.client()
        #expect(try first.exchange(request("GET /hello HTTP/1.1")).status == 200)
        #expect(try second.exchange(request("GET /hello HTTP/1.1")).status == 200)
        let third = try live.client()
        try third.send(request("GET /hello HTTP/1.1"))
        #expect(live.server.counters.acceptedConnections == 2)
        first.disconnect()
        #expect(try third.answer().status == 200)
    }
}

extension String {
    /// How often `part` occurs.
    func components(of part: String) -> Int { ranges(of: part).count }
}
