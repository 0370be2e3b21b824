import JSON
import TestSupport
import Testing

/// `POST /influence/slices` on the demo's digits.
@Suite("Slices over HTTP")
struct SlicesTests {
    private let server: InfluencedServer

    init() throws { server = try Demo.server() }

    private static func ask(_ more: JSONObject = [:]) -> JSON {
        let question: JSON = [
            "model": "digits", "solver": ["name": "exact"],
            "training_slices": [["name": "3", "target": 3], ["name": "others", "target": ["not": 3]]],
            "test_slices": [
                "dataset": "digits-test",
                "slices": [["name": "3", "target": 3], ["name": "first five", "indices": [0, 1, 2, 4, 5]]],
            ],
        ]
        return question.with(more)
    }

    private func slices(_ more: JSONObject = [:]) throws -> JSON {
        let answer = try server.post("/influence/slices", Self.ask(more))
        #expect(answer.fields["server-timing"]?.contains("score") == true)
        try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        return try answer.json
    }

    @Test("an answer has rows for the training data, columns for the tests, and what is known of both")
    func answer() throws {
        let answer = try slices(["id": "s-1"])
        #expect(answer["id"] == "s-1" && answer["model"] == "digits" && answer["method"] == "influence")
        #expect(try answer.list("training_slices").map { try $0.integer("size") }.reduce(0, +) == 1_397)
        #expect(try answer.list("test_slices").map { try $0.integer("size") } == [39, 5])
        for row in try answer.list("matrix") { #expect(row.arrayValue?.count == 2) }
        // Examples of a digit help that digit, and nothing else helps it as much.
        let column = try answer.list("matrix").map { try $0[0]?.number("mean") ?? .nan }
        #expect(column[0] > 0 && column[0] > column[1])
        let diagnostics = try answer.member("diagnostics")
        #expect(try diagnostics.integer("converged_tests") == 44 && diagnostics.number("residual") < 1e-4)
        // Nothing but the timing differs from one time to the next.
        #expect(try slices(["id": "s-1"]).with("timing", 0) == answer.with("timing", 0))
    }

    @Test("a cell is what the groups of single answers come to")
    func groups() throws {
        let tests: JSON = .array([0, 1, 2, 4, 5].map(Demo.test))
        let members: JSON = ["name": "some", "indices": .numbers((0..<200).map(Double.init))]
        let cell = try #require(try slices(["training_slices": [members]]).list("matrix")[0][1])
        let single = try server.influence(Demo.question(0, ["tests": tests, "groups": [members]]))
        let sum = try single.results.reduce(0) { try $0 + $1.list("groups")[0].number("score") }
        #expect(abs(try cell.number("sum") - sum) < 1e-4 * abs(sum))
    }

    static let refusals: [Refusal] = [
        .wrong(ask(["tests": []]), at: "/tests"), .wrong(["model": "digits"], at: "/training_slices", "missing"),
        .wrong(ask(["training_slices": [["name": "a", "target": 10]]]), at: "/training_slices/0/target"),
        .wrong(
            ask(["training_slices": [["name": "a", "where": ["source": "scanner-2"]]]]),
            at: "/training_slices/0/where/source", "ink"),
        .wrong(
            ask([
                "test_slices": [
                    "dataset": "digits-test", "slices": [["name": "a", "indices": [7]], ["name": "b", "indices": [7]]],
                ]
            ]),
            at: "/test_slices/slices/1", "the test 7"),
        .unknown(
            "dataset", ask(["test_slices": ["dataset": "digits", "slices": [["name": "a", "indices": [7]]]]]),
            at: "/test_slices/dataset"),
        .unknown("model", ask(["model": "digit"]), at: "/model", "'digits'"),
        .wrong(ask(["method": "tracin_cp"]), at: "/solver", "solves nothing"),
    ]

    @Test("wrong requests are refused with what would be right", arguments: refusals)
    func isRefused(refusal: Refusal) throws { try refusal.check("/influence/slices", of: server) }

    @Test("the limit of tests is the configuration's")
    func limit() throws {
        let small = try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_LIMITS_MAX_SLICE_TESTS": "43"])
        let problem = try small.post("/influence/slices", Self.ask()).expectProblem(422)
        #expect(problem.text.contains("limits.max_slice_tests") && problem.text.contains("44, and 43 are allowed"))
    }

    @Test("what takes longer than its deadline is given up with 504, and the worker is free again")
    func deadline() throws {
        let endless: JSONObject = [
            "solver": ["name": "lissa", "recursion_depth": 10_000_000, "num_repeat": 256], "deadline_ms": 300,
        ]
        try server.post("/influence/slices", Self.ask(endless)).expectProblem(504, "deadline-exceeded")
        #expect(try server.post("/influence", Demo.question(3)).status == 200)
    }
}
