import Foundation
import JSON
import TestSupport
import Testing

/// Who asks the same, or what can be solved together, is answered by one computation, and gets what it would get alone.
@Suite("Sharing computations")
struct SharingTests {
    private static let exact: JSON = ["name": "exact"]
    private static let lissa: JSON = ["name": "lissa", "recursion_depth": 200, "num_repeat": 2, "seed": 5]

    private func results(_ clients: [HTTPClient]) throws -> [String] {
        try clients.map { client in
            let answer = try client.answer()
            try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
            return String(answer.resultsText)
        }
    }

    @Test("the same question of many clients at once is computed once, whatever each calls it", arguments: [exact, lissa])
    func coalescing(solver: JSON) throws {
        let busy = try BusyServer()
        let question = Demo.question(3, ["solver": solver, "k": 5])
        let before = try busy.server.metrics()
        let questions = (0..<12).map { question.with(["id": .string("client \($0)"), "deadline_ms": .integer(100_000 + $0)]) }
        let clients = try busy.ask(questions, waiting: 1)
        busy.letGo()
        let answers = try clients.map { try $0.answer() }
        #expect(try answers.map { try $0.json["id"]?.stringValue } == (0..<12).map { "client \($0)" })
        let alone = try aloneResults([question])
        #expect(Set(answers.map { String($0.resultsText) }) == Set(alone), "the same bytes as alone")
        let after = try busy.server.metrics()
        #expect(after.count("influence_coalesced_requests_total") == 11)
        #expect(after.count("influence_batches_total") - before.count("influence_batches_total") == 1)
        #expect(after.count("influence_stest_cache_misses_total") - before.count("influence_stest_cache_misses_total") == 1)
        #expect(after.count("influence_stest_cache_hits_total") == before.count("influence_stest_cache_hits_total"))
        #expect(after.requests("/influence", "POST", 200) == 12)
    }

    @Test("different questions that wait together are solved as one batch, and answered as alone", arguments: [exact, lissa])
    func batching(solver: JSON) throws {
        let busy = try BusyServer()
        let more: [JSONObject] = [
            ["k": 3], ["k": 20, "include": ["s_test", "all_scores"]], ["candidates": ["indices": [5, 1, 900]]],
            ["tests": [Demo.test(8), Demo.test(9)]], ["tests": [Demo.test(8), Demo.test(9)], "aggregate": "mean"],
            ["candidates": ["nearest_neighbors": 50]], ["groups": [["name": "a", "indices": [1, 2, 3]]]],
        ]
        let questions = more.enumerated().map { Demo.question($0, ["solver": solver]).with($1) }
        let before = try busy.server.metrics()
        let clients = try busy.ask(questions, waiting: questions.count)
        busy.letGo()
        let together = try results(clients)
        let after = try busy.server.metrics()
        // One for the questions, and one for the eight training examples by which recall among neighbours is measured, once.
        #expect(after.count("influence_batches_total") - before.count("influence_batches_total") == 2)
        let sides = "influence_batched_right_hand_sides_total"
        #expect(after.count(sides) - before.count(sides) == 8 + 8)
        #expect(after.count("influence_coalesced_requests_total") == 0)
        for (index, alone) in try aloneResults(questions).enumerated() {
            #expect(together[index] == alone, "\(questions[index].text)")
        }
    }

    @Test("what does not go together is not put together, and one that fails does not take the others with it")
    func companions() throws {
        let busy = try BusyServer()
        let before = try busy.server.metrics()
        let questions = [
            Demo.question(1), Demo.question(2, ["damping": 0.5]), Demo.question(3, ["solver": Self.lissa]),
            Demo.question(4, ["tests": [["dataset": "digits-test", "index": 100_000]]]), Demo.question(5),
            Demo.question(6, ["candidates": ["indices": [100_000]]]),
        ]
        let clients = try busy.ask(questions, waiting: questions.count)
        busy.letGo()
        let answers = try clients.map { try $0.answer() }
        #expect(answers.map(\.status) == [200, 200, 200, 404, 200, 422])
        let after = try busy.server.metrics()
        #expect(after.count("influence_batches_total") - before.count("influence_batches_total") == 3)
        for (index, alone) in zip([0, 1, 2, 4], try aloneResults([0, 1, 2, 4].map { questions[$0] })) {
            #expect(answers[index].resultsText == alone)
        }
    }

    @Test("who leaves does not disturb those who share its computation, waiting or running", arguments: [false, true])
    func leaving(isReset: Bool) throws {
        let busy = try BusyServer()
        let question = Demo.question(3, ["k": 5])
        let clients = try busy.ask(Array(repeating: question, count: 4), waiting: 1)
        // The first one's request began the computation.
        for client in [clients[0], clients[2]] { if isReset { client.reset() } else { client.close() } }
        #expect(try eventually { try busy.server.metrics().count("influence_requests_cancelled_total") == 2 })
        #expect(try busy.server.load() == (1, 1), "two still wait for it")
        busy.letGo()
        let alone = try aloneResults([question])
        #expect(try results([clients[1], clients[3]]) == [alone[0], alone[0]])
    }

    @Test("a computation that runs goes on until the last of those who share it has left")
    func lastLeaves() throws {
        let busy = try BusyServer()
        let second = try busy.server.begin("/influence", Demo.endlessQuestion)
        #expect(try eventually { try busy.sharers() == 1 })
        busy.letGo()
        #expect(try eventually { try busy.server.metrics().count("influence_requests_cancelled_total") == 1 })
        #expect(try busy.server.load().running == 1 && !second.hasAnswer)
        second.reset()
        #expect(try eventually { try busy.server.load() == (0, 0) })
        #expect(try busy.server.post("/influence", Demo.question()).status == 200)
    }

    @Test("sharers have deadlines of their own")
    func deadlines() throws {
        let busy = try BusyServer()
        let question = Demo.question(3, ["k": 5])
        let clients = try busy.ask([question.with("deadline_ms", 1_500), question], waiting: 1)
        try clients[0].answer().expectProblem(504, "deadline-exceeded", instance: "/influence")
        #expect(!clients[1].hasAnswer)
        busy.letGo()
        #expect(try clients[1].answer().status == 200)
        #expect(try busy.server.metrics().count("influence_deadline_exceeded_total") == 1)
    }

    @Test("a question that is asked again is answered from what is kept, with the same bytes", arguments: [exact, lissa])
    func cache(solver: JSON) throws {
        let server = try InfluencedServer(store: Demo.store())
        let question = Demo.question(3, ["solver": solver, "include": ["s_test"]])
        let first = try server.post("/influence", question)
        let second = try server.post("/influence", question)
        // Another k needs the same vector.
        let third = try server.post("/influence", question.with("k", 2))
        #expect(first.status == 200 && first.resultsText == second.resultsText && third.status == 200)
        let metrics = try server.metrics()
        #expect(metrics.count("influence_stest_cache_hits_total") == 2)
        #expect(metrics.count("influence_stest_cache_misses_total") == 1 && metrics.count("influence_batches_total") == 1)
        let alone = try aloneResults([question, question.with("k", 2)])
        #expect(first.resultsText == alone[0] && third.resultsText == alone[1])
    }

    @Test("without room for what is kept every question is computed")
    func noCache() throws {
        let server = try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_COMPUTE_S_TEST_CACHE_BYTES": "0"])
        for _ in 0..<2 { _ = try server.influence(Demo.question()) }
        let metrics = try server.metrics()
        #expect(metrics.count("influence_stest_cache_hits_total") == 0 && metrics.count("influence_batches_total") == 2)
        #expect(metrics.count("influence_stest_cache_entries") == 0)
    }
}
