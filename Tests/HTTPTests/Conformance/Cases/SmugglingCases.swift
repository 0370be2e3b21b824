extension ConformanceCase {
    /// Whole attacks: a request hidden in another's body, or behind its end, for a server that takes the other's end to be
    /// elsewhere. There is one answer, and the hidden request is never run.
    static let smuggling: [ConformanceCase] =
        smuggled.map { .refused("Smuggling by \($0.0)", "RFC 9112 §11.2", $0.1 + hidden) }
        + [
            .served(
                "What looks like CL.0", "RFC 9112 §6.3",
                request("POST /echo HTTP/1.1", "Content-Length: \(hidden.utf8.count)", body: hidden)
                    + request("GET /hello HTTP/1.1"),
                hidden, "hello"),
            .served(
                "What looks like 0.CL", "RFC 9112 §6.3",
                request("GET /echo HTTP/1.1", "Content-Length: 5", body: "GET /") + request("GET /hello HTTP/1.1"),
                "GET /", "hello"),
            .served(
                "A request hidden in a chunk", "RFC 9112 §7.1",
                chunked("\(String(hidden.utf8.count, radix: 16))\r\n\(hidden)\r\n0\r\n\r\n"), hidden),
            .answered(
                "A request behind the last chunk is the next", "RFC 9112 §7.1",
                chunked("0\r\n\r\n") + request("GET /none HTTP/1.1"),
                [Answer(status: 200, body: ""), Answer(status: 404)]),
            .answered(
                "A length that lies to the next request", "RFC 9112 §6.3",
                request("GET /hello HTTP/1.1", "Content-Length: 4", body: "GPOST / HTTP/1.1\r\n\r\n"),
                [Answer(status: 200, body: "hello"), Answer(status: 400)], .closed),
            .refused(
                "A request in an Expect with both lengths", "RFC 9112 §11.2",
                request(
                    "POST /echo HTTP/1.1", "Expect: 100-continue", "Transfer-Encoding: chunked", "Content-Length: 4",
                    body: "0\r\n\r\n")
                    + hidden),
            .refused(
                "A request split by CR LF in its target", "RFC 9112 §11.1", "GET /a\r\nHost: h\r\n\r\nGET /hello HTTP/1.1\r\n\r\n"
            ),
        ]

    /// The request that is hidden.
    private static let hidden = request("GET /seen?hidden HTTP/1.1")

    private static let smuggled = [
        ("CL.TE", post("Content-Length: 6\r\nTransfer-Encoding: chunked", body: "0\r\n\r\n")),
        ("TE.CL", post("Transfer-Encoding: chunked\r\nContent-Length: 4", body: "2\r\nhi\r\n0\r\n\r\n")),
        ("TE.TE with a coding unknown", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x", body: "0\r\n\r\n")),
        ("TE.TE with an unknown coding first", post("Transfer-Encoding: x\r\nTransfer-Encoding: chunked x", body: "0\r\n\r\n")),
        ("a space before the colon", post("Content-Length: 5\r\nTransfer-Encoding : chunked", body: "0\r\n\r\n")),
        ("a tab before the coding's name", post("Content-Length: 5\r\nTransfer-Encoding:\tchunked", body: "0\r\n\r\n")),
        ("a vertical tab", post("Content-Length: 5\r\nTransfer-Encoding:\u{B}chunked", body: "0\r\n\r\n")),
        ("xchunked", post("Content-Length: 5\r\nTransfer-Encoding: xchunked", body: "0\r\n\r\n")),
        ("a coding in quotes", post("Content-Length: 5\r\nTransfer-Encoding: \"chunked\"", body: "0\r\n\r\n")),
        ("a folded coding", post("Content-Length: 5\r\nTransfer-Encoding:\r\n chunked", body: "0\r\n\r\n")),
        ("a coding behind LF", post("Content-Length: 5\r\nX: y\nTransfer-Encoding: chunked", body: "0\r\n\r\n")),
        ("a coding behind CR", post("Content-Length: 5\r\nX: y\rTransfer-Encoding: chunked", body: "0\r\n\r\n")),
        ("a letter that is a k only in Unicode", post("Transfer-Encoding: chun\u{E2}\u{84}\u{AA}ed", body: "0\r\n\r\n")),
        ("two lengths", post("Content-Length: 5\r\nContent-Length: 0", body: "hello")),
        ("a list of lengths", post("Content-Length: 5, 0", body: "hello")),
        ("a length with a sign", post("Content-Length: +5", body: "hello")),
        ("a length in hexadecimal", post("Content-Length: 0x5", body: "hello")),
        ("a folded length", post("Content-Length:\r\n 5", body: "hello")),
        ("a length that overflows to 5", post("Content-Length: 18446744073709551621", body: "hello")),
        (
            "chunks in 1.0",
            request("POST /echo HTTP/1.0", "Transfer-Encoding: chunked", "Connection: keep-alive", body: "0\r\n\r\n")
        ),
        ("LF behind a chunk's size", chunked("0\n\r\n")),
        ("LF in a chunk's extension", chunked("5;\nhello\r\n0\r\n\r\n")),
        ("CR in a chunk's extension", chunked("5;a\rhello\r\n0\r\n\r\n")),
        ("two octets of data instead of CR LF", chunked("5\r\nhelloXX0\r\n\r\n")),
        ("LF behind a chunk's data", chunked("5\r\nhello\n0\r\n\r\n")),
        ("a size that overflows to 5", chunked("10000000000000005\r\nhello\r\n0\r\n\r\n")),
        ("a size with a prefix", chunked("0x5\r\nhello\r\n0\r\n\r\n")),
        ("a size with an underscore", chunked("1_0\r\nhello\r\n0\r\n\r\n")),
        ("LF behind the trailers", chunked("0\r\nX: y\n\r\n")),
        ("an empty Host and another", request("GET /hello HTTP/1.1", host: "", "Host: h")),
        ("a target with a tab", "GET /hello\tHTTP/1.1\r\nHost: h\r\n\r\n"),
        ("a line before the fields", "GET /hello HTTP/1.1\r\n \r\nHost: h\r\n\r\n"),
    ]
}
