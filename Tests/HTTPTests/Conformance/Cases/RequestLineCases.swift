extension ConformanceCase {
    /// The first line: its three parts, its version, and what is no request line at all.
    static let requestLines: [ConformanceCase] =
        badLines.map { .refused("The line \(shown($0))", "RFC 9112 §3", request($0)) }
        + badVersions.map { .refused("The version \(shown($0))", "RFC 9112 §2.3", request("GET /hello \($0)")) }
        + ["HTTP/2.0", "HTTP/2.1", "HTTP/0.9", "HTTP/3.0", "HTTP/9.9", "HTTP/5.6"].map {
            .refused("The version \(shown($0))", "RFC 9110 §15.6.6", request("GET /hello \($0)"), 505)
        }
        + ["HTTP/1.2", "HTTP/1.9"].map {
            .served("The version \(shown($0)) as 1.1", "RFC 9110 §2.5", request("GET /hello \($0)"), "hello")
        } + notHTTP + emptyLines

    private static let badLines = [
        // A part is missing.
        "GET", "GET ", "GET /hello", "GET /hello ", "GET HTTP/1.1", "/hello HTTP/1.1", " /hello HTTP/1.1", "HTTP/1.1",
        // More or other whitespace than two spaces.
        "GET  /hello HTTP/1.1", "GET /hello  HTTP/1.1", "GET  HTTP/1.1", " GET /hello HTTP/1.1", "GET /hello HTTP/1.1 ",
        "GET\t/hello HTTP/1.1", "GET /hello\tHTTP/1.1", "\tGET /hello HTTP/1.1", "GET /hello HTTP/1.1\t",
        "GET\u{B}/hello HTTP/1.1", "GET\u{C}/hello HTTP/1.1", "GET\u{A0}/hello HTTP/1.1", "   ", "\t",
        // A part too many.
        "GET /hello HTTP/1.1 HTTP/1.1", "GET /a b HTTP/1.1", "GET /hello HTTP/1.1 x", "Extra GET /hello HTTP/1.1",
        // Methods that are no tokens.
        "GE(T /hello HTTP/1.1", "G@T /hello HTTP/1.1", "GET, /hello HTTP/1.1", "\"GET\" /hello HTTP/1.1", "GET: /hello HTTP/1.1",
        "G\u{C9}T /hello HTTP/1.1", "G\0T /hello HTTP/1.1", "GET\u{1} /hello HTTP/1.1", "[GET] /hello HTTP/1.1",
        "{} /hello HTTP/1.1", "<GET> /hello HTTP/1.1", "/ /hello HTTP/1.1",
        // A line break within, or a status line.
        "GET /hel\rlo HTTP/1.1", "GET /hel\nlo HTTP/1.1", "HTTP/1.1 200 OK",
    ]

    private static let badVersions = [
        "HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP/", "HTTP", "HTTP/1.10", "HTTP/1.01", "HTTP/01.1", "HTTP/11", "HTTP/1.1.1",
        "HTTP/11.1", "http/1.1", "Http/1.1", "HTTp/1.1", "HTTP/1,1", "HTTP/1.x", "HTTP/x.1", "HTTP/+1.1", "HTTP/-1.1",
        "HTTP/1.+1", "HTTP/1.-1", "HTTP/1.1a", "HTTP /1.1", "HTTP/ 1.1", "HTTP/1 .1", "HTTP-1.1", "HTTPS/1.1", "IHTTP/1.0",
        "ICE/1.0", "RTSP/1.0", "XTTP/1.1", "HTTP/2.71828", "HTTP/9999999999.9", "HTTP/\u{B2}.0", "HTTP/1.1\0", "HTTP/1.1\u{7F}",
        "1.1", "\"HTTP/1.1\"",
    ]

    private static let notHTTP: [ConformanceCase] = [
        .refused("An HTTP/0.9 request", "RFC 9112 §3", "GET /hello\r\n"),
        .refused("An HTTP/0.9 request of two lines", "RFC 9112 §3", "GET /hello\r\n\r\n"),
        .refused("A TLS hello", "RFC 9112 §2.2", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{FC}\u{3}\u{3}\u{AA}\u{BB}\r\n"),
        .refused("An SSL 2 hello", "RFC 9112 §2.2", "\u{80}\u{2E}\u{1}\0\u{2}\0\u{15}\0\0\0\u{10}"),
        .refused("Octets of every kind", "RFC 9112 §2.2", "\u{8F}\u{3}z\u{E1}\u{9}\u{FF}\u{1B}\u{7F}\u{C3}\r\n\r\n\u{5}\u{D2}"),
        .refused("A NUL", "RFC 9112 §2.2", "\0"),
        .refused("A SOCKS 5 hello", "RFC 9112 §2.2", "\u{5}\u{1}\0"),
        .refused("The preface of HTTP/2", "RFC 9110 §15.6.6", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        .refused("A line of JSON", "RFC 9112 §3", "{\"method\": \"eth_getWork\", \"id\": 1}\n"),
        .refused("A greeting of SMTP", "RFC 9112 §3", "EHLO example.com\r\n"),
        .refused("A line that ends with LF alone", "RFC 9112 §2.2", "GET /hello HTTP/1.1\nHost: h\n\n"),
        .refused("A first line that ends with LF alone", "RFC 9112 §2.2", "GET /hello HTTP/1.1\nHost: h\r\n\r\n"),
        .refused("A line that ends with CR alone", "RFC 9112 §2.2", "GET /hello HTTP/1.1\rHost: h\r\n\r\n"),
        .refused("A line that ends with CR CR LF", "RFC 9112 §2.2", "GET /hello HTTP/1.1\r\r\nHost: h\r\n\r\n"),
        .refused("A line that ends with LF CR", "RFC 9112 §2.2", "GET /hello HTTP/1.1\n\rHost: h\n\r\n\r"),
    ]

    private static let emptyLines: [ConformanceCase] = [
        .served("One empty line first", "RFC 9112 §2.2", "\r\n" + request("GET /hello HTTP/1.1"), "hello"),
        .served(
            "One empty line before each request", "RFC 9112 §2.2",
            "\r\n" + post("Content-Length: 2", body: "hi") + "\r\n" + request("GET /hello HTTP/1.1") + "\r\n", "hi", "hello"),
        .refused("Two empty lines first", "RFC 9112 §2.2", "\r\n\r\n" + request("GET /hello HTTP/1.1")),
        .refused("An empty line that ends with LF alone", "RFC 9112 §2.2", "\n" + request("GET /hello HTTP/1.1")),
        .refused("A CR first", "RFC 9112 §2.2", "\r" + request("GET /hello HTTP/1.1")),
        .refused("A space and an empty line first", "RFC 9112 §2.2", " \r\n" + request("GET /hello HTTP/1.1")),
        .answered(
            "Two empty lines after a request", "RFC 9112 §2.2", request("GET /hello HTTP/1.1") + "\r\n\r\n",
            [Answer(status: 200), Answer(status: 400)], .closed),
    ]
}
