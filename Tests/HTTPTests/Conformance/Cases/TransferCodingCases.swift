extension ConformanceCase {
    /// What Transfer-Encoding may say.
    static let transferCodings: [ConformanceCase] =
        badCodings.map {
            .refused("The coding \(shown($0))", "RFC 9112 §6.3", post("Transfer-Encoding: \($0)", body: "0\r\n\r\n"))
        }
        + badCodingLines.map { .refused("The lines \(shown($0))", "RFC 9112 §6.1", post($0, body: "0\r\n\r\n")) }
        + ["gzip, chunked", "deflate, chunked", "gzip,chunked", "gzip;q=1, chunked", "br, gzip, chunked", "identity, chunked"].map
    {
        .refused("The coding \(shown($0))", "RFC 9112 §6.1", post("Transfer-Encoding: \($0)", body: "0\r\n\r\n"), 501)
    }
        + goodCodings.map {
            .served("The line \(shown($0))", "RFC 9112 §7", post($0, body: "5\r\nhello\r\n0\r\n\r\n"), "hello")
        } + codingsOfOthers

    private static let badCodings = [
        // Chunked is not there, not last or not once.
        "gzip", "identity", "deflate", "xchunked", "chunkedx", "chunkedchunked", "chunke", "hunked", "doves", "chunked, gzip",
        "chunked, identity", "chunked, chunked", "chunked,chunked", "chunked, chunked, chunked", "gzip, chunked, chunked",
        "chunked, x, chunked", "Chunked, CHUNKED", "chunked, deflate, gzip",
        // It is, but not only: an empty element, a parameter, quotes, other separators.
        "", " ", ",", ", chunked", ",chunked", "chunked,", "chunked, ", "chunked,,", ",,chunked", "chunked;q=1", "chunked; q=1",
        "chunked;", "chunked;a=b", "\"chunked\"", "'chunked'", "chunked x", "x chunked", "chunked\tx", "chunked.", "chunked;gzip",
        "chunked gzip", "chunk ed", "chunked=1", "[chunked]", "(chunked)", "chunked(x)", "chunked/1", "-chunked", "chunked-",
        // Octets that some take for spaces and some for letters.
        "\u{B}chunked", "chunked\u{B}", "\u{C}chunked", "chunked\u{C}", "\0chunked", "chunked\0", "\u{1}chunked", "chunked\u{1}",
        "chunked\u{11}", "chunked\u{7F}", "\u{A0}chunked", "chunked\u{A0}", "\u{85}chunked", "chunked\u{80}",
        "chun\u{E2}\u{84}\u{AA}ed", "\u{C7}\u{B2}hunked", "chunk\u{C3}\u{A9}d", "\u{EF}\u{BB}\u{BF}chunked",
        "\u{E2}\u{80}\u{8B}chunked", "c\u{CC}\u{A7}hunked", "chunked\r", "\rchunked", "chunked\n", "\nchunked",
    ]

    private static let badCodingLines = [
        // With Content-Length, in either order and however bad the one or the other is.
        "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\r\nContent-Length: 0", "Content-Length: 0\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: identity\r\nContent-Length: 5", "Content-Length: 5\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: xchunked\r\nContent-Length: 5", "Transfer-Encoding:\r\nContent-Length: 5",
        "Transfer-Encoding: gzip, chunked\r\nContent-Length: 5", "Transfer-Encoding: chunked\r\nContent-Length: abc",
        "Transfer-Encoding: chunked\r\nContent-Length:", "Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: 5",
        "transfer-encoding: Chunked\r\ncontent-length: 5", "Transfer-Encoding: chunked\r\nConnection: close\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\nContent-Length: 6",
        "Content-Length: 99999\r\nTransfer-Encoding: chunked",
        // More than once.
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "transfer-encoding: chunked\r\nTRANSFER-ENCODING: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding:", "Transfer-Encoding:\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: xchunked", "Transfer-Encoding:\r\nTransfer-Encoding:",
        // Names and lines that some recipients understand and some do not.
        "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", " Transfer-Encoding: chunked",
        "X: y\r\n Transfer-Encoding: chunked", "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: chunked\r\n ",
        "Transfer-Encoding: chun\r\n ked", "Transfer-Encoding\u{B}: chunked", "\u{B}Transfer-Encoding: chunked",
        "Transfer-Encoding\0: chunked", "X: y\nTransfer-Encoding: chunked", "X: y\rTransfer-Encoding: chunked",
        "Transfer-Encoding", "Transfer-Encoding chunked", "Transfer-Encoding;chunked", "Transfer-Encoding\n: chunked",
        "Transfer-Encoding\r\n: chunked", "Transfer Encoding: chunked", "Transfer-Encoding: chunked\nX: y",
        ":Transfer-Encoding: chunked",
    ]

    private static let goodCodings = [
        "Transfer-Encoding: chunked", "Transfer-Encoding: Chunked", "Transfer-Encoding: CHUNKED", "transfer-encoding: cHuNkEd",
        "TRANSFER-ENCODING: chunked", "Transfer-Encoding:chunked", "Transfer-Encoding:\tchunked\t",
        "Transfer-Encoding:   chunked   ", "Transfer-Encoding: chunked\r\nTE: trailers",
        "Transfer-Encoding: chunked\r\nContent_Length: 3", "X: Transfer-Encoding\r\nTransfer-Encoding: chunked",
    ]

    private static let codingsOfOthers: [ConformanceCase] = [
        .refused(
            "Chunks in 1.0", "RFC 9112 §6.1",
            request("POST /echo HTTP/1.0", "Transfer-Encoding: chunked", body: "5\r\nhello\r\n0\r\n\r\n")),
        .refused(
            "Chunks in 1.0 that would keep alive", "RFC 9112 §6.1",
            request("POST /echo HTTP/1.0", "Transfer-Encoding: chunked", "Connection: keep-alive", body: "0\r\n\r\n")),
        .refused(
            "Both lengths in 1.0", "RFC 9112 §6.1",
            request("POST /echo HTTP/1.0", "Transfer-Encoding: chunked", "Content-Length: 5", body: "0\r\n\r\n")),
        .refused(
            "Another coding in 1.0", "RFC 9112 §6.1", request("GET /hello HTTP/1.0", "Transfer-Encoding: identity")),
        .served(
            "Chunks in 1.2", "RFC 9110 §2.5",
            request("POST /echo HTTP/1.2", "Transfer-Encoding: chunked", body: "5\r\nhello\r\n0\r\n\r\n"), "hello"),
        .refused("A coding of a GET", "RFC 9112 §6.3", request("GET /hello HTTP/1.1", "Transfer-Encoding: gzip")),
        .refused("A coding to nothing", "RFC 9112 §6.3", request("POST /none HTTP/1.1", "Transfer-Encoding: gzip")),
        .served(
            "A name that is not quite Transfer-Encoding", "RFC 9112 §6.3",
            request("POST /echo HTTP/1.1", "Transfer_Encoding: chunked", "Content-Length: 5", body: "0\r\n\r\n"), "0\r\n\r\n"),
    ]
}
