import HTTP
import Testing

@Suite("Request lines and targets")
struct RequestLineTests {
    @Test(
        "A line that is not method, space, target, space, version is a 400",
        arguments: [
            "GET /", "GET", "", "GET HTTP/1.1", "GET  HTTP/1.1", "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET / HTTP/1.1 ",
            " GET / HTTP/1.1", "GET\t/ HTTP/1.1", "GET /\tHTTP/1.1", "GET /a b HTTP/1.1", "G(T / HTTP/1.1", "/ GET HTTP/1.1",
            "GET / HTTP/1", "GET / HTTP/1.10", "GET / http/1.1", "GET / HTTP/11", "GET / HTTP/1.x", "GET / HTTP/x.1",
            "GET / HTTP/+1.1", "GET / HTTP 1.1", "GET / XTTP/1.1", "GET / HTTP/-1.1", "GET /\0 HTTP/1.1",
            "GET /\u{7F} HTTP/1.1", "GET /é HTTP/1.1", "GET / HTTP/1.1\u{B}",
        ])
    func malformedLine(_ line: String) throws {
        // An empty line is ignored once, hence the two.
        let input = line.isEmpty ? "\r\n\r\n" : request(line)
        let parsed = try #require(Parsed.everyCut(of: Array(input.utf8)))
        #expect(parsed.refusal == 400)
        #expect(parsed.heads == 0)
    }

    @Test("Another major version is a 505, a higher minor version is served", arguments: ["HTTP/2.0", "HTTP/0.9", "HTTP/9.9"])
    func versions(_ version: String) {
        #expect(Parsed(request("GET / \(version)")).refusal == 505)
        #expect(Parsed("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").refusal != nil)
        #expect(Parsed(request("GET / HTTP/1.2")).messages.map(\.keepsAlive) == [true])
    }

    @Test(
        "Targets are taken apart and decoded",
        arguments: [
            ("/", [], "h"), ("/a/b", ["a", "b"], "h"), ("/a/", ["a", ""], "h"), ("//a", ["", "a"], "h"),
            ("/%61%2Fb/%E2%82%AC", ["a/b", "€"], "h"), ("/a?b=c", ["a"], "h"), ("/?", [], "h"),
            ("/a:b@c;d=e,f", ["a:b@c;d=e,f"], "h"),
            ("/...", ["..."], "h"), ("http://other:80/a", ["a"], "other:80"), ("HTTPS://o/a?b", ["a"], "o"),
            ("http://o", [], "o"),
            ("http://o?q", [], "o"), ("http://[::1]:80/a", ["a"], "[::1]:80"),
        ] as [(String, [String], String)])
    func targets(_ target: String, _ segments: [String], _ authority: String) throws {
        let parsed = try #require(Parsed.everyCut(of: Array(request("GET \(target) HTTP/1.1").utf8)))
        #expect(parsed.messages.map(\.segments) == [segments])
        #expect(parsed.messages.map(\.authority) == [authority])
    }

    @Test(
        "A target that no client should send is a 400",
        arguments: [
            "/a#b", "#", "*", "a", "a/b", "host:80", "ftp://o/a", "http:/o/a", "http:///a", "http://u@o/a", "http://o:x/a",
            "http://o:99999/", "http://a,b/", "mailto:a", "/%", "/%4", "/%zz", "/%4g", "/%00", "/a%0a", "/%7f", "/..", "/a/../b",
            "/a/..", "/%2e%2e", "/%2E./a", "/.", "/a/./b", "/%c0%af", "/%ff", "/%ed%a0%80", "/<", "/a|b", "/a\\b", "/\"",
            "/^", "/`", "/{a}", "/?a=%zz", "/?a=%00", "/?%c0%af", "?a",
        ])
    func badTargets(_ target: String) throws {
        let parsed = try #require(Parsed.everyCut(of: Array(request("GET \(target) HTTP/1.1").utf8)))
        #expect(parsed.refusal == 400)
        #expect(parsed.heads == 0)
    }

    @Test("The asterisk is for OPTIONS, host and port are for CONNECT, and nothing else is for either")
    func specialForms() {
        #expect(Parsed(request("OPTIONS * HTTP/1.1")).messages.map(\.target) == ["*"])
        #expect(Parsed(request("OPTIONS http://o HTTP/1.1")).messages.map(\.target) == ["*"])
        #expect(Parsed(request("CONNECT o:443 HTTP/1.1")).messages.map(\.authority) == ["o:443"])
        #expect(Parsed(request("CONNECT /a HTTP/1.1")).refusal == 400)
    }

    @Test("A query is decoded as HTML forms are written")
    func query() throws {
        var parser = RequestParser()
        let input = Array(request("GET /a?k=5&name=a+b%2Bc&flag&=x&&k=6 HTTP/1.1").utf8)
        guard case .head(let head) = try parser.parse(input.span).event else { return #expect(Bool(false), "there is a head") }
        #expect(head.target.query == "k=5&name=a+b%2Bc&flag&=x&&k=6")
        #expect(head.target.queryItems.map(\.name) == ["k", "name", "flag", "", "k"])
        #expect(head.target.queryItems.map(\.value) == ["5", "a b+c", "", "x", "6"])
        #expect(head.target.queryValue("k") == "5")
        #expect(head.target.queryValue("none") == nil)
    }

    @Test("A target at its limit passes, one octet more is a 414, and so is a line without an end")
    func targetLimit() throws {
        let limits = HTTPLimits()
        let atLimit = "/" + String(repeating: "a", count: limits.targetBytes - 1)
        #expect(atLimit.utf8.count >= 8_000)
        #expect(Parsed(request("GET \(atLimit) HTTP/1.1")).messages.count == 1)
        #expect(Parsed(request("GET \(atLimit)a HTTP/1.1")).refusal == 414)
        let endless = Array("GET /".utf8) + Array(repeating: UInt8(ascii: "a"), count: 20_000)
        #expect(Parsed(endless).refusal == 414)
        #expect(Parsed(endless, cuts: Array(0..<endless.count)) == Parsed(endless))
        #expect(Parsed(String(repeating: "A", count: 20_000)).refusal == 501)
    }

    @Test("One empty line before a request is ignored, before the next one as well, and two are not")
    func leadingEmptyLine() throws {
        let one = "\r\n" + request("GET /a HTTP/1.1") + "\r\n" + request("GET /b HTTP/1.1")
        #expect(try #require(Parsed.everyCut(of: Array(one.utf8))).messages.map(\.target) == ["/a", "/b"])
        #expect(Parsed("\r\n\r\n" + request("GET / HTTP/1.1")).refusal == 400)
    }

    @Test("What is not HTTP at all is a 400 at its first odd octet")
    func notHTTP() {
        let hello: [UInt8] = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03]
        #expect(Parsed(hello).refusal == 400)
        #expect(Parsed([0x80, 0x2E, 0x01]).refusal == 400)
        #expect(Parsed([0]).refusal == 400)
        #expect(Parsed("\n").refusal == 400)
        #expect(Parsed("\rX").refusal == 400)
        #expect(Parsed("GET / HTTP/1.1\nHost: h\n\n").refusal == 400)
    }
}
