import HTTP
import Testing

/// What depends on when octets come, or on the end of a connection; the rest is in the tables.
@Suite("Clients that wait, stop or go on")
struct WaitingClientTests {
    /// Requests whose every beginning is a state of its own: of the line, the fields, a body, chunks and trailers.
    private static let requests = [
        ConformanceCase.octets(request("POST /echo HTTP/1.1", "A: b", "Content-Length: 5", body: "hello")),
        ConformanceCase.octets(ConformanceCase.chunked("5;a=\"b\"\r\nhello\r\n0\r\nX: y\r\n\r\n")),
    ]

    private func transcript(_ client: WireClient) throws -> Transcript {
        try client.takeAll()
        return try Transcript(client.received) { _ in false }
    }

    @Test("A request that ends before its last octet is refused and never handled", arguments: requests)
    func truncation(_ input: [UInt8]) throws {
        let witness = try WitnessServer()
        for count in input.indices {
            let client = try WireClient(port: witness.port)
            try client.send(input[..<count])
            client.halfClose()
            let transcript = try transcript(client)
            // RFC 9112 §8. Where nothing has come, there is nothing to answer.
            #expect(transcript.answers.map(\.status) == (count == 0 ? [] : [400]), "\(count) octets")
            #expect(transcript.answers.allSatisfy { $0.fields["connection"] == "close" })
        }
        #expect(witness.handled == [])
    }

    @Test("A request that stops before its last octet is a 408 and never handled", arguments: requests)
    func stopping(_ input: [UInt8]) throws {
        var limits = WitnessServer.limits
        limits.headerTimeout = .milliseconds(500)
        limits.bodyTimeout = .milliseconds(500)
        let witness = try WitnessServer(limits: limits)
        let clients = try input.indices.map { count in
            let client = try WireClient(port: witness.port)
            try client.send(input[..<count])
            return client
        }
        for (count, client) in clients.enumerated() {
            let transcript = try transcript(client)
            // RFC 9110 §15.5.9. Where nothing has come, the connection closes without a word.
            #expect(transcript.answers.map(\.status) == (count == 0 ? [] : [408]), "\(count) octets")
            #expect(transcript.answers.allSatisfy { $0.fields["connection"] == "close" })
            #expect(transcript.dates.allSatisfy { $0 != nil })
        }
        #expect(witness.handled == [])
    }

    @Test("An empty line that is ignored is not the beginning of a request")
    func ignoredLine() throws {
        // RFC 9112 §2.2. Ended, there is nothing to refuse.
        let witness = try WitnessServer()
        for (input, statuses) in [("\r\n", []), (request("GET /hello HTTP/1.1") + "\r\n", [200]), ("\r", [400])] {
            let client = try WireClient(port: witness.port)
            try client.send(ConformanceCase.octets(input))
            client.halfClose()
            #expect(try transcript(client).answers.map(\.status) == statuses, "\(input.debugDescription)")
        }
        // Left alone, the connection is idle.
        var limits = WitnessServer.limits
        limits.headerTimeout = .milliseconds(300)
        limits.idleTimeout = .milliseconds(300)
        let impatient = try WitnessServer(limits: limits)
        for (input, statuses) in [("\r\n", []), (request("GET /hello HTTP/1.1") + "\r\n", [200]), ("\r", [408])] {
            let client = try WireClient(port: impatient.port)
            try client.send(ConformanceCase.octets(input))
            #expect(try transcript(client).answers.map(\.status) == statuses, "\(input.debugDescription)")
        }
    }

    @Test(
        "A client that waits for 100 gets it, once, and then the answer",
        arguments: [("Content-Length: 5", "hello"), ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n")])
    func interim(_ framing: String, _ body: String) throws {
        let witness = try WitnessServer()
        let client = try LoopbackClient(port: witness.port)
        for _ in 0..<2 {
            let interim = try client.exchange(request("POST /echo HTTP/1.1", "Expect: 100-continue", framing))
            #expect(interim.status == 100 && interim.fields.isEmpty && client.text.isEmpty)
            #expect(try client.exchange(body).body == "hello")
        }
        #expect(witness.handled == ["POST /echo", "POST /echo"])
    }

    @Test("A client that is asked for the body and does not send it gets a 408")
    func interimInVain() throws {
        var limits = WitnessServer.limits
        limits.bodyTimeout = .milliseconds(50)
        let witness = try WitnessServer(limits: limits)
        let client = try WireClient(port: witness.port)
        try client.send(ConformanceCase.octets(request("POST /echo HTTP/1.1", "Expect: 100-continue", "Content-Length: 5")))
        let transcript = try transcript(client)
        #expect(transcript.interims == 1)
        #expect(transcript.answers.map(\.status) == [408])
        #expect(witness.handled == [])
    }

    @Test(
        "A refusal arrives whole although the client goes on sending, and what it sends is never read as a request",
        arguments: [
            ("nonsense\r\n\r\n", 400), (ConformanceCase.post("Content-Length: 1001"), 413), (request("POST /echo HTTP/1.1"), 411),
        ])
    func unreadInput(_ input: String, _ status: Int) throws {
        let witness = try WitnessServer()
        let client = try WireClient(port: witness.port)
        try client.send(ConformanceCase.octets(input))
        let more = Array(repeating: WitnessServer.closingRequest, count: 1_000).joined()
        for _ in 0..<10 { try client.send(Array(more)) }
        client.halfClose()
        let transcript = try transcript(client)
        #expect(transcript.answers.map(\.status) == [status])
        #expect(!transcript.wentOn)
        #expect(witness.server.counters.requests == 0)
    }
}
