import Foundation
import JSON
import TestSupport
import Testing

/// The names by which a request is found again, and the log in which it is.
@Suite("Names and the access log")
struct OperationsNameTests {
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private func logging(_ more: [String: String] = [:]) throws -> InfluencedServer {
        try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_LOG_FORMAT": "json"].merging(more) { $1 })
    }

    @Test("a plain X-Request-Id is taken over; another is replaced by a new one")
    func requestID() throws {
        let server = try Demo.server()
        let plain = ["a", "client:42_b.C-d", String(repeating: "x", count: 128)]
        for name in plain {
            #expect(try server.exchange("GET", "/models", ["X-Request-Id": name]).fields["x-request-id"] == name)
        }
        var made: Set<String> = []
        for name in ["", "a b", "a,b", "é", "{\"a\":1}", String(repeating: "x", count: 129), nil] {
            let fields = name.map { ["X-Request-Id": $0] } ?? [:]
            made.insert(try #require(try server.exchange("GET", "/models", fields).fields["x-request-id"]))
        }
        #expect(made.count == 7 && made.isDisjoint(with: plain))
        #expect(made.allSatisfy { $0.count == 32 && $0.allSatisfy { $0.isHexDigit } })
    }

    @Test("traceparent is continued with a span of our own, and begun where there is none that is valid")
    func trace() throws {
        let server = try Demo.server()
        let answer = try #require(try server.exchange("GET", "/models", ["traceparent": Self.parent]).fields["traceparent"])
        let (given, got) = (Self.parent.split(separator: "-"), answer.split(separator: "-"))
        #expect(got.count == 4 && got[0] == "00" && got[1] == given[1] && got[2] != given[2] && got[3] == "01")
        var traces: Set<Substring> = [given[1]]
        for bad in [nil, Self.parent.uppercased(), "00-" + String(repeating: "0", count: 32) + "-b7ad6b7169203331-01", "x"] {
            let fields = bad.map { ["traceparent": $0] } ?? [:]
            let parts = try #require(try server.exchange("GET", "/models", fields).fields["traceparent"]).split(separator: "-")
            #expect(parts.map(\.count) == [2, 32, 16, 2])
            traces.insert(parts[1])
        }
        #expect(traces.count == 5, "each of the others has a trace of its own")
    }

    @Test(
        "what is no request has names all the same, and so has every refusal",
        arguments: [
            ("GET /models HTTP/1.1\r\n\r\n", 400), ("\u{16}\u{3}\u{1}\r\n\r\n", 400),
            ("GET /models HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            ("GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
            ("BREW /models HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 501),
            ("GET /models HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n", 400),
            ("POST /influence HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 411),
        ])
    func refusals(request: String, status: Int) throws {
        let client = try HTTPClient(port: Demo.server().port)
        client.send(Data(request.utf8))
        let answer = try client.answer()
        try answer.expectProblem(status)
        #expect(answer.fields["x-request-id"]?.count == 32)
        #expect(answer.fields["traceparent"]?.count == 55)
    }

    @Test("an answer is called what the request calls itself, or else by the request's name")
    func identifier() throws {
        let server = try Demo.server()
        func ask(_ json: JSON, _ path: String) throws -> HTTPAnswer {
            let fields = InfluencedServer.jsonFields.merging(["X-Request-Id": "the-name"]) { $1 }
            return try server.exchange("POST", path, fields, body: Data(json.serialized()))
        }
        let predict: JSON = ["model": "digits", "tests": [Demo.test(0)]]
        for (path, question) in [("/influence", Demo.question()), ("/predict", predict)] {
            #expect(try ask(question, path).json["id"] == "the-name")
            #expect(try ask(question.with("id", "mine"), path).json["id"] == "mine")
            let unnamed = try server.post(path, question)
            #expect(try unnamed.json["id"]?.stringValue == unnamed.fields["x-request-id"])
        }
    }

    @Test("Server-Timing says where the time of an answer went, as the answer does")
    func serverTiming() throws {
        let answer = try Demo.server().post("/influence", Demo.question())
        let value = try #require(answer.fields["server-timing"])
        let phases = value.components(separatedBy: ", ").map { $0.components(separatedBy: ";dur=") }
        #expect(phases.map { $0[0] } == ["queue", "s_test", "score", "total"])
        let times = phases.compactMap { $0.count == 2 ? Double($0[1]) : nil }
        try #require(times.count == 4 && times.allSatisfy { $0 >= 0 })
        #expect(times[3] + 0.01 >= times[0] + times[1] + times[2])
        #expect(abs(try answer.json.member("timing").number("s_test_ms") - times[1]) < 0.01)
        #expect(try Demo.server().get("/models").fields["server-timing"] == nil)
    }

    @Test("the access log names each request as its answer does; health checks are not in it")
    func accessLog() throws {
        let server = try logging()
        for _ in 0..<3 { #expect(try server.get("/health/live").status == 200) }
        _ = try server.metrics()
        let fields = InfluencedServer.jsonFields.merging(
            ["X-Request-Id": "find-me", "traceparent": Self.parent, "User-Agent": "tester/1"]) { $1 }
        let body = Data(Demo.question().serialized())
        let answer = try server.exchange("POST", "/influence", fields, body: body)
        let models = try server.exchange("GET", "/models/digits?x=1")
        let client = try HTTPClient(port: server.port)
        client.send(Data("nonsense\r\n\r\n".utf8))
        let nonsense = try client.answer()
        #expect(server.process.stop() == .exited(0))

        let records = try server.accessRecords()
        #expect(records.count == 3, "\(server.process.standardError)")
        let named = Dictionary(uniqueKeysWithValues: records.map { ($0["request_id"]?.stringValue ?? "", $0) })
        let record = try #require(named["find-me"])
        let expected: JSONObject = [
            "method": "POST", "path": "/influence", "route": "/influence", "status": 200, "user_agent": "tester/1",
            "received_bytes": .integer(body.count), "sent_bytes": .integer(answer.body.count), "level": "info",
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
        ]
        for (key, value) in expected { #expect(record[key] == value, "\(key)") }
        #expect(answer.fields["traceparent"]?.contains(record["span_id"]?.stringValue ?? "none") == true)
        #expect(record["peer"]?.stringValue?.hasPrefix("127.0.0.1:") == true)
        #expect(record["duration_ms"]?.doubleValue ?? -1 > 0 && record["queue_ms"]?.doubleValue ?? -1 >= 0)
        let other = try #require(named[models.fields["x-request-id"] ?? "?"])
        #expect(other["path"] == "/models/digits?x=1" && other["route"] == "/models/{model}" && other["queue_ms"] == nil)
        let third = try #require(named[nonsense.fields["x-request-id"] ?? "?"])
        #expect(third["status"] == 400 && third["route"] == "unmatched" && third["method"] == "-")
    }

    @Test("health checks are logged at the level of debugging, and nothing is at the level of errors")
    func levels() throws {
        let debugging = try logging(["INFLUENCED_LOG_LEVEL": "debug"])
        #expect(try debugging.get("/health/live").status == 200)
        #expect(debugging.process.stop() == .exited(0))
        #expect(try debugging.accessRecords().map { $0["route"]?.stringValue } == ["/health/live"])
        let quiet = try logging(["INFLUENCED_LOG_LEVEL": "error"])
        #expect(try quiet.get("/models").status == 200)
        #expect(quiet.process.stop() == .exited(0))
        #expect(try quiet.accessRecords().isEmpty)
    }

    @Test("nothing that a client sends makes a line of the log, or breaks one")
    func forgery() throws {
        let server = try logging()
        let forged = #"","status":200,"path":"/admin"}"# + "\\n{\"message\":\"request\"}"
        let paths = ["/nothing%0a%7b%22message%22:%22request%22%7d", "/nothing?q=%0d%0a\"quoted\"\\", "/x'{}"]
        let agents = [forged, "é\u{2028}\u{85}", "tab\there", #"\u000a\"#]
        for path in paths { _ = try server.exchange("GET", path) }
        for agent in agents { #expect(try server.exchange("GET", "/models", ["User-Agent": agent]).status == 200) }
        // Bytes that are no UTF-8, and a line end in a value.
        for value in [Data([0xFF, 0xC3, 0x28]), Data("a\rb".utf8), Data([0x1B, 0x5B, 0x32, 0x4A])] {
            let client = try HTTPClient(port: server.port)
            let head = "GET /models HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUser-Agent: "
            client.send(Data(head.utf8) + value + Data("\r\n\r\n".utf8))
            _ = try client.answer()
        }
        #expect(server.process.stop() == .exited(0))
        let log = server.process.standardError
        #expect(try server.accessRecords().count == paths.count + agents.count + 3, "one line for each request: \(log)")
        #expect(!log.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        #expect(try server.accessRecords().contains { $0["user_agent"]?.stringValue == forged })
        #expect(try !server.accessRecords().contains { $0["path"] == "/admin" })
    }
}
