extension ConformanceCase {
    /// Field lines: names, colons, values and line ends.
    static let fields: [ConformanceCase] =
        badNames.map { .refused("The name \(shown($0))", "RFC 9112 §5.1", request("GET /hello HTTP/1.1", "\($0): x")) }
        + badValues.map { .refused("The value \(shown($0))", "RFC 9110 §5.5", request("GET /hello HTTP/1.1", "X: \($0)")) }
        + badEnds.map { .refused("The lines \(shown($0))", "RFC 9112 §2.2", "GET /hello HTTP/1.1\r\nHost: h\($0)\r\n\r\n") }
        + badFolds.map { .refused("The lines \(shown($0))", "RFC 9112 §5.2", "GET /hello HTTP/1.1\r\n\($0)\r\n\r\n") }
        + goodLines.map { .served("The line \(shown($0))", "RFC 9112 §5", request("GET /hello HTTP/1.1", $0), "hello") }
        + goodNames.map {
            .served("The name \(shown($0))", "RFC 9110 §5.6.2", request("GET /hello HTTP/1.1", "\($0): x"), "hello")
        }
        + asSeen

    private static let badNames =
        // Every ASCII character that is no token's, but for the colon.
        "\"(),/;<=>?@[\\]{} ".map { "X\($0)Y" }
        + [
            "", " ", "\t", "X ", "X\t", "X  ", "X\0", "\0X", "X\u{1}", "\u{1}X", "X\u{7F}", "X\u{B}Y", "X\u{E9}", "\u{FF}",
            "X\u{A0}", "\u{E2}\u{80}\u{8B}X", "X[]", "X@", "Content-Length ", "Content-Length\t", "Content-Length\u{C}",
            "Transfer-Encoding ", "Transfer-Encoding\t", "Transfer- Encoding", "Transfer-Encoding x", "\u{1}Transfer-Encoding",
            "Transfer-Encoding\u{88}", "\u{A0}Content-Length", "Tran\u{C5}\u{BF}fer-Encoding", "Transfer-Encod\u{C4}\u{B1}ng",
            "Transfer\u{E2}\u{80}\u{95}Encoding", "Host ",
        ]

    private static let badValues = [
        "\0", "a\0", "\0a", "a\0b", "\u{1}", "a\u{1}b", "a\u{7}", "a\u{8}b", "a\u{B}b", "a\u{C}b", "a\u{1B}[31m", "a\u{1F}b",
        "a\u{7F}b", "\u{7F}", "a\rb", "a\r\rb", "a\nb", "a\nY: b", "a\rY: b", "a\n b", "\n", "a\n", "a\r", "a\r\r",
    ]

    private static let badEnds = [
        "\nX: y", "\rX: y", "\n\rX: y", "\r\n\nX: y", "\r\n\rX: y", "\r\n\r\r", "\r\n\rAGET /none HTTP/1.1", "\r\nX: y\n\r",
        "\r\nX:\rTransfer-Encoding: chunked", "\r\nX:\nTransfer-Encoding: chunked", "\r\nX: y\nContent-Length: 23",
    ]

    private static let badFolds = [
        "Host: h\r\nX: a\r\n b", "Host: h\r\nX: a\r\n\tb", "Host: h\r\nX: a\r\n ", "Host: h\r\nX:\r\n a",
        "Host: h\r\nX: a\r\n \r\nY: b", "Host: h\r\nX\r\n : a", "Host:\r\n h", "Host: h\r\nTransfer-Encoding:\r\n chunked",
        "Host: h\r\nX: a\r\n Content-Length: 38",
        // Before the first field, which is no continuation of anything.
        " Host: h", "\tHost: h", " \r\nHost: h", " X: y\r\nHost: h", " ", "\t \r\nHost: h",
        // No colon.
        "Host: h\r\nNoColon", "Host: h\r\nno colon", "NoColon\r\nHost: h", "Host: h\r\nX", "Host: h\r\nX = y", "Host: h\r\n;",
        "Host h",
    ]

    private static let goodLines = [
        "X:", "X: ", "X:\t", "X:y", "X:\ty\t", "X:   y   ", "X: a b\tc", "X: ,;:@\"\\()", "X: caf\u{E9}", "X: caf\u{C3}\u{A9}",
        "X: \u{80}\u{FF}", "X: :", "X: Y: z", "X: =?utf-8?q?a?=", "X: \\0", "X: 'a'", "x: a\r\nX: b\r\nx: a", "Connection: X",
        "Trailer: X-Sum", "TE: trailers, deflate;q=0.5", "Range: bytes=0-1", "Range: bytes=9-1, x",
        "Upgrade: websocket\r\nConnection: Upgrade",
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__", "Upgrade: x/1",
        "If-Modified-Since: yesterday", "Cookie: a=b; c=d", "Proxy-Connection: close", "Keep-Alive: timeout=5, max=0",
        "Date: never", "Content_Length: 5", "Transfer_Encoding: chunked", "Transfer---Encoding: chunked", "X-Content-Length: x",
        "Max-Forwards: 0", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "X-HTTP-Method-Override: DELETE", "Origin: null",
        "Forwarded: for=\"[::1]\"",
    ]

    private static let goodNames = ["!", "#$%&'*+-.^_`|~", "0", "a", "x-1", "X_Y", "Content-length-x", "*"]

    private static let asSeen: [ConformanceCase] = [
        .served(
            "Fields reach the handler in their order, each with its own name and value", "RFC 9110 §5.3",
            request("GET /seen HTTP/1.1", "b:1", "A: \t2 3\t ", "B: 4", "c:", "a: 2,3"),
            "GET /seen at h\nb: 1\nA: 2 3\nB: 4\nc: \na: 2,3\n--\n--\n"),
        .served(
            "A Range changes nothing", "RFC 9110 §14.2", request("GET /hello HTTP/1.1", "Range: bytes=1-2", "If-Range: \"a\""),
            "hello"),
        .served(
            "An upgrade of a POST changes nothing", "RFC 9110 §7.8",
            request("POST /echo HTTP/1.1", "Upgrade: websocket", "Connection: upgrade", "Content-Length: 2", body: "hi"), "hi"),
    ]
}
