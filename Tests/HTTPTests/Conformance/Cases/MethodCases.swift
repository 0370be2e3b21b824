extension ConformanceCase {
    /// Methods: those of the resource, those of others, and those of nobody.
    static let methods: [ConformanceCase] =
        ["BREW", "PROPFIND", "MKCOL", "ANNOUNCE", "get", "Get", "GETS", "GE", "G", "G!T", "GET.", "~"].map {
            .answered(
                "The method \($0)", "RFC 9110 §9.1", request("\($0) /hello HTTP/1.1"), [Answer(status: 501)])
        }
        + [("DELETE", ""), ("POST", "Content-Length: 0"), ("PUT", "Content-Length: 0"), ("PATCH", "Content-Length: 0")].map {
            .answered(
                "\($0) where only GET is allowed", "RFC 9110 §15.5.6",
                request("\($0) /hello HTTP/1.1", $1.isEmpty ? "A: b" : $1),
                [Answer(status: 405, fields: ["allow": "GET, HEAD, OPTIONS"])])
        } + known + bodies

    private static let known: [ConformanceCase] = [
        .served("GET", "RFC 9110 §9.3.1", request("GET /hello HTTP/1.1"), "hello"),
        .answered(
            "HEAD has the fields of GET and no content", "RFC 9110 §9.3.2",
            request("GET /hello HTTP/1.1") + request("HEAD /hello HTTP/1.1") + request("GET /hello HTTP/1.1"),
            [
                Answer(status: 200, fields: helloFields, body: "hello"),
                Answer(status: 200, fields: helloFields, body: "", hasContent: false),
                Answer(status: 200, fields: helloFields, body: "hello"),
            ]),
        .answered(
            "HEAD of nothing has no content, either", "RFC 9110 §9.3.2", request("HEAD /none HTTP/1.1"),
            [Answer(status: 404, fields: ["content-type": "text/plain; charset=utf-8"], body: "", hasContent: false)]),
        .answered(
            "A refused HEAD has no content, either", "RFC 9110 §9.3.2", request("HEAD /hello HTTP/1.1", "Bad : x"),
            [Answer(status: 400, body: "", hasContent: false)], .closed),
        .answered(
            "OPTIONS", "RFC 9110 §9.3.7", request("OPTIONS /echo HTTP/1.1"),
            [Answer(status: 204, fields: ["allow": "GET, HEAD, OPTIONS, POST"])]),
        .answered(
            "OPTIONS of nothing", "RFC 9110 §15.5.5", request("OPTIONS /none HTTP/1.1"), [Answer(status: 404)]),
        .answered("TRACE", "RFC 9110 §9.3.8", request("TRACE /hello HTTP/1.1"), [Answer(status: 501)]),
        .answered(
            "TRACE with a body", "RFC 9110 §9.3.8", request("TRACE /hello HTTP/1.1", "Content-Length: 5", body: "hello"),
            [Answer(status: 501)]),
        .served("DELETE without a body", "RFC 9110 §9.3.5", request("DELETE /seen HTTP/1.1"), "DELETE /seen at h\n--\n--\n"),
        .served(
            "PUT", "RFC 9110 §9.3.4", request("PUT /seen HTTP/1.1", "Content-Length: 2", body: "hi"),
            "PUT /seen at h\nContent-Length: 2\n--\n--\nhi"),
        .served(
            "PATCH", "RFC 5789 §2", request("PATCH /seen HTTP/1.1", "Content-Length: 2", body: "hi"),
            "PATCH /seen at h\nContent-Length: 2\n--\n--\nhi"),
        .refused("POST without a length", "RFC 9110 §15.5.12", request("POST /echo HTTP/1.1"), 411),
        .refused("PUT without a length", "RFC 9110 §15.5.12", request("PUT /seen HTTP/1.1"), 411),
        .refused("PATCH without a length", "RFC 9110 §15.5.12", request("PATCH /seen HTTP/1.1"), 411),
        .refused(
            "POST without a length in 1.0", "RFC 9110 §15.5.12",
            request("POST /echo HTTP/1.0", "Connection: keep-alive"), 411),
        .refused(
            "POST without a length, but with what looks like a body", "RFC 9112 §6.3",
            request("POST /echo HTTP/1.1", body: "GET /hello HTTP/1.1\r\n\r\n"), 411),
    ]

    private static let helloFields = ["content-type": "text/plain; charset=utf-8", "content-length": "5"]

    /// Bodies of methods that have none: they are read, and are not the next request.
    private static let bodies: [ConformanceCase] = [
        .served(
            "GET with a body", "RFC 9110 §9.3.1",
            request("GET /hello HTTP/1.1", "Content-Length: 5", body: "hello") + request("GET /echo HTTP/1.1"), "hello", ""),
        .served(
            "GET with a body that looks like a request", "RFC 9112 §11.2",
            request("GET /echo HTTP/1.1", "Content-Length: 22", body: "GET /none HTTP/1.1\r\n\r\n"),
            "GET /none HTTP/1.1\r\n\r\n"),
        .served(
            "GET with chunks", "RFC 9110 §9.3.1",
            request("GET /echo HTTP/1.1", "Transfer-Encoding: chunked", body: "5\r\nhello\r\n0\r\n\r\n"), "hello"),
        .answered(
            "HEAD with a body", "RFC 9110 §9.3.2",
            request("HEAD /hello HTTP/1.1", "Content-Length: 5", body: "hello") + request("GET /hello HTTP/1.1"),
            [Answer(status: 200, body: "", hasContent: false), Answer(status: 200, body: "hello")]),
        .answered(
            "OPTIONS with a body", "RFC 9110 §9.3.7",
            request("OPTIONS /hello HTTP/1.1", "Content-Length: 22", body: "GET /none HTTP/1.1\r\n\r\n")
                + request("GET /hello HTTP/1.1"),
            [Answer(status: 204), Answer(status: 200, body: "hello")]),
        .served(
            "DELETE with a body", "RFC 9110 §9.3.5",
            request("DELETE /seen HTTP/1.1", "Content-Length: 2", body: "hi"),
            "DELETE /seen at h\nContent-Length: 2\n--\n--\nhi"),
        .answered(
            "A body of a method that is not allowed", "RFC 9110 §15.5.6",
            request("POST /hello HTTP/1.1", "Content-Length: 5", body: "hello") + request("GET /hello HTTP/1.1"),
            [Answer(status: 405), Answer(status: 200, body: "hello")]),
        .answered(
            "Chunks to nothing", "RFC 9110 §15.5.5",
            request("POST /none HTTP/1.1", "Transfer-Encoding: chunked", body: "5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n")
                + request("GET /hello HTTP/1.1"),
            [Answer(status: 404), Answer(status: 200, body: "hello")]),
        .answered(
            "Bad chunks of a request that is refused already", "RFC 9112 §9.6",
            request("POST /none HTTP/1.1", "Transfer-Encoding: chunked", body: "G\r\n") + request("GET /hello HTTP/1.1"),
            [Answer(status: 404)], .dropped),
        .answered(
            "A body of an unknown method", "RFC 9110 §9.1",
            request("BREW /hello HTTP/1.1", "Content-Length: 5", body: "hello") + request("GET /hello HTTP/1.1"),
            [Answer(status: 501), Answer(status: 200, body: "hello")]),
    ]
}
