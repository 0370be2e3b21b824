import Foundation
import JSON
import TestSupport
import Testing

/// How much one client, and how much all of them together, may have of the server.
@Suite("Limits of a client and of all")
struct AccessLimitTests {
    private static let keys = ["first-key-0123456789", "second-key-987654321"]

    private func server(_ maximum: Int, _ environment: [String: String] = [:]) throws -> InfluencedServer {
        let settings = [
            "INFLUENCED_LIMITS_MAX_REQUESTS_PER_CLIENT": "\(maximum)", "INFLUENCED_COMPUTE_JOBS": "2",
            "INFLUENCED_COMPUTE_QUEUE_LENGTH": "20",
        ]
        return try InfluencedServer(store: Demo.store(), environment: settings.merging(environment) { $1 })
    }

    /// Starts questions that no test waits for, with a key or without.
    private func occupy(_ server: InfluencedServer, _ count: Int, _ fields: [String: String] = [:]) throws -> [HTTPClient] {
        try (1...count).map { k in
            let client = try HTTPClient(port: server.port)
            client.send(
                "POST", "/influence", InfluencedServer.jsonFields.merging(fields) { $1 },
                body: Data(Demo.endlessQuestion.with("k", .integer(k)).serialized()))
            return client
        }
    }

    @Test(
        "the third request in progress of an address is refused with Retry-After before its body is sent",
        arguments: [["Expect": "100-continue"], [:]])
    func address(fields: [String: String]) throws {
        let server = try server(2)
        let busy = try occupy(server, 2)
        #expect(try eventually { try server.load().running == 2 })
        let client = try HTTPClient(port: server.port, seconds: 20)
        client.send(
            "POST", "/influence",
            InfluencedServer.jsonFields.merging(fields) { $1 }.merging(["Content-Length": "500", "Connection": "keep-alive"]) {
                $1
            })
        // Nothing of the body has been sent, and an interim answer would come first.
        let refusal = try client.nextAnswer()
        try refusal.expectProblem(429, "too-many-requests", instance: "/influence")
        #expect(refusal.fields["retry-after"].flatMap { Int($0) } ?? 0 > 0)
        #expect(try server.get("/models").status == 200, "what does not compute is not counted")
        #expect(try server.metrics().rejected("client_limit") == 1)
        busy[0].close()
        #expect(try eventually { try server.load().running == 1 })
        #expect(try server.post("/influence", Demo.question()).status == 200, "a place that was left is free")
        #expect(!busy[1].hasAnswer)
    }

    @Test("each key has its own places, whatever address it comes from")
    func keys() throws {
        let server = try server(
            2, ["INFLUENCED_AUTH_API_KEYS": Self.keys.joined(separator: ","), "INFLUENCED_COMPUTE_JOBS": "3"])
        let fields = Self.keys.map { ["Authorization": "Bearer \($0)"].merging(InfluencedServer.jsonFields) { $1 } }
        let busy = try occupy(server, 2, fields[0])
        #expect(try eventually { try server.exchange("GET", "/info", fields[0]).json["queue"]?["running"] == 2 })
        let question = Data(Demo.question().serialized())
        try server.exchange("POST", "/influence", fields[0], body: question).expectProblem(429, "too-many-requests")
        #expect(try server.exchange("POST", "/influence", fields[1], body: question).status == 200)
        #expect(!busy.contains { $0.hasAnswer })
    }

    @Test("a limit of none lets one client fill the queue")
    func none() throws {
        let server = try server(0)
        let busy = try occupy(server, 12)
        #expect(try eventually { try server.load() == (2, 10) })
        #expect(!busy.contains { $0.hasAnswer })
        #expect(try server.metrics().rejected("client_limit") == 0)
    }

    @Test("a place is free again by the time that the answer has been read")
    func placeAfterAnswer() throws {
        let server = try server(1)
        let client = try HTTPClient(port: server.port)
        let body = Data(Demo.question(3, ["k": 1]).serialized())
        for _ in 0..<100 {
            client.send(
                "POST", "/influence", InfluencedServer.jsonFields.merging(["Connection": "keep-alive"]) { $1 }, body: body)
            let answer = try client.nextAnswer()
            try #require(answer.status == 200)
        }
        for _ in 0..<50 { try #require(try server.post("/influence", Demo.question(3, ["k": 1])).status == 200) }
    }

    /// A good question in as many bytes as one likes.
    private func question(_ bytes: Int) -> Data {
        let text = Data(Demo.question(3, ["k": 1]).serialized())
        return text + Data(repeating: UInt8(ascii: " "), count: bytes - text.count)
    }

    private func send(_ bytes: Int, to server: InfluencedServer) throws -> HTTPAnswer {
        try server.exchange("POST", "/influence", InfluencedServer.jsonFields, body: question(bytes))
    }

    /// Sends a body but for its last thousand bytes.
    private func hold(_ bytes: Int, of server: InfluencedServer) throws -> HTTPClient {
        let client = try HTTPClient(port: server.port)
        let fields = InfluencedServer.jsonFields.merging(["Content-Length": "\(bytes)"]) { $1 }
        client.send("POST", "/influence", fields, body: question(bytes).dropLast(1_000))
        return client
    }

    /// Sends a body that does not say how long it is.
    private func sendChunk(_ bytes: Int, to server: InfluencedServer) throws -> HTTPAnswer {
        let client = try HTTPClient(port: server.port)
        let body = Data((String(bytes, radix: 16) + "\r\n").utf8) + question(bytes) + Data("\r\n0\r\n\r\n".utf8)
        client.send(
            "POST", "/influence", InfluencedServer.jsonFields.merging(["Transfer-Encoding": "chunked"]) { $1 }, body: body)
        return try client.answer()
    }

    @Test("bodies that have no room beside others get 503 with Retry-After, small ones are served, and room is given back")
    func budget() throws {
        let server = try InfluencedServer(
            store: Demo.store(), environment: ["INFLUENCED_SERVER_MAXIMUM_BUFFERED_BYTES": "262144"])
        func buffered() throws -> Int { try server.metrics().count("influence_buffered_bytes") }

        #expect(try send(250_000, to: server).status == 200, "alone it has room")
        let tooLarge = try send(300_000, to: server)
        try tooLarge.expectProblem(503, instance: "/influence")
        #expect(tooLarge.fields["retry-after"].flatMap { Int($0) } ?? 0 > 0)

        let slow = try hold(200_000, of: server)
        #expect(try eventually { try buffered() >= 199_000 })
        try send(100_000, to: server).expectProblem(503, instance: "/influence")
        // This one has room until it needs too much.
        try sendChunk(150_000, to: server).expectProblem(503, instance: "/influence")
        for _ in 0..<3 { #expect(try send(2_000, to: server).status == 200) }
        #expect(try server.get("/models").status == 200)
        slow.send(Data(repeating: UInt8(ascii: " "), count: 1_000))
        #expect(try slow.answer().status == 200, "what had its room is answered")
        #expect(try send(250_000, to: server).status == 200)
        let left = try hold(200_000, of: server)
        #expect(try eventually { try buffered() >= 199_000 })
        left.reset()
        #expect(try eventually { try buffered() < 100_000 })
        #expect(try send(250_000, to: server).status == 200, "and so is what a client held that has gone")
        #expect(try server.metrics().count("influence_memory_refusals_total") == 3)
    }

    @Test("a body that comes together with its head takes room as any other does")
    func budgetAtOnce() throws {
        let server = try InfluencedServer(
            store: Demo.store(), environment: ["INFLUENCED_SERVER_MAXIMUM_BUFFERED_BYTES": "65536"])
        let slow = try hold(50_000, of: server)
        #expect(try eventually(seconds: 5) { try send(40_000, to: server).status == 503 })
        try sendChunk(40_000, to: server).expectProblem(503, instance: "/influence")
        #expect(try send(2_000, to: server).status == 200)
        slow.close()
        #expect(try eventually { try send(60_000, to: server).status == 200 })
        #expect(try sendChunk(60_000, to: server).status == 200)
    }
}
