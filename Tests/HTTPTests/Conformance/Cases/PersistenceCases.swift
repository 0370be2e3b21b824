extension ConformanceCase {
    /// Which connections go on, and in which order their requests are answered.
    static let persistence: [ConformanceCase] =
        [
            "close", "Close", "CLOSE", "close ", "x, close", "close,x", " , close ,", "keep-alive, close", "close, keep-alive",
            "x\r\nConnection: close",
        ]
        .map {
            .answered(
                "Connection: \(shown($0)) in 1.1", "RFC 9112 §9.6", request("GET /hello HTTP/1.1", "Connection: \($0)"),
                [Answer(status: 200, body: "hello")], .closed)
        }
        + ["keep-alive", "Keep-Alive", "x", "", ",", "closed", "clos", "\"close\"", "close;q=1", "close x", "x\r\nConnection: y"]
        .map {
            .served(
                "Connection: \(shown($0)) in 1.1", "RFC 9112 §9.3", request("GET /hello HTTP/1.1", "Connection: \($0)"), "hello")
        }
        + ["keep-alive", "Keep-Alive", "KEEP-ALIVE", "x, keep-alive", "keep-alive, x", "x\r\nConnection: keep-alive"].map {
            .answered(
                "Connection: \(shown($0)) in 1.0", "RFC 9112 §9.3", request("GET /hello HTTP/1.0", "Connection: \($0)"),
                [Answer(status: 200, fields: ["connection": "keep-alive"], body: "hello")])
        }
        + [
            "", "close", "x", "keep-alive, close", "close, keep-alive", "keepalive", "\u{E2}\u{84}\u{AA}eep-alive",
            "keep-alive;x",
        ].map {
            .answered(
                "Connection: \(shown($0)) in 1.0", "RFC 9112 §9.3", request("GET /hello HTTP/1.0", "Connection: \($0)"),
                [Answer(status: 200, body: "hello")], .closed)
        } + versions + pipelines

    private static let versions: [ConformanceCase] = [
        .answered(
            "No Connection in 1.0", "RFC 9112 §9.3", "GET /hello HTTP/1.0\r\n\r\n", [Answer(status: 200, body: "hello")], .closed),
        .served("No Connection in 1.1", "RFC 9112 §9.3", request("GET /hello HTTP/1.1"), "hello"),
        .answered(
            "Connection: close and what comes after it", "RFC 9112 §9.6",
            request("GET /hello HTTP/1.1", "Connection: close") + request("GET /hello HTTP/1.1"),
            [Answer(status: 200, body: "hello")], .closed),
        .answered(
            "1.0 and what comes after it", "RFC 9112 §9.3", request("GET /hello HTTP/1.0") + request("GET /hello HTTP/1.0"),
            [Answer(status: 200, body: "hello")], .closed),
        .answered(
            "Connection: close of a request that is not allowed", "RFC 9112 §9.6",
            request("DELETE /hello HTTP/1.1", "Connection: close"), [Answer(status: 405)], .closed),
        .answered(
            "Connection: close of an OPTIONS", "RFC 9112 §9.6", request("OPTIONS * HTTP/1.1", "Connection: close"),
            [Answer(status: 204)], .closed),
        .answered(
            "1.0 and 1.1 in turn", "RFC 9112 §9.3",
            request("GET /hello HTTP/1.0", "Connection: keep-alive") + request("GET /hello HTTP/1.1")
                + request("GET /hello HTTP/1.0", "Connection: keep-alive"),
            [
                Answer(status: 200, fields: ["connection": "keep-alive"]), Answer(status: 200),
                Answer(status: 200, fields: ["connection": "keep-alive"]),
            ]),
    ]

    private static let pipelines: [ConformanceCase] = [
        .answered(
            "Requests of every kind in a row", "RFC 9112 §9.3.2",
            request("GET /hello HTTP/1.1") + post("Content-Length: 3", body: "abc") + request("GET /none HTTP/1.1")
                + chunked("2\r\nde\r\n0\r\n\r\n") + request("HEAD /hello HTTP/1.1") + request("OPTIONS * HTTP/1.1")
                + request("GET /hello HTTP/1.1"),
            [
                Answer(status: 200, body: "hello"), Answer(status: 200, body: "abc"), Answer(status: 404),
                Answer(status: 200, body: "de"), Answer(status: 200, body: "", hasContent: false), Answer(status: 204),
                Answer(status: 200, body: "hello"),
            ]),
        .refused(
            "A bad request, and a good one behind it", "RFC 9112 §9.6",
            request("GET /hello HTTP/1.1", "Bad : x") + request("GET /hello HTTP/1.1")),
        .refused(
            "A bad line, and a good request behind it", "RFC 9112 §9.6", "nonsense\r\n\r\n" + request("GET /hello HTTP/1.1")),
        .refused(
            "A bad length, and a good request behind it", "RFC 9112 §6.3",
            post("Content-Length: 5x", body: "hello") + request("GET /hello HTTP/1.1")),
        .refused(
            "A bad chunk, and a good request behind it", "RFC 9112 §7.1",
            chunked("Z\r\n0\r\n\r\n") + request("GET /hello HTTP/1.1")),
        .answered(
            "A good request, and a bad one behind it", "RFC 9112 §9.3.2", request("GET /hello HTTP/1.1") + "nonsense\r\n\r\n",
            [Answer(status: 200, body: "hello"), Answer(status: 400)], .closed),
        .answered(
            "A good one, a bad one, and a good one", "RFC 9112 §9.3.2",
            request("GET /hello HTTP/1.1") + request("GET /hello HTTP/1.1", host: nil) + request("GET /hello HTTP/1.1"),
            [Answer(status: 200, body: "hello"), Answer(status: 400)], .closed),
        .answered(
            "A refusal that closes, and a good request behind it", "RFC 9110 §15.5.12",
            request("POST /echo HTTP/1.1") + request("GET /hello HTTP/1.1"), [Answer(status: 411)], .closed),
    ]
}
