import Dispatch
import Foundation
import JSON
import TestSupport
import Testing

/// Nobody computes for a client that has gone.
@Suite("Clients that go away")
struct SharingAbandonmentTests {
    /// Milliseconds until a condition holds.
    private func measure(_ condition: () throws -> Bool) rethrows -> Double? {
        let start = DispatchTime.now()
        guard try eventually(seconds: 20, condition) else { return nil }
        return Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e6
    }

    @Test("the work of a client that closes or resets its connection stops, and is counted", arguments: [false, true])
    func running(isReset: Bool) throws {
        let server = try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_COMPUTE_JOBS": "1"])
        // Long repeats, and long batches: both are asked whether they are still wanted.
        let questions: [JSON] = [
            Demo.endlessQuestion,
            Demo.endlessQuestion.with(
                "solver", ["name": "lissa", "recursion_depth": 1_000_000, "num_repeat": 1, "batch_size": 1_000]),
            Demo.endlessQuestion.with("tests", .array((0..<32).map { Demo.test($0) })),
        ]
        for (index, question) in questions.enumerated() {
            let client = try server.begin("/influence", question)
            #expect(try eventually { try server.load().running == 1 })
            usleep(100_000)
            if isReset { client.reset() } else { client.close() }
            let time = try #require(try measure { try server.load().running == 0 }, "it goes on")
            print("work of a client that \(isReset ? "resets" : "closes") stopped after \(Int(time)) ms")
            #expect(time < 2_000)
            #expect(try server.metrics().count("influence_requests_cancelled_total") == index + 1)
        }
        #expect(try server.post("/influence", Demo.question()).status == 200)
    }

    @Test("a client that has said all and closes only its own direction gets its answer")
    func halfClose() throws {
        let busy = try BusyServer()
        let client = try busy.ask([Demo.question()], waiting: 1)[0]
        client.finishSending()
        usleep(200_000)
        #expect(try busy.server.load() == (1, 1), "it is still waited for")
        busy.letGo()
        #expect(try client.answer().status == 200)
    }

    @Test("what waits for a worker is withdrawn when its client goes", arguments: [false, true])
    func waiting(isReset: Bool) throws {
        let busy = try BusyServer()
        let clients = try busy.ask((1...6).map { Demo.question($0) }, waiting: 6)
        for client in clients[..<5] { if isReset { client.reset() } else { client.close() } }
        let time = try #require(try measure { try busy.server.load().waiting == 1 }, "it still waits")
        print("five waiting questions of clients that \(isReset ? "reset" : "close") withdrawn after \(Int(time)) ms")
        #expect(time < 2_000)
        busy.letGo()
        #expect(try clients[5].answer().status == 200)
        let metrics = try busy.server.metrics()
        #expect(metrics.count("influence_requests_cancelled_total") == 6)
        #expect(metrics.count("influence_batched_right_hand_sides_total") == 2, "the busy one's, and the one that stayed")
    }

    @Test("while every worker is busy, health and metrics answer")
    func saturated() throws {
        let busy = try BusyServer()
        var slowest = 0.0
        for path in ["/health/live", "/health/ready", "/metrics"] {
            for _ in 0..<20 {
                let start = DispatchTime.now()
                #expect(try busy.server.get(path).status == 200)
                slowest = max(slowest, Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e6)
            }
        }
        print("slowest of health and metrics while the worker is busy: \(slowest) ms")
        #expect(slowest < 5_000)
    }
}
