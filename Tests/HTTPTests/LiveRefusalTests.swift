import HTTP
import Testing

@Suite("Refusals over a connection")
struct LiveRefusalTests {
    @Test(
        "A refusal after which nothing can be trusted closes the connection",
        arguments: [
            ("GET /hello\r\n\r\n", 400), ("GET  /hello HTTP/1.1\r\n\r\n", 400), ("\u{16}\u{3}\u{1}", 400),
            (request("GET /hello HTTP/2.0"), 505), (request("GET /hello HTTP/1.1", host: nil), 400),
            (request("POST /echo HTTP/1.1", "Content-Length: x"), 400),
            (request("POST /echo HTTP/1.1", "Content-Length: 1", "Transfer-Encoding: chunked"), 400),
            (request("POST /echo HTTP/1.1", "Transfer-Encoding: gzip"), 400),
            (request("POST /echo HTTP/1.1", "Transfer-Encoding: gzip, chunked"), 501),
            (request("POST /echo HTTP/1.1", "Transfer-Encoding: chunked", body: "G\r\n"), 400),
            (request("POST /echo HTTP/1.1", "Content-Length: 99999999"), 413),
            (request("POST /echo HTTP/1.1"), 411), (request("POST /hello HTTP/1.1"), 405),
            (request("CONNECT h:80 HTTP/1.1"), 501),
            (request("GET /" + String(repeating: "a", count: 9_000) + " HTTP/1.1"), 414),
            (request("GET /hello HTTP/1.1", "A: " + String(repeating: "a", count: 9_000)), 431),
        ])
    func closingRefusals(_ input: String, _ status: Int) throws {
        let live = try LiveServer()
        let client = try live.client()
        let answer = try client.exchange(input)
        #expect(answer.status == status)
        #expect(answer.fields["connection"] == "close")
        #expect(try client.rest() == "")
        #expect(live.server.counters.requests == 0)
    }

    @Test(
        "A refusal of a request that is understood leaves the connection open, its body skipped",
        arguments: [
            (request("GET /none HTTP/1.1"), 404), (request("DELETE /hello HTTP/1.1"), 405),
            (request("POST /none HTTP/1.1", "Content-Length: 5", body: "hello"), 404),
            (request("POST /hello HTTP/1.1", "Transfer-Encoding: chunked", body: "5\r\nhello\r\n0\r\n\r\n"), 405),
            (request("POST /picky HTTP/1.1", "Content-Length: 5", body: "hello"), 415), (request("BREW /hello HTTP/1.1"), 501),
            (request("TRACE /hello HTTP/1.1"), 501), (request("get /hello HTTP/1.1"), 501),
            (request("GET /hello HTTP/1.1", "Expect: more"), 417), (request("OPTIONS /hello HTTP/1.1"), 204),
            (request("OPTIONS * HTTP/1.1"), 204),
        ])
    func openRefusals(_ input: String, _ status: Int) throws {
        let live = try LiveServer()
        let client = try live.client()
        try client.send(input + request("GET /hello HTTP/1.1"))
        #expect(try client.answer().status == status)
        #expect(try client.answer().body == "hello")
        #expect(live.server.counters.requests == 1)
    }

    @Test("A refusal by the head comes before the body does, which is then skipped")
    func earlyRefusal() throws {
        let live = try LiveServer()
        let client = try live.client()
        #expect(try client.exchange(request("POST /picky HTTP/1.1", "Content-Length: 5")).status == 415)
        try client.send("hello")
        #expect(try client.exchange(request("GET /hello HTTP/1.1")).body == "hello")
    }

    @Test("A body too large to be skipped closes the connection, and its refusal arrives although it is still being sent")
    func unreadBody() throws {
        let live = try LiveServer()
        for fields in ["Content-Length: 1000000", "Content-Length: 30000000", "Transfer-Encoding: chunked"] {
            let client = try live.client()
            try client.send("POST /picky HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\r\n")
            let piece =
                fields.hasPrefix("T")
                ? "10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n" : String(repeating: "x", count: 65_536)
            for _ in 0..<10 { try client.send(piece) }
            client.halfClose()
            let all = try client.rest()
            #expect(all.hasPrefix(fields.contains("3") ? "HTTP/1.1 413 " : "HTTP/1.1 415 "))
            #expect(all.components(of: "HTTP/1.1 ") == 1)
        }
    }

    @Test("A body whose length is not known is skipped up to the limit, and no further")
    func skippedChunks() throws {
        var limits = HTTPLimits()
        limits.discardedBodyBytes = 100
        let live = try LiveServer(limits: limits)
        for (size, answers) in [(100, 2), (101, 1)] {
            let chunk = String(size, radix: 16) + "\r\n" + String(repeating: "x", count: size) + "\r\n0\r\n\r\n"
            let client = try live.client()
            try client.send(
                request("POST /picky HTTP/1.1", "Transfer-Encoding: chunked", body: chunk)
                    + request("GET /hello HTTP/1.1", "Connection: close"))
            let all = try client.rest()
            #expect(all.hasPrefix("HTTP/1.1 415 "))
            #expect(all.components(of: "HTTP/1.1 ") == answers)
        }
    }

    @Test("Allow lists what a path, or the server, has")
    func allow() throws {
        let live = try LiveServer()
        let client = try live.client()
        #expect(try client.exchange(request("DELETE /echo HTTP/1.1")).fields["allow"] == "GET, HEAD, OPTIONS, POST")
        #expect(try client.exchange(request("OPTIONS /picky HTTP/1.1")).fields["allow"] == "OPTIONS, POST")
        let all = try client.exchange(request("OPTIONS * HTTP/1.1"))
        #expect(all.fields["allow"] == "GET, HEAD, OPTIONS, POST")
        #expect(all.fields["content-length"] == nil)
    }

    @Test("A client that expects 100 gets it before it sends, or the final answer")
    func expectContinue() throws {
        let live = try LiveServer()
        let client = try live.client()
        for _ in 0..<2 {
            let head = request("POST /echo HTTP/1.1", "Expect: 100-continue", "Content-Length: 5")
            let interim = try client.exchange(head)
            #expect(interim.status == 100 && interim.fields.isEmpty)
            #expect(try client.exchange("hello").body == "hello")
        }
        // The body came along: no interim answer is needed.
        let all = request("POST /echo HTTP/1.1", "Expect: 100-Continue", "Content-Length: 5", body: "hello")
        #expect(try client.exchange(all).body == "hello")
        // Nothing to send, nothing to ask for.
        #expect(try client.exchange(request("POST /echo HTTP/1.1", "Expect: 100-continue", "Content-Length: 0")).status == 200)
        // HTTP/1.0 has no interim answers.
        let old = "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"
        #expect(try live.client().exchange(old).status == 200)
    }

    @Test(
        "A client that expects 100 and is refused gets no 100, and the connection closes",
        arguments: [
            ("POST /echo HTTP/1.1", "Content-Length: 99999999", 413), ("POST /picky HTTP/1.1", "Content-Length: 5", 415),
            ("POST /none HTTP/1.1", "Transfer-Encoding: chunked", 404),
        ])
    func expectRefused(_ line: String, _ framing: String, _ status: Int) throws {
        let live = try LiveServer()
        let client = try live.client()
        #expect(try client.exchange(request(line, "Expect: 100-continue", framing)).status == status)
        #expect(try client.rest() == "")
    }
}
