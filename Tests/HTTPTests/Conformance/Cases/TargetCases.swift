extension ConformanceCase {
    /// Targets: their forms, what may stand in them, and what is hidden behind percent signs.
    static let targets: [ConformanceCase] =
        badTargets.map { .refused("The target \(shown($0))", "RFC 9112 §3.2", request("GET \($0) HTTP/1.1")) }
        + badEncodings.map { .refused("The target \(shown($0))", "RFC 3986 §2.1", request("GET \($0) HTTP/1.1")) }
        + dotSegments.map { .refused("The target \(shown($0))", "RFC 3986 §6.2.2.3", request("GET \($0) HTTP/1.1")) }
        + badAuthorities.map {
            .refused("The target http://\(shown($0))/hello", "RFC 9112 §3.2.2", request("GET http://\($0)/hello HTTP/1.1"))
        }
        + elsewhere.map {
            .answered(
                "The target \(shown($0))", "RFC 9110 §15.5.5", request("GET \($0) HTTP/1.1"), [Answer(status: 404)])
        }
        + goodTargets.map { .served("The target \(shown($0))", "RFC 9112 §3.2", request("GET \($0) HTTP/1.1"), "hello") }
        + absoluteForm + otherForms

    private static let badTargets = [
        // RFC 9112 §3.2: no fragment; RFC 3986 §3.3: no raw octets outside of its sets.
        "/hello#fragment", "/hello#", "#", "/hello?a#b", "http://h/hello#x", "/\0", "/hel\0lo", "/hello\0", "/\u{1}",
        "/hel\u{1F}lo", "/\u{7F}", "/caf\u{E9}", "/caf\u{C3}\u{A9}", "/\u{80}", "/\u{FF}", "/hello?\u{E9}", "/hello?\u{7F}",
        "/hello?a\0b", "/<b>", "/a|b", "/a\\b", "/\"", "/^", "/`", "/{a}", "/[a]",
        // None of the four forms, or one that is not for GET.
        "*", "*/hello", "hello", "hello/world", "h:80", "h", "?a", "../../../../etc/passwd", "./hello", "@", ":80", "\\hello",
        "http:/h/hello", "http:hello", "http://", "http:///hello", "http//h/hello", "://h/hello", "ftp://h/hello", "ws://h/hello",
        "file:///etc/passwd", "mailto:a@b", "urn:x:y", "javascript:alert(1)", "httpx://h/", "1http://h/", "http ://h/hello",
    ]

    private static let badEncodings = [
        "/%", "/hello%", "/%4", "/%zz", "/%4g", "/%g4", "/% 41", "/%%41", "/%u0041", "/%00", "/hello%00", "/%00hello", "/%0a",
        "/%0d%0aX:y", "/a%09b", "/%1f", "/%7f", "/%c0%af", "/%c0%ae%c0%ae/hello", "/%e0%80%af", "/%f0%80%80%af", "/%ff", "/%fe",
        "/%80", "/%ed%a0%80", "/%f4%90%80%80", "/%c3", "/%e2%82", "/hello?%", "/hello?a=%zz", "/hello?a=%00", "/hello?%00=a",
        "/hello?%c0%af", "/hello?a=%ff",
    ]

    private static let dotSegments = [
        "/..", "/.", "/../hello", "/./hello", "/a/../hello", "/hello/..", "/hello/.", "/%2e%2e/hello", "/%2E%2E/hello",
        "/.%2e/hello", "/%2e./hello", "/%2e/hello", "/a/%2e%2e/hello", "/%2e%2e", "http://h/../hello",
    ]

    private static let badAuthorities = [
        "", ":80", "u@h", "u:p@h", "@h", "h:x", "h:-1", "h:+80", "h:65536", "h:99999", "h:123456", "h:1:2", "h,i", "h%zz", "h\\i",
        "[::1", "::1]", "[]", "[::1]x", "[::1]:x", "[1::2::3]", "[:::]", "[g::1]", "[12345::1]", "[1.2.3.4]", "[::1%25lo]", "<h>",
        "h|i", "h^i", "\"h\"", "{h}", "h`",
    ]

    /// Well-formed targets of things that there are not.
    private static let elsewhere = [
        "/none", "/hello/", "/hello/x", "//hello", "/hello//", "//u@h/path", "/HELLO", "/%2fhello", "/hello%2f",
        "/hello%20", "/hello;a=b", "/hello=", "/*", "/...", "/..hello", "/hello..", "/http://h/hello", "/%25%32%65", "/:80",
        "/%E2%82%AC", "http://h//hello",
    ]

    private static let goodTargets = [
        "/", "/?", "/?a", "/hello", "/hello?", "/hello?a=b&c", "/hello?/?", "/hello?a=b?c=d", "/hello?%20+%2B", "/hello?a=..",
        "/h%65llo", "/%68%65%6C%6c%6F", "/hello?\u{7C}", "/hello?'()*,;:@!$", "/hello?q=%E2%82%AC",
    ]

    private static let absoluteForm: [ConformanceCase] =
        [
            "http://h/hello", "http://h:80/hello", "http://h:/hello", "http://other.example/hello", "http://127.0.0.1:8080/hello",
            "http://[::1]/hello", "http://[::1]:80/hello", "http://[::ffff:192.0.2.1]/hello", "http://[v1.a:b]/hello",
            "HTTP://H/hello", "https://h/hello", "http://h/hello?a", "http://h", "http://h/", "http://h?a", "http://%68/hello",
        ].map { .served("The target \(shown($0))", "RFC 9112 §3.2.2", request("GET \($0) HTTP/1.1"), "hello") } + [
            .served(
                "An absolute target's host goes before the Host field's", "RFC 9112 §3.2.2",
                request("GET http://one:81/seen?q HTTP/1.1", host: "two"), "GET /seen?q at one:81\n--\n--\n"),
            .served(
                "An absolute target in a 1.0 request without Host", "RFC 9112 §3.2.2",
                request("GET http://one/seen HTTP/1.0", host: nil, "Connection: keep-alive"),
                "GET /seen at one\nConnection: keep-alive\n--\n--\n"),
            .refused(
                "An absolute target does not take the place of Host", "RFC 9112 §3.2",
                request("GET http://h/hello HTTP/1.1", host: nil)),
            .refused(
                "An absolute target does not make a bad Host good", "RFC 9112 §3.2",
                request("GET http://h/hello HTTP/1.1", host: "a b")),
        ]

    private static let otherForms: [ConformanceCase] = [
        .answered(
            "OPTIONS of the server", "RFC 9110 §9.3.7", request("OPTIONS * HTTP/1.1"),
            [Answer(status: 204, fields: ["allow": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"])]),
        .answered(
            "OPTIONS of an absolute target without a path", "RFC 9112 §3.2.4", request("OPTIONS http://h:80 HTTP/1.1"),
            [Answer(status: 204, fields: ["allow": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"])]),
        .answered(
            "OPTIONS of an absolute target with a path", "RFC 9112 §3.2.4", request("OPTIONS http://h/hello HTTP/1.1"),
            [Answer(status: 204, fields: ["allow": "GET, HEAD, OPTIONS"])]),
        .refused("POST to the asterisk", "RFC 9112 §3.2.4", request("POST * HTTP/1.1", "Content-Length: 0")),
        .refused("NOTIFY to the asterisk", "RFC 9112 §3.2.4", request("NOTIFY * HTTP/1.1")),
        .refused("OPTIONS of two asterisks", "RFC 9112 §3.2.4", request("OPTIONS ** HTTP/1.1")),
        .refused("OPTIONS of an asterisk with a query", "RFC 9112 §3.2.4", request("OPTIONS *?a HTTP/1.1")),
        .refused("CONNECT to host and port", "RFC 9110 §9.3.6", request("CONNECT h:443 HTTP/1.1"), 501),
        .refused("CONNECT to an IPv6 address", "RFC 9110 §9.3.6", request("CONNECT [::1]:443 HTTP/1.1"), 501),
        .refused("CONNECT to a path", "RFC 9112 §3.2.3", request("CONNECT /hello HTTP/1.1")),
        .refused("CONNECT to a URI", "RFC 9112 §3.2.3", request("CONNECT http://h/hello HTTP/1.1")),
        .refused("CONNECT to a port that is no number", "RFC 9112 §3.2.3", request("CONNECT h:https HTTP/1.1")),
        .refused("CONNECT to a port out of range", "RFC 9112 §3.2.3", request("CONNECT h:65536 HTTP/1.1")),
    ]
}
