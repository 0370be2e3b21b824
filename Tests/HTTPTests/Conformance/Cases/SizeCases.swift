import HTTP

extension ConformanceCase {
    /// What is at a limit, and one more.
    static let sizes: [ConformanceCase] = targetSizes + fieldSizes + bodySizes

    private static var limits: HTTPLimits { WitnessServer.limits }

    private static func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

    private static let targetSizes: [ConformanceCase] = [
        .served(
            "A target of 8,000 octets", "RFC 9112 §3", request("GET /hello?\(repeated("a", 7_993)) HTTP/1.1"), "hello"),
        .served(
            "A target at the limit", "RFC 9112 §3",
            request("GET /hello?\(repeated("a", limits.targetBytes - 7)) HTTP/1.1"), "hello"),
        .answered(
            "A path at the limit", "RFC 9112 §3", request("GET /\(repeated("a", limits.targetBytes - 1)) HTTP/1.1"),
            [Answer(status: 404)]),
        .refused(
            "A target over the limit by one", "RFC 9112 §3",
            request("GET /hello?\(repeated("a", limits.targetBytes - 6)) HTTP/1.1"), 414),
        .refused("A target of 20,000 octets", "RFC 9112 §3", request("GET /\(repeated("a", 20_000)) HTTP/1.1"), 414),
        .refused("A target of 20,000 octets and no end", "RFC 9112 §3", "GET /" + repeated("%41", 6_667), 414),
        .refused("A line of 20,000 spaces", "RFC 9112 §3", "GET" + repeated(" ", 20_000), 414),
        .answered(
            "A method of 100 octets", "RFC 9112 §3", request("\(repeated("M", 100)) /hello HTTP/1.1"), [Answer(status: 501)]),
        .refused("A method of 10,000 octets", "RFC 9112 §3", request("\(repeated("M", 10_000)) /hello HTTP/1.1"), 501),
        .refused("A version of 10,000 octets", "RFC 9112 §3", request("GET /hello HTTP/\(repeated("1", 10_000))"), 414),
    ]

    private static let fieldSizes: [ConformanceCase] = [
        .served(
            "A field at the limit", "RFC 6585 §5",
            request("GET /hello HTTP/1.1", "A: " + repeated("x", limits.fieldBytes - 3)), "hello"),
        .refused(
            "A field over the limit by one", "RFC 6585 §5",
            request("GET /hello HTTP/1.1", "A: " + repeated("x", limits.fieldBytes - 2)), 431),
        .refused(
            "A field over the limit by whitespace", "RFC 6585 §5",
            request("GET /hello HTTP/1.1", "A: x" + repeated(" ", limits.fieldBytes - 3)), 431),
        .refused(
            "A name over the limit", "RFC 6585 §5", request("GET /hello HTTP/1.1", repeated("A", 10_000) + ": x"), 431),
        .refused("A name over the limit and no end", "RFC 6585 §5", "GET /hello HTTP/1.1\r\n" + repeated("A", 10_000), 431),
        .refused(
            "A Host over the limit", "RFC 6585 §5", request("GET /hello HTTP/1.1", host: repeated("h", 10_000)), 431),
        .refused(
            "A section over the limit", "RFC 6585 §5",
            request("GET /hello HTTP/1.1", (0..<5).map { "A\($0): " + repeated("x", 7_000) }.joined(separator: "\r\n")), 431),
        .served(
            "100 fields", "RFC 6585 §5",
            request("GET /hello HTTP/1.1", (1..<100).map { "A\($0): x" }.joined(separator: "\r\n")), "hello"),
        .refused(
            "101 fields", "RFC 6585 §5",
            request("GET /hello HTTP/1.1", (1..<101).map { "A\($0): x" }.joined(separator: "\r\n")), 431),
        .refused("101 equal fields", "RFC 6585 §5", "GET /hello HTTP/1.1\r\n" + repeated("A:\r\n", 101) + "Host: h\r\n\r\n", 431),
    ]

    private static let bodySizes: [ConformanceCase] =
        [
            .served(
                "A body at the limit", "RFC 9110 §15.5.14",
                post("Content-Length: \(limits.bodyBytes)", body: repeated("b", limits.bodyBytes)),
                repeated("b", limits.bodyBytes)),
            .refused(
                "A length over the limit by one, and nothing of the body", "RFC 9110 §15.5.14",
                post("Content-Length: \(limits.bodyBytes + 1)"), 413),
            .refused(
                "A length over the limit, and the body", "RFC 9110 §15.5.14",
                post("Content-Length: \(limits.bodyBytes + 1)", body: repeated("b", limits.bodyBytes + 1)), 413),
            .refused("A length of gigabytes", "RFC 9110 §15.5.14", post("Content-Length: 999999999999"), 413),
            .refused("The greatest length in 64 bits", "RFC 9110 §15.5.14", post("Content-Length: 9223372036854775807"), 413),
            .refused(
                "A length over the limit of a GET", "RFC 9110 §15.5.14",
                request("GET /hello HTTP/1.1", "Content-Length: 1001"), 413),
            .refused(
                "A length over the limit to nothing", "RFC 9110 §15.5.14",
                request("POST /none HTTP/1.1", "Content-Length: 1001"), 413),
            .refused(
                "A length over the limit, and 100 expected", "RFC 9110 §10.1.1",
                request("POST /echo HTTP/1.1", "Expect: 100-continue", "Content-Length: 1001"), 413),
            .served(
                "Chunks at the limit", "RFC 9110 §15.5.14",
                post(
                    "Transfer-Encoding: chunked",
                    body: "1F4\r\n\(repeated("c", 500))\r\n1f4\r\n\(repeated("c", 500))\r\n0\r\n\r\n"),
                repeated("c", 1_000)),
            .refused(
                "A chunk over the limit by one", "RFC 9110 §15.5.14", post("Transfer-Encoding: chunked", body: "3E9\r\n"), 413),
            .refused(
                "Chunks over the limit by one", "RFC 9110 §15.5.14",
                post("Transfer-Encoding: chunked", body: "3E8\r\n\(repeated("c", 1_000))\r\n1\r\n"), 413),
        ]
        + ["7FFFFFFFFFFFFFFF", "8000000000000000", "FFFFFFFFFFFFFFFF", "00000000FFFFFFFF", "100000000"].map {
            .refused("A chunk of \($0) octets", "RFC 9112 §7.1", post("Transfer-Encoding: chunked", body: "\($0)\r\nhello"), 413)
        }
}
