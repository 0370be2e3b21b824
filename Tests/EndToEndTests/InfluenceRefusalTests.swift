import JSON
import Testing

/// Requests for `/influence` that are JSON, and mean something wrong.
@Suite("Wrong requests about influence")
struct InfluenceRefusalTests {
    private static func ask(_ more: JSONObject) -> JSON { Demo.question(3, more) }

    private static func solver(_ members: JSONObject) -> JSON {
        ask(["solver": JSON.object(["name": "lissa"]).with(members)])
    }

    static let names: [Refusal] = [
        .unknown("model", ask(["model": "digit"]), at: "/model", "'digit'", "'digits'"),
        .unknown("model", ask(["model": ""]), at: "/model"),
        .unknown("checkpoint", ask(["checkpoint": "last"]), at: "/checkpoint", "'last'", "epoch-5", "final"),
        .wrong(ask(["model": 3]), at: "/model", "string"),
        .wrong(ask(["model": .null]), at: "/model", "missing"),
        .wrong(ask(["checkpoint": 5]), at: "/checkpoint", "string"),
        .wrong(ask(["id": 17]), at: "/id", "string"),
        .wrong(ask(["id": ""]), at: "/id"),
        .wrong(ask(["id": .string(String(repeating: "x", count: 129))]), at: "/id", "128"),
        .wrong(ask(["Model": "digits"]), at: "/Model", "did you mean"),
        .wrong(ask(["dampening": 0.1]), at: "/dampening", "damping"),
        .wrong(ask(["method": "influense"]), at: "/method", "influence"),
        .wrong(ask(["method": 1]), at: "/method"),
        .wrong(ask(["aggregate": "max"]), at: "/aggregate", "none", "sum", "mean"),
        .wrong(ask(["curvature": "fisher"]), at: "/curvature", "hessian", "gauss_newton", "empirical_fisher"),
        .wrong(ask(["damping": -0.1]), at: "/damping", "0"),
        .wrong(ask(["damping": "much"]), at: "/damping", "number"),
        .wrong(ask(["damping": 1e300]), at: "/damping"),
        .wrong(ask(["damping_mode": "absolut"]), at: "/damping_mode", "did you mean", "absolute"),
    ]

    static let solvers: [Refusal] = [
        .wrong(ask(["solver": "lissa"]), at: "/solver", "object"),
        .wrong(ask(["solver": []]), at: "/solver", "object"),
        .wrong(solver(["name": "lisa"]), at: "/solver/name", "lissa", "exact", "did you mean"),
        .wrong(solver(["name": 4]), at: "/solver/name"),
        .wrong(solver(["depth": 4]), at: "/solver/depth", "recursion_depth"),
        .wrong(ask(["solver": ["name": "exact", "scale": 4]]), at: "/solver/scale"),
        .wrong(solver(["recursion_depth": 0]), at: "/solver/recursion_depth"),
        .wrong(solver(["recursion_depth": 1e9]), at: "/solver/recursion_depth"),
        .wrong(solver(["recursion_depth": 10.5]), at: "/solver/recursion_depth", "integer"),
        .wrong(solver(["recursion_depth": "deep"]), at: "/solver/recursion_depth"),
        .wrong(solver(["num_repeat": 0]), at: "/solver/num_repeat"),
        .wrong(solver(["num_repeat": 257]), at: "/solver/num_repeat", "256"),
        .wrong(solver(["batch_size": 0]), at: "/solver/batch_size"),
        .wrong(solver(["batch_size": 1_398]), at: "/solver/batch_size", "1397"),
        .wrong(solver(["batch_size": 9_223_372_036_854_775_807]), at: "/solver/batch_size"),
        .wrong(solver(["scale": 0]), at: "/solver/scale"),
        .wrong(solver(["scale": -4]), at: "/solver/scale"),
        .wrong(solver(["scale": 1e30]), at: "/solver/scale"),
        .wrong(solver(["seed": -1]), at: "/solver/seed"),
        .wrong(solver(["seed": 0.5]), at: "/solver/seed", "integer"),
    ]

    static let selections: [Refusal] = [
        .wrong(ask(["k": 0]), at: "/k", "1000"),
        .wrong(ask(["k": -3]), at: "/k"),
        .wrong(ask(["k": 1_001]), at: "/k", "1000"),
        .wrong(ask(["k": 1e18]), at: "/k"),
        .wrong(ask(["k": 2.5]), at: "/k", "integer"),
        .wrong(ask(["k": "5"]), at: "/k", "integer"),
        .wrong(ask(["k": [5]]), at: "/k"),
        .wrong(ask(["candidates": 5]), at: "/candidates", "object"),
        .wrong(ask(["candidates": [:]]), at: "/candidates", "nearest_neighbors", "indices"),
        .wrong(ask(["candidates": ["nearest_neighbors": 5, "indices": [1]]]), at: "/candidates", "either"),
        .wrong(ask(["candidates": ["nearest_neighbors": 0]]), at: "/candidates/nearest_neighbors"),
        .wrong(ask(["candidates": ["nearest_neighbours": 5]]), at: "/candidates/nearest_neighbours", "did you mean"),
        .wrong(ask(["candidates": ["indices": []]]), at: "/candidates/indices"),
        .wrong(ask(["candidates": ["indices": [0, 1_397]]]), at: "/candidates/indices/1", "1396"),
        .wrong(ask(["candidates": ["indices": [0, -1]]]), at: "/candidates/indices/1"),
        .wrong(ask(["candidates": ["indices": [0.5]]]), at: "/candidates/indices/0", "integer"),
        .wrong(ask(["candidates": ["indices": [0, "1"]]]), at: "/candidates/indices/1", "integer"),
        .wrong(ask(["candidates": ["indices": 5]]), at: "/candidates/indices"),
        .wrong(
            ask(["tests": [["gradient": .numbers([Double](repeating: 1, count: 650))]], "candidates": ["nearest_neighbors": 5]]),
            at: "/candidates/nearest_neighbors", "gradient"),
        .wrong(ask(["groups": [:]]), at: "/groups", "array"),
        .wrong(ask(["groups": [["indices": [1]]]]), at: "/groups/0/name", "missing"),
        .wrong(ask(["groups": [["name": "a"]]]), at: "/groups/0", "indices", "where"),
        .wrong(ask(["groups": [["name": "", "indices": [1]]]]), at: "/groups/0/name"),
        .wrong(ask(["groups": [["name": "a", "indices": []]]]), at: "/groups/0/indices"),
        .wrong(
            ask(["groups": [["name": "a", "indices": [1]], ["name": "b", "indices": [4, 1_397]]]]), at: "/groups/1/indices/1"),
        .wrong(ask(["groups": [["name": "a", "indices": [1]], ["name": "a", "indices": [2]]]]), at: "/groups", "twice"),
        .wrong(
            ask(["groups": .array((0..<101).map { ["name": "\($0)", "indices": [1]] })]), at: "/groups", "100"),
        .wrong(ask(["include": "inputs"]), at: "/include", "array"),
        .wrong(ask(["include": ["input"]]), at: "/include/0", "inputs", "metadata", "all_scores", "s_test"),
        .wrong(ask(["include": [1]]), at: "/include/0"),
        .wrong(ask(["deadline_ms": 0]), at: "/deadline_ms"),
        .wrong(ask(["deadline_ms": 1e12]), at: "/deadline_ms", "600000"),
        .wrong(ask(["deadline_ms": "1s"]), at: "/deadline_ms"),
    ]

    @Test("names and choices", arguments: names)
    func name(refusal: Refusal) throws { try refusal.check("/influence", of: Demo.server()) }

    @Test("solvers and their settings", arguments: solvers)
    func solver(refusal: Refusal) throws { try refusal.check("/influence", of: Demo.server()) }

    @Test("k, candidates, groups, include and deadline", arguments: selections)
    func selection(refusal: Refusal) throws { try refusal.check("/influence", of: Demo.server()) }

    @Test("a scale with which LiSSA diverges is refused with one with which it does not")
    func divergence() throws {
        let server = try Demo.server()
        for batch in [1, 64] {
            let members: JSONObject = ["recursion_depth": 2_000, "batch_size": .integer(batch), "scale": 0.05]
            let request = Self.solver(members)
            let problem = try server.post("/influence", request).expectProblem(422, "solver-diverged", instance: "/influence")
            let error = try #require(problem.list("errors").first { $0["pointer"] == "/solver/scale" })
            let words = try #require(error["detail"]?.stringValue).split(separator: " ")
            let scale = try #require(words.compactMap { Double($0) }.last)
            #expect(try problem.member("detail").stringValue?.contains("\(scale)") == true)
            let result = try server.influence(request.with("solver", try request.member("solver").with("scale", .double(scale))))
                .result
            #expect(try result.member("diagnostics")["scale"]?.doubleValue == scale)
            #expect(try result.member("diagnostics").number("residual") < 10)
        }
    }

    @Test("what takes longer than its deadline is given up with 504, and the worker is free again")
    func deadline() throws {
        let server = try Demo.server()
        for milliseconds in [1, 300] {
            let request = Demo.endlessQuestion.with("deadline_ms", .integer(milliseconds))
            try server.post("/influence", request).expectProblem(504, "deadline-exceeded", instance: "/influence")
        }
        #expect(try server.post("/influence", Demo.question(3)).status == 200)
    }
}
