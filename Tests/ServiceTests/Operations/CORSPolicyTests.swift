import HTTP
import HTTPTypes
import Testing

@testable import Service

@Suite("Cross-origin requests")
struct CORSPolicyTests {
    private let listed = "https://a.example"

    private func amended(
        _ origins: [String], _ method: HTTPRequest.Method, _ fields: HTTPFields, _ response: Response = .text("ok")
    ) throws -> Response {
        var response = response
        try CORSPolicy(origins: origins).amend(&response, method: method, fields: fields)
        return response
    }

    /// What a browser asks before it sends a request with a body of JSON or a key.
    private func preflight(from origin: String) -> HTTPFields {
        [.origin: origin, .accessControlRequestMethod: "POST", .accessControlRequestHeaders: "authorization,content-type"]
    }

    private let options = Response.empty(fields: [.allow: "OPTIONS, POST"])
    private let exposed = "X-Request-Id, traceparent, Server-Timing, Retry-After, ETag"

    @Test("without configuration nothing is added")
    func unconfigured() throws {
        #expect(try amended([], [.origin: listed]) == .text("ok"))
        #expect(try amended([], .options, preflight(from: listed), options) == options)
    }

    @Test("a page of a listed origin may read the answer and its fields")
    func allowed() throws {
        let added = try amended([listed, "http://localhost:3000"], [.origin: listed]).fields
        #expect(added[.accessControlAllowOrigin] == listed && added[.vary] == "Origin")
        #expect(added[.accessControlExposeHeaders] == exposed)
        #expect(added[.accessControlAllowCredentials] == nil)
        #expect(added[.accessControlAllowMethods] == nil)
        let other = try amended([listed, "http://localhost:3000"], [.origin: "http://localhost:3000"]).fields
        #expect(other[.accessControlAllowOrigin] == "http://localhost:3000")
    }

    @Test("errors may be read too")
    func errors() throws {
        let answer = try amended([listed], .post, [.origin: listed], .text("no", status: .unauthorized))
        #expect(answer.status == .unauthorized && answer.fields[.accessControlAllowOrigin] == listed)
    }

    @Test(
        "other origins get nothing but the notice that origins make a difference",
        arguments: [
            "https://b.example", "http://a.example", "https://a.example:8443", "https://a.example/", "https://A.example", "null",
            "",
            "https://a.example.evil", "https://a.example, https://a.example", "*",
        ])
    func refused(origin: String) throws {
        let answer = try amended([listed], [.origin: origin])
        #expect(answer.fields == [.contentType: "text/plain; charset=utf-8", .vary: "Origin"])
        let asked = try amended([listed], .options, preflight(from: origin), options)
        #expect(asked.fields == [.allow: "OPTIONS, POST", .vary: "Origin"])
    }

    @Test("two Origin fields are nobody's")
    func twoFields() throws {
        var fields: HTTPFields = [.origin: listed]
        fields.append(HTTPField(name: .origin, value: listed))
        #expect(try amended([listed], fields).fields[.accessControlAllowOrigin] == nil)
    }

    @Test("requests of other clients are told that origins make a difference, for the caches between")
    func noOrigin() throws {
        let fields = try amended([listed], [:]).fields
        #expect(fields[.vary] == "Origin" && fields[.accessControlAllowOrigin] == nil)
    }

    @Test("with * every answer says so, whoever asks, and depends on nobody")
    func all() throws {
        for fields in [[:], [.origin: listed], [.origin: "null"]] as [HTTPFields] {
            let answer = try amended(["*"], fields)
            #expect(answer.fields[.accessControlAllowOrigin] == "*" && answer.fields[.vary] == nil)
            #expect(answer.fields[.accessControlExposeHeaders] == exposed)
        }
        #expect(
            try amended(["*"], .options, preflight(from: "null"), options).fields[.accessControlAllowMethods] == "OPTIONS, POST")
    }

    @Test("a preflight is told the resource's methods, and the fields that we read", arguments: ["*", "https://a.example"])
    func preflights(origin: String) throws {
        let answer = try amended([origin], .options, preflight(from: listed), options)
        #expect(answer.status == .noContent && answer.body.isEmpty)
        #expect(answer.fields[.accessControlAllowOrigin] == origin)
        #expect(answer.fields[.accessControlAllowMethods] == "OPTIONS, POST")
        #expect(
            answer.fields[.accessControlAllowHeaders] == "Authorization, Content-Type, X-Request-Id, traceparent, If-None-Match")
        #expect(answer.fields[.accessControlMaxAge] == "600")
        #expect(answer.fields[.accessControlExposeHeaders] == nil && answer.fields[.allow] == "OPTIONS, POST")
    }

    @Test("an OPTIONS that is no preflight is answered as any request")
    func plainOptions() throws {
        let answer = try amended([listed], .options, [.origin: listed], options)
        #expect(answer.fields[.accessControlAllowMethods] == nil && answer.fields[.accessControlExposeHeaders] == exposed)
        #expect(try amended(["*"], .options, [.accessControlRequestMethod: "POST"], options).fields[.accessControlMaxAge] == nil)
    }

    @Test(
        "Vary is added to, once",
        arguments: [
            ("", "Origin"), ("Accept", "Accept, Origin"), ("accept-encoding, origin", "accept-encoding, origin"), ("*", "*"),
            ("Origin-Agent-Cluster", "Origin-Agent-Cluster, Origin"),
        ])
    func vary(present: String, expected: String) throws {
        var response = Response.text("ok")
        if !present.isEmpty { response.fields[.vary] = present }
        #expect(try amended([listed], [:], response).fields[.vary] == expected)
    }

    private func amended(_ origins: [String], _ fields: HTTPFields, _ response: Response = .text("ok")) throws -> Response {
        try amended(origins, .get, fields, response)
    }
}

@Suite("Configured origins")
struct WebOriginTests {
    @Test(
        "origins are taken as browsers write them, in lower case",
        arguments: [
            ("https://a.example", "https://a.example"), ("HTTPS://A.Example", "https://a.example"),
            ("http://localhost:3000", "http://localhost:3000"), ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"), ("http://[::1]", "http://[::1]"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"), ("http://a.example:443", "http://a.example:443"),
        ])
    func valid(configured: String, text: String) throws { #expect(try WebOrigin(configured).text == text) }

    @Test(
        "what no browser would send is refused, and says why",
        arguments: [
            ("", "must begin with"), ("a.example", "must begin with"), ("ftp://a.example", "must begin with"),
            ("null", "sandboxed"),
            ("https://", "no valid host"), ("https://a.example/", "must end after the host"), ("https://a.example/x", "must end"),
            ("https://u@a.example", "must end"), ("https://a.example?x", "must end"), ("https://a.example#x", "must end"),
            ("https://a.example:443", "the scheme's own"), ("http://a.example:80", "the scheme's own"),
            ("https://a.example:", "1 to 65535"), ("https://a.example:0", "1 to 65535"),
            ("https://a.example:65536", "1 to 65535"),
            ("https://a.example:080", "1 to 65535"), ("https://a.example:+1", "1 to 65535"),
            ("https://*.example", "no valid host"),
            ("https://a b", "no valid host"), ("https://bücher.example", "no valid host"), ("https://[::1", "no valid host"),
            ("https://[]", "no valid host"), ("https://[::1]x", "no valid host"),
            ("https://a.example, https://b.example", "must end"),
        ])
    func invalid(configured: String, reason: String) {
        do throws(CORSPolicyError) {
            let origin = try WebOrigin(configured)
            Issue.record("taken as \(origin.text)")
        } catch {
            #expect(error.description.contains(reason) && error.description.contains("\"\(configured)\""))
        }
    }

    @Test("* stands alone")
    func all() {
        #expect(throws: CORSPolicyError.self) { try CORSPolicy(origins: ["*", "https://a.example"]) }
        #expect(throws: CORSPolicyError.self) { try CORSPolicy(origins: ["https://a.example", "b"]) }
        #expect(throws: Never.self) { try CORSPolicy(origins: ["*"]) }
    }
}
