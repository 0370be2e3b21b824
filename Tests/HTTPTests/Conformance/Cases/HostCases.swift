extension ConformanceCase {
    /// The Host field: how many, and what may stand in it.
    static let hosts: [ConformanceCase] =
        badHosts.map {
            .refused("The host \(shown($0))", "RFC 9112 §3.2", request("GET /hello HTTP/1.1", host: $0))
        }
        + goodHosts.map {
            .served(
                "The host \(shown($0))", "RFC 9110 §7.2", request("GET /seen HTTP/1.1", host: $0),
                "GET /seen at \($0)\n--\n--\n")
        } + hostCounts

    private static let badHosts =
        // One of each character that is in no host.
        "@/,\\?#<>\"{}|^`[]".map { "a\($0)b" }
        + [
            "a b", "a\tb", "a\0b", "a\u{7F}b", "a\u{1}b", "caf\u{E9}", "caf\u{C3}\u{A9}", "\u{E2}\u{84}\u{AA}", "a\u{A0}", "",
            " ", ":", ":80", "@h", "u@h", "u:p@h", "h/", "/h", "http://h", "h,h", "h, h", ",h", "h,", "h:x", "h:80x", "h:-80",
            "h:+80", "h: 80", "h :80", "h:8 0", "h:65536", "h:99999", "h:100000", "h:00000000080", "h:1:2", "h::80", "::1",
            "fe80::1:80", "[::1", "::1]", "[]", "[]:80", "[::1]x", "[::1]80", "[::1]:x", "[::1]:65536", "[::1]]", "[[::1]]",
            "[h]", "[zz]", "[1::2::3]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]", "[12345::]", "[:1]", "[127.0.0.1]", "[::1 ]",
            "[fe80::1%25eth0]", "[fe80::1%eth0]", "[v.x]", "[v1]", "[v1.]", "[vg.x]", "x[::1]", "%", "%4", "%zz", "a%",
        ]

    private static let goodHosts = [
        "h", "H", "example.com", "example.com.", "h:", "h:0", "h:80", "h:00080", "h:65535", "localhost:8080", "127.0.0.1",
        "127.0.0.1:80", "1.2.3.4.5", "[::1]", "[::1]:80", "[::1]:", "[::]", "[2001:DB8::a]", "[1:2:3:4:5:6:7:8]",
        "[::ffff:192.0.2.1]:8080", "[v1.fe:x]", "[vF.a~b]", "a-b.c", "under_score-dash.example", "xn--caf-dma.example", "%41",
        "a%2Cb", "a'b", "a(b)", "a*b", "a;b", "a=b", "a!$&+b", "~",
    ]

    private static let hostCounts: [ConformanceCase] = [
        .refused("No Host in 1.1", "RFC 9112 §3.2", request("GET /hello HTTP/1.1", host: nil)),
        .refused("No Host in 1.1 and other fields", "RFC 9112 §3.2", request("GET /hello HTTP/1.1", host: nil, "X-Host: h")),
        .refused("No Host in 1.2", "RFC 9112 §3.2", request("GET /hello HTTP/1.2", host: nil)),
        .refused("No Host with OPTIONS of the server", "RFC 9112 §3.2", request("OPTIONS * HTTP/1.1", host: nil)),
        .refused("Two equal Hosts", "RFC 9112 §3.2", request("GET /hello HTTP/1.1", "Host: h")),
        .refused("Two Hosts", "RFC 9112 §3.2", request("GET /hello HTTP/1.1", "Host: other")),
        .refused("Two Hosts of different case", "RFC 9112 §3.2", request("GET /hello HTTP/1.1", "hOST: h")),
        .refused("Two Hosts far apart", "RFC 9112 §3.2", request("GET /hello HTTP/1.1", "A: b", "C: d", "Host: h")),
        .refused("Two Hosts, one of them empty", "RFC 9112 §3.2", request("GET /hello HTTP/1.1", "Host:")),
        .refused("Three Hosts", "RFC 9112 §3.2", request("GET /hello HTTP/1.1", "Host: h", "Host: h")),
        .refused("Two Hosts in 1.0", "RFC 9112 §3.2", request("GET /hello HTTP/1.0", "Host: h")),
        .refused("A bad Host in 1.0", "RFC 9112 §3.2", request("GET /hello HTTP/1.0", host: "a b")),
        .served(
            "No Host in 1.0", "RFC 9112 §3.2", request("GET /seen HTTP/1.0", host: nil, "Connection: keep-alive"),
            "GET /seen at no host\nConnection: keep-alive\n--\n--\n"),
        .served(
            "A Host after other fields", "RFC 9112 §3.2", request("GET /hello HTTP/1.1", host: nil, "A: b", "hoSt:\th\t"), "hello"
        ),
        .served("A Host without a space before it", "RFC 9112 §5.1", "GET /hello HTTP/1.1\r\nHost:h\r\n\r\n", "hello"),
    ]
}
