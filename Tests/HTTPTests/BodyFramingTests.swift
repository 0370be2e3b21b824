import HTTP
import HTTPTypes
import Testing

@Suite("Bodies")
struct BodyFramingTests {
    private func post(_ fields: String, body: String = "", version: String = "1.1") -> String {
        "POST /p HTTP/\(version)\r\nHost: h\r\n\(fields)\r\n\r\n\(body)"
    }

    @Test(
        "A Content-Length that is not one number is a 400",
        arguments: [
            "Content-Length: abc", "Content-Length: +5", "Content-Length: -1", "Content-Length: 0x5", "Content-Length: 1_0",
            "Content-Length: 5 5", "Content-Length: \"5\"", "Content-Length:", "Content-Length: 5,5", "Content-Length: 5.0",
            "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: ５",
            "Content-Length: 123456789012345678901234567890", "Content-Length: 99999999999999999999",
            "Content-Length: 9999999999999999999", "content-length: 5\r\nCONTENT-LENGTH: 5",
        ])
    func badLength(_ field: String) throws {
        let parsed = try #require(Parsed.everyCut(of: Array(post(field, body: "12345").utf8)))
        #expect(parsed.refusal == 400)
        #expect(parsed.heads == 0)
    }

    @Test(
        "What leaves the end of the body in doubt is a 400",
        arguments: [
            "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "Transfer-Encoding: gzip", "Transfer-Encoding: chunked, gzip", "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding:",
            "Transfer-Encoding: identity", "Transfer-Encoding: chunked;a=b", "Transfer-Encoding: , chunked",
            "Transfer-Encoding: chunked,", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked x",
            "Transfer-Encoding: gzip, chunked, chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip",
        ])
    func doubtfulFraming(_ fields: String) throws {
        let parsed = try #require(Parsed.everyCut(of: Array(post(fields, body: "0\r\n\r\n").utf8)))
        #expect(parsed.refusal == 400)
        #expect(parsed.heads == 0)
    }

    @Test("Transfer-Encoding in HTTP/1.0 is a 400, another coding under chunked a 501")
    func otherCodings() {
        #expect(Parsed(post("Transfer-Encoding: chunked", body: "0\r\n\r\n", version: "1.0")).refusal == 400)
        #expect(Parsed(post("Transfer-Encoding: gzip, chunked")).refusal == 501)
        #expect(Parsed(post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked")).refusal == 501)
    }

    @Test("A body of a given length ends after it, and the next request follows")
    func length() throws {
        for text in ["", "x", "hello\r\n\r\n", "GET / HTTP/1.1\r\n"] {
            let input = post("Content-Length: \(text.utf8.count)", body: text) + request("GET /next HTTP/1.1")
            let parsed = try #require(Parsed.everyCut(of: Array(input.utf8)))
            #expect(parsed.messages.map(\.body) == [text, ""])
        }
        #expect(Parsed(post("Content-Length: 0005", body: "12345")).messages.map(\.body) == ["12345"])
    }

    @Test("A length over the limit is a 413 before any of the body comes, one at the limit is not")
    func lengthLimit() {
        var limits = HTTPLimits()
        limits.bodyBytes = 10
        #expect(Parsed(post("Content-Length: 10", body: "0123456789"), limits: limits).messages.count == 1)
        let refused = Parsed(post("Content-Length: 11"), limits: limits)
        #expect(refused.refusal == 413)
        #expect(refused.heads == 0)
        #expect(Parsed(post("Content-Length: 999999999999999999")).refusal == 413)
    }

    @Test("A body that does not come to its end is no request")
    func truncation() {
        for body in ["", "1234"] {
            let parsed = Parsed(post("Content-Length: 5", body: body))
            #expect(parsed.messages.isEmpty && parsed.heads == 1 && parsed.refusal == nil && parsed.isInside)
        }
        #expect(Parsed(post("Transfer-Encoding: chunked", body: "5\r\nhello\r\n0\r\n")).messages.isEmpty)
    }

    @Test(
        "Chunks are put together, extensions ignored",
        arguments: [
            ("0\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"), ("1\r\na\r\n2\r\nbc\r\n000\r\n\r\n", "abc"),
            ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"), ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
            ("0000000000000002\r\n\r\n\r\n0\r\n\r\n", "\r\n"), ("2;a=b;c\r\nhi\r\n0;x=\"y\"\r\n\r\n", "hi"),
            ("2 ; a=b\r\nhi\r\n0\r\n\r\n", "hi"),
        ])
    func chunks(_ body: String, _ text: String) throws {
        let input = post("Transfer-Encoding: Chunked", body: body) + request("GET /next HTTP/1.1")
        let parsed = try #require(Parsed.everyCut(of: Array(input.utf8)))
        #expect(parsed.messages.map(\.body) == [text, ""])
    }

    @Test(
        "What is not a chunk is a 400",
        arguments: [
            "0x5\r\nhello\r\n", "+1\r\na\r\n", "-1\r\na\r\n", "1_0\r\na\r\n", " 5\r\nhello\r\n", "5 \r\nhello\r\n",
            "5 5\r\nhello\r\n",
            "\r\nhello\r\n", "G\r\nhello\r\n", "00000000000000005\r\nhello\r\n", ";a\r\n\r\n", "5\r\nhelloX\r\n",
            "5\r\nhelloX0\r\n\r\n",
            "5\r\nhello0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\nhello\r\n", "5\r\nhello\r0\r\n", "5\r\rhello",
            "5;a\u{1}\r\nhello\r\n",
            "5,5\r\nhello\r\n", "0\r\n bad: folded\r\n\r\n", "0\r\nnocolon\r\n\r\n", "0\r\nA : b\r\n\r\n", "0\r\n\n",
        ])
    func badChunks(_ body: String) throws {
        let parsed = try #require(Parsed.everyCut(of: Array(post("Transfer-Encoding: chunked", body: body).utf8)))
        #expect(parsed.refusal == 400)
        #expect(parsed.messages.isEmpty)
    }

    @Test("Chunks over the limit are a 413 as soon as a size says so")
    func chunkLimit() {
        var limits = HTTPLimits()
        limits.bodyBytes = 6
        let chunked = "Transfer-Encoding: chunked"
        #expect(
            Parsed(post(chunked, body: "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"), limits: limits).messages.map(\.body) == ["abcdef"])
        #expect(Parsed(post(chunked, body: "3\r\nabc\r\n4\r\n"), limits: limits).refusal == 413)
        #expect(Parsed(post(chunked, body: "FFFFFFFFFFFFFFFF\r\n")).refusal == 413)
        #expect(Parsed(post(chunked, body: "7FFFFFFFFFFFFFFF\r\n")).refusal == 413)
    }

    @Test("Chunk extensions together are bounded, however they are spread over the chunks")
    func extensionLimit() {
        let limit = HTTPLimits().chunkExtensionBytes
        let one = "1;" + String(repeating: "x", count: limit - 1) + "\r\na\r\n0\r\n\r\n"
        let chunked = "Transfer-Encoding: chunked"
        #expect(Parsed(post(chunked, body: one)).messages.count == 1)
        #expect(Parsed(post(chunked, body: "1;" + String(repeating: "x", count: limit) + "\r\n")).refusal == 400)
        let many = String(repeating: "1;x\r\na\r\n", count: limit / 2 + 1) + "0\r\n\r\n"
        #expect(Parsed(post(chunked, body: many)).refusal == 400)
    }

    @Test("Trailers are parsed, kept apart from the header, and bounded")
    func trailers() throws {
        let body = "1\r\na\r\n0\r\nX-Sum: 1\r\nContent-Length: 99\r\nHost: evil\r\n\r\n"
        let input = post("Transfer-Encoding: chunked", body: body) + request("GET /next HTTP/1.1")
        let parsed = try #require(Parsed.everyCut(of: Array(input.utf8)))
        #expect(parsed.messages.first?.trailers == ["X-Sum: 1", "Content-Length: 99", "Host: evil"])
        #expect(parsed.messages.first?.fields == ["Transfer-Encoding: chunked"])
        #expect(parsed.messages.map(\.authority) == ["h", "h"])
        let long = "0\r\nX: " + String(repeating: "x", count: 9_000) + "\r\n\r\n"
        #expect(Parsed(post("Transfer-Encoding: chunked", body: long)).refusal == 431)
        let many = "0\r\n" + String(repeating: "X: y\r\n", count: 101) + "\r\n"
        #expect(Parsed(post("Transfer-Encoding: chunked", body: many)).refusal == 431)
    }

    @Test("A body that is skipped is counted and not kept, and the next request follows")
    func skipping() throws {
        for framing in ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"] {
            let input = Array(("POST /a HTTP/1.1\r\nHost: h\r\n" + framing + request("GET /b HTTP/1.1")).utf8)
            var parser = RequestParser()
            var position = 0
            var (bodies, targets): ([Int], [String]) = ([], [])
            while true {
                let step = try parser.parse(input.span.extracting(position..<input.count))
                position += step.consumed
                guard let event = step.event else { break }
                switch event {
                case .head(let head):
                    targets.append(head.target.raw)
                    parser.skipBody(atMost: 5)
                case .end(let body, _): bodies.append(body.count)
                }
            }
            #expect(targets == ["/a", "/b"])
            #expect(bodies == [0, 0])
        }
    }

    @Test("A body that is skipped is still held to its limit")
    func skippingLimit() throws {
        var parser = RequestParser()
        let head = Array("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        _ = try parser.parse(head.span)
        parser.skipBody(atMost: 5)
        let body = Array("6\r\nabcdef\r\n".utf8)
        let error = #expect(throws: ProtocolError.self) { try parser.parse(body.span) }
        #expect(error?.status == .contentTooLarge)
    }
}
