import Foundation
import JSON
import TestSupport
import Testing

/// Which web pages may read answers.
@Suite("Origins of web pages")
struct AccessOriginTests {
    private static let listed = "https://app.example:8443"
    private static let key = "first-key-0123456789"

    private func server(_ origins: String) throws -> InfluencedServer {
        try InfluencedServer(
            store: Demo.store(), environment: ["INFLUENCED_CORS_ALLOWED_ORIGINS": origins, "INFLUENCED_AUTH_API_KEYS": Self.key])
    }

    private func preflight(_ server: InfluencedServer, _ path: String, from origin: String) throws -> HTTPAnswer {
        try server.exchange(
            "OPTIONS", path,
            [
                "Origin": origin, "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type",
            ])
    }

    @Test("a preflight needs no key, and tells a listed origin what it may send")
    func preflight() throws {
        let server = try server("https://other.example, \(Self.listed)")
        let answer = try preflight(server, "/influence", from: Self.listed)
        #expect(answer.status == 204)
        #expect(answer.fields["access-control-allow-origin"] == Self.listed)
        #expect(answer.fields["access-control-allow-methods"] == "OPTIONS, POST")
        let names = answer.fields["access-control-allow-headers"]?.lowercased() ?? ""
        #expect(names.contains("authorization") && names.contains("content-type"))
        #expect(answer.fields["access-control-max-age"].flatMap { Int($0) } ?? 0 > 0)
        #expect(answer.fields["vary"]?.contains("Origin") == true)
        #expect(answer.fields["access-control-allow-credentials"] == nil)
        let stranger = try preflight(server, "/influence", from: "https://evil.example")
        #expect(!stranger.fields.keys.contains { $0.hasPrefix("access-control-") })
        #expect(stranger.fields["vary"]?.contains("Origin") == true)
        // What is asked after the preflight needs the key.
        #expect(try server.exchange("GET", "/models", ["Origin": Self.listed]).status == 401)
    }

    @Test("answers and refusals alike carry the fields for a listed origin, and none for another")
    func answers() throws {
        let server = try server(Self.listed)
        let good = ["Authorization": "Bearer \(Self.key)"]
        let exchanges: [(String, String, [String: String], Int)] = [
            ("GET", "/models", good, 200), ("GET", "/health/live", [:], 200), ("GET", "/models", [:], 401),
            ("GET", "/nothing", good, 404), ("DELETE", "/models", good, 405), ("POST", "/influence", good, 400),
        ]
        for origin in [Self.listed, "https://app.example", "https://app.example:8443.evil.example", "null"] {
            for (method, path, fields, status) in exchanges {
                let all = fields.merging(["Origin": origin, "Content-Type": "application/json"]) { $1 }
                let answer = try server.exchange(method, path, all, body: method == "POST" ? Data("{".utf8) : nil)
                #expect(answer.status == status)
                #expect(answer.fields["access-control-allow-origin"] == (origin == Self.listed ? origin : nil))
                let exposed = answer.fields["access-control-expose-headers"]
                #expect((exposed?.contains("X-Request-Id") == true) == (origin == Self.listed))
                #expect(answer.fields["vary"]?.contains("Origin") == true, "\(method) \(path)")
            }
        }
    }

    @Test("an asterisk allows every page; without the setting no answer speaks of origins")
    func allAndNone() throws {
        let all = try server("*")
        for origin in ["https://any.example", "null"] {
            let answer = try all.exchange("GET", "/models", ["Origin": origin])
            #expect(answer.status == 401 && answer.fields["access-control-allow-origin"] == "*")
        }
        let answer = try preflight(Demo.server(), "/influence", from: Self.listed)
        #expect(answer.status == 204 && answer.fields["allow"] == "OPTIONS, POST")
        #expect(!answer.fields.keys.contains { $0.hasPrefix("access-control-") })
    }

    @Test(
        "what is no origin stops the start with 2",
        arguments: ["app.example", "https://app.example/", "null", "*, https://app.example", "https://app.example:443"])
    func badOrigin(origin: String) throws {
        let result = try influenced(
            "serve", "--store", Demo.store(), "--port", "0", environment: ["INFLUENCED_CORS_ALLOWED_ORIGINS": origin])
        #expect(result.ending == .exited(2))
        #expect(result.standardError.contains("cors.allowed_origins"), "\(result.standardError)")
    }
}
