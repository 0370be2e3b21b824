import HTTP
import Testing

@Suite("Header sections")
struct HeaderSectionTests {
    @Test(
        "A line that is no field is a 400",
        arguments: [
            "Folded: a\r\n b", "Folded: a\r\n\tb", "Space : a", "Tab\t: a", "nocolon", ": empty", ":", "Bad(Name): a",
            "Bad Name: a",
            "Ümlaut: a", "Nul: a\0b", "Control: a\u{1}b", "Delete: a\u{7F}b", "Bare: a\rb", "Feed: a\nb", "End: a\n", "A\0: b",
        ])
    func malformedField(_ line: String) throws {
        let parsed = try #require(Parsed.everyCut(of: Array(request("GET / HTTP/1.1", line).utf8)))
        #expect(parsed.refusal == 400)
        #expect(parsed.heads == 0)
    }

    @Test("Whitespace before the first field is a 400")
    func leadingWhitespace() {
        #expect(Parsed("GET / HTTP/1.1\r\n Host: h\r\n\r\n").refusal == 400)
        #expect(Parsed("GET / HTTP/1.1\r\n\tX: h\r\nHost: h\r\n\r\n").refusal == 400)
        #expect(Parsed("GET / HTTP/1.1\r\n \r\nHost: h\r\n\r\n").refusal == 400)
    }

    @Test("Values keep what is inside them, without the whitespace around; equal names stay apart and in order")
    func values() throws {
        let input = request("GET / HTTP/1.1", "A: \t x y\tz \t", "b:", "a:2", "Obs: \u{E9}")
        let parsed = try #require(Parsed.everyCut(of: Array(input.utf8)))
        #expect(parsed.messages.map(\.fields) == [["A: x y\tz", "b: ", "a: 2", "Obs: é"]])
    }

    @Test("A 1.1 request has one Host, a 1.0 request at most one")
    func hostCount() {
        #expect(Parsed(request("GET / HTTP/1.1", host: nil)).refusal == 400)
        #expect(Parsed(request("GET / HTTP/1.1", "Host: h")).refusal == 400)
        #expect(Parsed(request("GET / HTTP/1.1", "Host: other")).refusal == 400)
        #expect(Parsed(request("GET / HTTP/1.1", "hOST: h")).refusal == 400)
        #expect(Parsed(request("GET / HTTP/1.0", host: nil)).messages.map(\.authority) == [nil])
        #expect(Parsed(request("GET / HTTP/1.0", "Host: h")).refusal == 400)
        #expect(Parsed(request("GET http://o/ HTTP/1.1", host: nil)).refusal == 400)
    }

    @Test(
        "A Host that is not host or host:port is a 400",
        arguments: [
            "", "a b", "u@h", "h/p", "a,b", "h:x", "h:99999", "h:1:2", "[::1", "[]", "[::1]x", "[g!]", "h\\", "h?q", "h#f", "%zz",
            ":80",
        ])
    func badHost(_ host: String) throws {
        let parsed = try #require(Parsed.everyCut(of: Array(request("GET / HTTP/1.1", host: host).utf8)))
        #expect(parsed.refusal == 400)
    }

    @Test(
        "A good Host passes",
        arguments: ["h", "h:", "h:80", "h:65535", "127.0.0.1:8080", "[::1]", "[::1]:80", "a-b.example", "x_y", "%41"])
    func goodHost(_ host: String) {
        #expect(Parsed(request("GET / HTTP/1.1", host: host)).messages.map(\.authority) == [host])
    }

    @Test("Too long a field, too large a section and too many fields are a 431")
    func sizeLimits() throws {
        let limits = HTTPLimits()
        let longest = "A: " + String(repeating: "x", count: limits.fieldBytes - 3)
        #expect(Parsed(request("GET / HTTP/1.1", longest)).messages.count == 1)
        #expect(Parsed(request("GET / HTTP/1.1", longest + "x")).refusal == 431)
        let endless = Array(("GET / HTTP/1.1\r\n" + String(repeating: "x", count: 9_000)).utf8)
        #expect(Parsed(endless).refusal == 431)
        #expect(Parsed(endless, cuts: Array(0..<endless.count)) == Parsed(endless))

        let large = (0..<4).map { "A\($0): " + String(repeating: "x", count: 8_000) }.joined(separator: "\r\n")
        #expect(Parsed(request("GET / HTTP/1.1", large)).messages.count == 1)
        #expect(Parsed(request("GET / HTTP/1.1", large, "B: " + String(repeating: "x", count: 800))).refusal == 431)

        let many = (1..<limits.fieldCount).map { "A\($0): x" }.joined(separator: "\r\n")
        #expect(Parsed(request("GET / HTTP/1.1", many)).messages.count == 1)
        #expect(Parsed(request("GET / HTTP/1.1", many, "B: x")).refusal == 431)
    }

    @Test(
        "Whether the connection goes on depends on the version and on Connection",
        arguments: [
            ("1.1", nil, true), ("1.1", "close", false), ("1.1", "Close", false), ("1.1", "x, CLOSE ,y", false),
            ("1.1", "keep-alive", true), ("1.1", "closed", true), ("1.0", nil, false), ("1.0", "keep-alive", true),
            ("1.0", "Keep-Alive, close", false), ("1.0", "close", false), ("1.1", "keep-alive, close", false),
        ] as [(String, String?, Bool)])
    func persistence(_ version: String, _ connection: String?, _ expected: Bool) {
        let fields = connection.map { "Connection: \($0)" } ?? "X: y"
        #expect(Parsed(request("GET / HTTP/\(version)", fields)).messages.map(\.keepsAlive) == [expected])
    }

    @Test("Requests in a row are read one after the other, however they are cut")
    func pipelining() throws {
        let input =
            request("GET /a HTTP/1.1") + request("POST /b HTTP/1.1", "Content-Length: 3", body: "xyz")
            + request("POST /c HTTP/1.1", "Transfer-Encoding: chunked", body: "2\r\nhi\r\n0\r\n\r\n") + request("GET /d HTTP/1.1")
        let parsed = try #require(Parsed.everyCut(of: Array(input.utf8)))
        #expect(parsed.messages.map(\.target) == ["/a", "/b", "/c", "/d"])
        #expect(parsed.messages.map(\.body) == ["", "xyz", "hi", ""])
        #expect(parsed.refusal == nil)
        #expect(!parsed.isInside)
    }

    @Test("After a refusal nothing more is read, and it is thrown again")
    func failureIsFinal() throws {
        var parser = RequestParser()
        let (bad, good) = (Array("bad\r\n".utf8), Array(request("GET / HTTP/1.1").utf8))
        let first = #expect(throws: ProtocolError.self) { try parser.parse(bad.span) }
        let second = #expect(throws: ProtocolError.self) { try parser.parse(good.span) }
        #expect(first == second)
    }
}
