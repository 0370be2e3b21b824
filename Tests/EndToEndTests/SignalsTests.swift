import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// How the program is told to end.
@Suite("Signals")
struct SignalsTests {
    private func server(delay: Int, timeout: Int = 60_000) throws -> InfluencedServer {
        try InfluencedServer(
            store: Demo.store(),
            environment: [
                "INFLUENCED_SERVER_DRAIN_DELAY_MS": "\(delay)", "INFLUENCED_SERVER_DRAIN_TIMEOUT_MS": "\(timeout)",
            ])
    }

    @Test(
        "after the first signal it is not ready, answers until the delay has passed, then refuses connections and ends with 0",
        arguments: [SIGTERM, SIGINT])
    func delay(signal: Int32) throws {
        let server = try server(delay: 3_000)
        #expect(try server.get("/health/ready").status == 200)
        server.process.send(signal)
        // The connections that see this are accepted after the signal.
        #expect(try eventually(seconds: 2) { try server.get("/health/ready").status == 503 })
        let answer = try server.get("/health/ready")
        try answer.expectProblem(503, "not-ready", instance: "/health/ready")
        #expect(answer.fields["retry-after"].flatMap { Int($0) } ?? 0 > 0)
        #expect(try server.get("/health/live").status == 200)
        #expect(try server.post("/influence", Demo.question()).status == 200, "who has not heard of it yet is served")
        #expect(server.process.poll() == nil)
        #expect(eventually(seconds: 20) { (try? server.get("/health/live")) == nil })
        #expect(try server.process.wait(seconds: 20) == .exited(0))
    }

    @Test(
        "a second signal ends a drain at once, with 128 and its number",
        arguments: [(SIGTERM, SIGTERM), (SIGTERM, SIGINT), (SIGINT, SIGINT)])
    func second(first: Int32, second: Int32) throws {
        let server = try server(delay: 0)
        let client = try server.begin("/influence", Demo.endlessQuestion)
        #expect(try eventually { try server.load().running == 1 })
        server.process.send(first)
        #expect(eventually { (try? server.get("/health/live")) == nil })
        #expect(server.process.poll() == nil, "it waits for the answer")
        server.process.send(second)
        #expect(try server.process.wait(seconds: 20) == .exited(128 + second))
        #expect(throws: (any Error).self) { try client.answer() }
        #expect(server.process.standardError.contains("draining"))
    }

    @Test("a second signal during the delay ends it at once as well")
    func secondInDelay() throws {
        let server = try server(delay: 60_000)
        server.process.send(SIGTERM)
        #expect(try eventually { try server.get("/health/ready").status == 503 })
        server.process.send(SIGTERM)
        #expect(try server.process.wait(seconds: 20) == .exited(143))
    }

    @Test("what was logged before the end is written, whichever way it ends", arguments: [1, 2])
    func log(signals: Int) throws {
        let server = try server(delay: signals == 1 ? 0 : 60_000)
        for index in 0..<20 { #expect(try server.get("/models?\(index)").status == 200) }
        server.process.send(SIGTERM)
        if signals == 2 {
            #expect(try eventually { try server.get("/health/ready").status == 503 })
            server.process.send(SIGTERM)
        }
        #expect(try server.process.wait(seconds: 20) == .exited(signals == 1 ? 0 : 143))
        for index in 0..<20 { #expect(server.process.standardError.contains("/models?\(index) ")) }
    }
}
