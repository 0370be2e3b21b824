import Attribution
import Dispatch
import InverseCurvature
import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

@Suite("Answers that go on until a goal")
struct GoalTests {
    private let bench: EngineBench

    init() throws { bench = try EngineBench() }

    private func answer(
        _ goal: JSON, _ members: JSONObject = [:], rows: [Int] = [0], deadline: DispatchTime? = nil
    ) throws -> InfluenceAnswer {
        var members = members
        members["until"] = goal
        members["include"] = ["s_test"]
        return try bench.engine().influence(
            EngineBench.request(rows, members), interruption: .never, deadline: deadline)
    }

    @Test("rounds go on until s_test is as near as was asked, by its own estimate and in truth", arguments: [0.1, 0.01, 0.001])
    func relativeError(goal: Double) throws {
        let rows = [0, 8, 33]
        let answer = try answer(["relative_error": .double(goal)], rows: rows)
        let exact = try bench.engine().influence(
            EngineBench.request(rows, ["solver": ["name": "exact"], "include": ["s_test"]]), interruption: .never)
        for (result, exact) in zip(answer.results, exact.results) {
            #expect(result.isGoalReached == true)
            #expect(try #require(result.accuracy?.relativeError) <= goal)
            // An estimate from ten repeats: within a factor of two nearly always.
            #expect(try Closeness.relativeDistance(#require(result.sTest), #require(exact.sTest)) <= 2 * goal)
        }
    }

    @Test("rounds go on until the ends are settled")
    func rankStable() throws {
        let few: JSON = ["name": "lissa", "num_repeat": 2, "batch_size": 4, "recursion_depth": 40]
        let answer = try answer(["rank_stable": true], ["solver": few], rows: [0, 8, 33])
        for result in answer.results { #expect(result.isGoalReached == true && result.ranking.isStable == true) }
        #expect(answer.results.contains { ($0.accuracy?.rounds ?? 0) > 1 })
    }

    @Test("each test of a request ends at the round that it would end at alone, with the same bits")
    func companions() throws {
        let rows = [0, 8, 33]
        for goal: JSON in [["rank_stable": true], ["relative_error": 0.003]] {
            let together = try answer(goal, rows: rows).results
            for (row, result) in zip(rows, together) {
                let alone = try answer(goal, rows: [row]).results[0]
                #expect(alone.sTest == result.sTest && alone.accuracy == result.accuracy)
            }
        }
    }

    @Test("when time is up the best so far is the answer, and says that it is not what was asked")
    func deadline() throws {
        // A goal so far that rounds take longer than the time there is: they go on until they are stopped.
        let slow: JSON = ["name": "lissa", "num_repeat": 64, "batch_size": 8, "recursion_depth": 20_000]
        let begin = DispatchTime.now()
        let answer = try answer(["relative_error": 1e-5], ["solver": slow], deadline: begin + .milliseconds(1))
        #expect(answer.results[0].isGoalReached == false)
        #expect(answer.results[0].accuracy?.rounds == 1)
        let json = answer.json(id: "a", queueMilliseconds: 0, totalMilliseconds: 0)
        #expect(json["results"]?[0]?["diagnostics"]?["until_reached"] == false)
    }

    @Test("whose client has gone gets nothing, at whatever time")
    func interrupted() throws {
        for delay in [0, 3, 50] {
            let looks = Looks()
            let request = try EngineBench.request([0], ["until": ["relative_error": 1e-5], "solver": EngineBench.lissa()])
            #expect(throws: Interrupted.self) {
                try bench.engine().influence(
                    request, interruption: Interruption { looks.next() >= delay }, deadline: .distantFuture)
            }
        }
    }

    @Test(
        "what can't be reached is refused, and says why",
        arguments: [
            (["solver": ["name": "cg"]], "/until"), (["solver": ["name": "exact"]], "/until"),
            (["solver": ["name": "lissa", "rounds": 2]], "/solver/rounds"),
        ] as [(JSONObject, String)])
    func refusals(members: JSONObject, pointer: String) throws {
        #expect {
            try answer(["rank_stable": true], members)
        } throws: { error in
            (error as? Problem)?.errors.first?.pointer == pointer
        }
    }

    @Test(
        "a goal is one of two, and its number a share",
        arguments: [
            ["rank_stable": 1], ["relative_error": 0], ["relative_error": 0.6], ["relative_error": "x"], [:],
            ["rank_stable": true, "relative_error": 0.1], ["other": 1], 3,
        ] as [JSON])
    func badGoals(goal: JSON) throws {
        #expect(throws: JSONIssues.self) { try EngineBench.request([0], ["until": goal]) }
    }

    @Test("not to ask for settled ends is to ask for nothing")
    func noGoal() throws {
        #expect(try EngineBench.request([0], ["until": ["rank_stable": false]]).until == nil)
    }
}

/// Counts how often it was asked.
private final class Looks: Sendable {
    private let count = Counter("looks", "Looks.")

    func next() -> Int {
        count.add()
        return Int(count.value)
    }
}
