import HTTP

extension ConformanceCase {
    /// Trailer sections: held to the rules and limits of header sections, and never merged into them.
    static let trailers: [ConformanceCase] =
        badTrailers.map { .refused("The trailers \(shown($0))", "RFC 9112 §7.1.2", chunked("2\r\nhi\r\n0\r\n\($0)\r\n\r\n")) }
        + forbiddenTrailers.map { line in
            // RFC 9110 §6.5.1: what frames, routes or describes a message does nothing in a trailer section.
            .served(
                "The trailer \(shown(line))", "RFC 9110 §6.5.1",
                request("POST /seen HTTP/1.1", "Transfer-Encoding: chunked", body: "2\r\nhi\r\n0\r\n\(line)\r\n\r\n"),
                "POST /seen at h\nTransfer-Encoding: chunked\n--\n\(line)\n--\nhi")
        } + [
            .served(
                "Trailers reach the handler apart from the fields", "RFC 9110 §6.5",
                request(
                    "POST /seen HTTP/1.1", "A: b", "Transfer-Encoding: chunked", "Trailer: X",
                    body: "2\r\nhi\r\n0\r\nX:1\r\nx: \t2 \r\nA: c\r\nEmpty:\r\n\r\n"),
                "POST /seen at h\nA: b\nTransfer-Encoding: chunked\nTrailer: X\n--\nX: 1\nx: 2\nA: c\nEmpty: \n--\nhi"),
            .served(
                "Trailers of one request are not those of the next", "RFC 9110 §6.5",
                request("POST /seen HTTP/1.1", "Transfer-Encoding: chunked", body: "0\r\nX: y\r\n\r\n")
                    + request("POST /seen HTTP/1.1", "Transfer-Encoding: chunked", body: "0\r\n\r\n"),
                "POST /seen at h\nTransfer-Encoding: chunked\n--\nX: y\n--\n",
                "POST /seen at h\nTransfer-Encoding: chunked\n--\n--\n"),
            .refused(
                "A trailer over the limit", "RFC 6585 §5", chunked("0\r\nX: \(String(repeating: "x", count: 9_000))\r\n\r\n"), 431
            ),
            .refused("A trailer that does not end", "RFC 6585 §5", chunked("0\r\n" + String(repeating: "x", count: 9_000)), 431),
            .refused(
                "A trailer section over the limit", "RFC 6585 §5",
                chunked("0\r\n" + String(repeating: "X: \(String(repeating: "x", count: 7_000))\r\n", count: 5) + "\r\n"), 431),
            .refused("101 trailers", "RFC 6585 §5", chunked("0\r\n" + String(repeating: "X:\r\n", count: 101) + "\r\n"), 431),
            .served("100 trailers", "RFC 6585 §5", chunked("0\r\n" + String(repeating: "X:\r\n", count: 100) + "\r\n"), ""),
        ]

    private static let badTrailers = [
        " X: y", "\tX: y", "X: y\r\n z", "X : y", "X\t: y", "X", "no colon", ": y", ":", "X(: y", "X\0: y", "X: \0", "X: a\u{1}b",
        "X: a\u{7F}", "X: a\nY: b", "X: a\rY: b", "X: y\n", "X: y\r", "\n", "\rX: y", "\u{E9}: y", "Transfer-Encoding : chunked",
        "GET /hello HTTP/1.1",
    ]

    private static let forbiddenTrailers = [
        "Content-Length: 99", "Content-Length: abc", "Transfer-Encoding: gzip", "Transfer-Encoding: chunked", "Host: evil",
        "Host: a b", "Content-Type: text/html", "Content-Encoding: gzip", "Authorization: Bearer x", "Connection: close",
        "Expect: 200-ok", "Trailer: X", "Cookie: a=b", "Cache-Control: no-store", "Content-Range: bytes 0-1/2",
    ]
}
