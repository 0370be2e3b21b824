import Foundation
import JSON
import Testing

/// What HTTP itself refuses, as problem documents of the service.
@Suite("Refusals by HTTP's own rules")
struct ProtocolRefusalTests {
    private let server: InfluencedServer
    private let body = Data(Demo.question(3).serialized())

    init() throws { server = try Demo.server() }

    @Test(
        "content types that are not JSON",
        arguments: ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "json"])
    func contentType(type: String) throws {
        let answer = try server.exchange("POST", "/influence", ["Content-Type": type], body: body)
        try answer.expectProblem(415, "unsupported-media-type", instance: "/influence")
        #expect(answer.fields["accept"] == "application/json")
    }

    @Test(
        "JSON by any of its spellings is JSON",
        arguments: [
            "application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8",
            "application/json; charset=\"utf-8\"",
        ])
    func goodContentType(type: String) throws {
        #expect(try server.exchange("POST", "/influence", ["Content-Type": type], body: body).status == 200)
    }

    @Test("a character set that JSON does not have")
    func charset() throws {
        let answer = try server.exchange(
            "POST", "/influence", ["Content-Type": "application/json; charset=utf-16"], body: body)
        try answer.expectProblem(415, "unsupported-media-type")
    }

    @Test("content codings", arguments: ["gzip", "br", "identity, gzip"])
    func contentEncoding(coding: String) throws {
        let fields = InfluencedServer.jsonFields.merging(["Content-Encoding": coding]) { $1 }
        let answer = try server.exchange("POST", "/predict", fields, body: body)
        try answer.expectProblem(415, "unsupported-content-encoding", instance: "/predict")
        #expect(answer.fields["accept-encoding"] == "identity")
    }

    @Test(
        "answers wanted in a format that there is not",
        arguments: ["text/html", "application/xml, text/*", "application/json;q=0"])
    func notAcceptable(accept: String) throws {
        let post = try server.exchange(
            "POST", "/influence", InfluencedServer.jsonFields.merging(["Accept": accept]) { $1 }, body: body)
        try post.expectProblem(406, "not-acceptable", instance: "/influence")
        try server.exchange("GET", "/models", ["Accept": accept]).expectProblem(406, "not-acceptable", instance: "/models")
    }

    @Test("answers wanted in ranges that JSON is in", arguments: ["*/*", "application/*", "text/html, application/json;q=0.5"])
    func acceptable(accept: String) throws {
        #expect(try server.exchange("GET", "/models", ["Accept": accept]).status == 200)
    }

    @Test(
        "a path that there is not is a 404 that names it",
        arguments: ["/", "/influences", "/models/digits/x", "/models/", "/influence/"])
    func unknownPath(path: String) throws {
        let problem = try server.get(path).expectProblem(404, "not-found", instance: path)
        #expect(problem.text.contains(path))
    }

    @Test(
        "a method that a path does not have is a 405 that says which it has",
        arguments: [
            ("GET", "/influence", "OPTIONS, POST"), ("PUT", "/predict", "OPTIONS, POST"),
            ("DELETE", "/models/digits", "GET, HEAD, OPTIONS"), ("POST", "/health/live", "GET, HEAD, OPTIONS"),
        ])
    func wrongMethod(method: String, path: String, allow: String) throws {
        let answer = try server.exchange(method, path, body: method == "GET" ? nil : Data())
        try answer.expectProblem(405, "method-not-allowed", instance: path)
        #expect(answer.fields["allow"] == allow)
    }

    @Test("a body without its length is a 411")
    func lengthRequired() throws {
        let client = try HTTPClient(port: server.port)
        client.send("POST", "/influence", InfluencedServer.jsonFields)
        try client.answer().expectProblem(411, "length-required", instance: "/influence")
    }

    @Test("a chunked body is read like any other")
    func chunked() throws {
        let fields = InfluencedServer.jsonFields.merging(["Transfer-Encoding": "chunked"]) { $1 }
        let head = body.prefix(20), tail = body.dropFirst(20)
        let chunks =
            Data("14\r\n".utf8) + head + Data("\r\n\(String(tail.count, radix: 16))\r\n".utf8) + tail
            + Data("\r\n0\r\n\r\n".utf8)
        #expect(try server.exchange("POST", "/influence", fields, body: chunks).status == 200)
    }

    @Test("a body beyond the limit is a 413, said beforehand or not")
    func tooLarge() throws {
        let small = try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_SERVER_MAXIMUM_BODY_BYTES": "2048"])
        let padding = Data(String(repeating: " ", count: 4_000).utf8)
        let fields = InfluencedServer.jsonFields
        try small.exchange("POST", "/influence", fields, body: body + padding)
            .expectProblem(413, "content-too-large", instance: "/influence")
        let client = try HTTPClient(port: small.port)
        client.send("POST", "/influence", fields.merging(["Content-Length": "99999999999"]) { $1 })
        try client.answer().expectProblem(413, "content-too-large", instance: "/influence")
        let chunked = Data("fa0\r\n".utf8) + padding + Data("\r\n0\r\n\r\n".utf8)
        try small.exchange("POST", "/influence", fields.merging(["Transfer-Encoding": "chunked"]) { $1 }, body: chunked)
            .expectProblem(413, "content-too-large")
        #expect(try small.exchange("POST", "/influence", fields, body: body).status == 200)
        #expect(try small.get("/info").json["limits"]?["max_body_bytes"] == 2_048)
    }

    @Test("a target or a header section that is too long")
    func tooLong() throws {
        let long = String(repeating: "a", count: 9_000)
        try server.get("/models/" + long).expectProblem(414)
        try server.exchange("GET", "/models", ["X-Long": long]).expectProblem(431)
    }

    @Test(
        "what is not HTTP is refused with 400",
        arguments: ["nonsense\r\n\r\n", "GET /models\r\n\r\n", "GET /models HTTP/1.1\r\n\r\n"])
    func noHTTP(text: String) throws {
        let client = try HTTPClient(port: server.port)
        client.send(Data(text.utf8))
        try client.answer().expectProblem(400)
    }

    @Test(
        "names in a path that stand for nothing",
        arguments: [
            ("/models/digit", "unknown-model", "digits"), ("/datasets/digits", "unknown-dataset", "digits-test"),
            ("/datasets/nope/examples/0", "unknown-dataset", "digits-test"),
            ("/datasets/digits-test/examples/400", "unknown-index", "399"),
            ("/datasets/digits-test/examples/-1", "unknown-index", "399"),
            ("/datasets/digits-test/examples/1.5", "unknown-index", "399"),
            ("/datasets/digits-test/examples/99999999999999999999", "unknown-index", "399"),
            ("/models/%2e%2e%2fetc", "unknown-model", "digits"), ("/models/%C3%A4%22", "unknown-model", "digits"),
        ])
    func unknownName(path: String, kind: String, mention: String) throws {
        let problem = try server.get(path).expectProblem(404, kind, instance: path)
        #expect(problem.text.contains(mention))
    }
}
