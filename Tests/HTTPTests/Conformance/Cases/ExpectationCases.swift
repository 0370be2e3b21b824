extension ConformanceCase {
    /// Expect. Whether a 100 comes where one may is for the tests of waiting clients.
    static let expectations: [ConformanceCase] =
        [
            "200-ok", "100", "continue", "100-continue, x", "x, 100-continue", "100-continue; q=1", "\"100-continue\"",
            "100-continue x", "", ",", "100-\u{E2}\u{84}\u{AA}ontinue",
        ].map {
            .answered(
                "Expect: \(shown($0))", "RFC 9110 §10.1.1",
                request("POST /echo HTTP/1.1", "Expect: \($0)", "Content-Length: 0") + request("GET /hello HTTP/1.1"),
                [Answer(status: 417), Answer(status: 200, body: "hello")])
        }
        + ["100-continue", "100-Continue", "100-CONTINUE", " 100-continue ", ",100-continue"].map {
            .answered(
                "Expect: \(shown($0)) and a body", "RFC 9110 §10.1.1",
                request("POST /echo HTTP/1.1", "Expect: \($0)", "Content-Length: 5", body: "hello"),
                [Answer(status: 200, body: "hello")], mayContinue: true)
        } + [
            .answered(
                "100 expected for chunks", "RFC 9110 §10.1.1",
                request(
                    "POST /echo HTTP/1.1", "Expect: 100-continue", "Transfer-Encoding: chunked", body: "2\r\nhi\r\n0\r\n\r\n"),
                [Answer(status: 200, body: "hi")], mayContinue: true),
            .served(
                "100 expected for an empty body", "RFC 9110 §10.1.1",
                request("POST /echo HTTP/1.1", "Expect: 100-continue", "Content-Length: 0"), ""),
            .served(
                "100 expected for no body", "RFC 9110 §10.1.1", request("GET /hello HTTP/1.1", "Expect: 100-continue"), "hello"),
            .served(
                "100 expected in 1.0", "RFC 9110 §10.1.1",
                request(
                    "POST /echo HTTP/1.0", "Expect: 100-continue", "Connection: keep-alive", "Content-Length: 5", body: "hello"),
                "hello"),
            .answered(
                "Something else expected in 1.0", "RFC 9110 §10.1.1",
                request("GET /hello HTTP/1.0", "Expect: x", "Connection: keep-alive"), [Answer(status: 417)]),
            .refused(
                "100 expected without a length", "RFC 9110 §15.5.12",
                request("POST /echo HTTP/1.1", "Expect: 100-continue"), 411),
            .refused(
                "100 expected of nothing", "RFC 9110 §10.1.1",
                request("POST /none HTTP/1.1", "Expect: 100-continue", "Content-Length: 5", body: "hello"), 404),
            .refused(
                "100 expected where only GET is allowed", "RFC 9110 §10.1.1",
                request("POST /hello HTTP/1.1", "Expect: 100-continue", "Transfer-Encoding: chunked", body: "0\r\n\r\n"), 405),
            .refused(
                "100 expected for a body that is too large", "RFC 9110 §15.5.14",
                request("POST /echo HTTP/1.1", "Content-Length: 1001", "Expect: 100-continue", body: "hello"), 413),
            .refused(
                "100 expected with bad framing", "RFC 9112 §6.3",
                request("POST /echo HTTP/1.1", "Expect: 100-continue", "Content-Length: 5", "Transfer-Encoding: chunked")),
            .answered(
                "417 and a body to be dropped", "RFC 9110 §15.5.18",
                request("POST /echo HTTP/1.1", "Expect: x", "Content-Length: 5", body: "hello"), [Answer(status: 417)], .closed),
            .answered(
                "Two Expects", "RFC 9110 §10.1.1",
                request("POST /echo HTTP/1.1", "Expect: 100-continue", "Expect: x", "Content-Length: 0"), [Answer(status: 417)]),
        ]
}
