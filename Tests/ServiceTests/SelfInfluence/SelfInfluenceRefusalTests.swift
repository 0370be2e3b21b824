import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

@Suite("Requests about self-influence that are refused")
struct SelfInfluenceRefusalTests {
    /// Members that are wrong by themselves, where, and what the refusal says.
    static let wrong: [(members: JSONObject, pointer: String, words: [String])] = [
        (
            ["method": "relatif"], "/method",
            ["influence, tracin_cp, representer_point, gradient_dot", "relatif is for tests alone"]
        ),
        (["method": "gradient_cosine"], "/method", ["influence, tracin_cp"]),
        (["method": "trak"], "/method", ["influence, tracin_cp"]),
        (["method": "nearest_neighbor"], "/method", ["influence, tracin_cp"]),
        (["method": "influense"], "/method", ["did you mean", "influence"]), (["method": 3], "/method", []),
        (["method": "tracin_cp", "damping": 1], "/damping", ["knows no curvature", "influence"]),
        (["method": "tracin_cp", "curvature": "hessian"], "/curvature", ["knows no curvature", "influence"]),
        (["method": "gradient_dot", "solver": ["name": "exact"]], "/solver", ["solves nothing", "set method to influence"]),
        (["method": "representer_point", "gradients": "factored"], "/gradients", ["gradient_dot"]),
        (["gradients": "dense-int8"], "/gradients", ["exact gradients", "tracin_cp or gradient_dot"]),
        (["checkpoints": "all"], "/checkpoints", ["set method to tracin_cp"]),
        (["method": "gradient_dot", "contributions": true], "/contributions", ["tracin_cp"]),
        (["l2": 1], "/l2", ["set method to representer_point"]), (["method": "representer_point", "l2": 0], "/l2", []),
        (["solver": ["name": "lissa"]], "/solver/name", ["exact", "ekfac", "lissa solves for single tests", "Leave solver out"]),
        (["solver": ["name": "cg"]], "/solver/name", ["exact", "ekfac", "cg solves for single tests"]),
        (["solver": ["name": "auto"]], "/solver/name", ["exact"]), (["solver": [:]], "/solver/name", ["missing"]),
        (["solver": ["name": "exakt"]], "/solver/name", ["did you mean"]),
        (["solver": ["name": "exact", "tol": 1]], "/solver/tol", ["known"]),
        (["measurement": "logit"], "/measurement", ["known"]), (["until": ["rank_stable": true]], "/until", ["known"]),
        (["tests": []], "/tests", ["known"]), (["k": 0], "/k", []), (["k": 101], "/k", ["100"]),
        (["model": .null], "/model", ["missing"]),
        (["include": ["s_test"]], "/include/0", ["all_scores"]), (["deadline_ms": 0], "/deadline_ms", []),
        (["damping": -1], "/damping", []), (["id": ""], "/id", ["128"]),
    ]

    @Test("what is wrong with a request is said where it is, with what would be right", arguments: wrong.indices)
    func malformed(place: Int) throws {
        let (members, pointer, words) = Self.wrong[place]
        let body = members.reduce(into: ["model": "small"] as JSONObject) { $0[$1.0] = $1.1 }
        let issues =
            #expect(throws: JSONIssues.self) { try SelfInfluenceRequest(.object(body), limits: Question.limits) }?.issues ?? []
        let issue = try #require(issues.first { $0.pointer == pointer }, "\(issues)")
        for word in words { #expect(issue.detail.contains(word), "\(issue.detail)") }
    }

    @Test("a request is one with its defaults written out")
    func defaults() throws {
        func request(_ body: JSON) throws -> SelfInfluenceRequest { try SelfInfluenceRequest(body, limits: Question.limits) }
        let plain = try request(["model": "m"])
        #expect(plain.method.name == "influence" && plain.k == 10 && plain.include == .metadata && plain.solver == nil)
        #expect(
            try request([
                "model": "m", "method": "influence", "k": 10, "include": ["metadata"], "damping": 0, "damping_mode": "absolute",
                "curvature": .null, "solver": .null, "checkpoint": .null,
            ]) == plain)
        let dot = try request(["model": "m", "method": "gradient_dot"])
        #expect(try request(["model": "m", "method": "gradient_dot", "gradients": "exact"]) == dot && dot != plain)
        #expect(try Question(request(["model": "m", "id": "a", "deadline_ms": 9])) == Question(plain))
        #expect(try Question(request(["model": "m", "solver": ["name": "ekfac"]])) != Question(plain))
        #expect(Question(plain).companion == nil && Question(plain).width == 0)
    }

    private func problem(_ engine: Engine, _ model: String, _ members: JSONObject = [:]) throws -> Problem {
        let error = #expect(throws: (any Error).self) { try engine.selfInfluence(model, members) }
        return try #require(error.flatMap { Problem(describing: $0) })
    }

    private func expect(_ problem: Problem, at pointer: String, _ words: String...) {
        #expect(problem.errors.map(\.pointer) == [pointer], "\(problem)")
        for word in words { #expect(problem.detail.contains(word), "\(problem.detail)") }
    }

    @Test("names that stand for nothing, and checkpoints without learning rates")
    func names() throws {
        let bench = try EngineBench()
        defer { withExtendedLifetime(bench) {} }
        let engine = bench.engine()
        expect(try problem(engine, "smal"), at: "/model", "'small'")
        expect(try problem(engine, "small", ["checkpoint": "first"]), at: "/checkpoint", "last")
        expect(
            try problem(engine, "small", ["method": "tracin_cp"]), at: "/checkpoints", "learning rates", "--learning-rate",
            "gradient_dot")
        expect(
            try problem(engine, "small", ["method": "tracin_cp", "checkpoints": ["last", "first"]]), at: "/checkpoints/1", "last")
        expect(
            try problem(engine, "small", ["method": "gradient_dot", "gradients": "dense-int8"]), at: "/gradients",
            "influenced cache")
    }

    @Test("a representer point needs a last layer that is linear, and a term that holds it")
    func representer() throws {
        let network = try CacheBench(spec: CacheBench.linear)
        defer { withExtendedLifetime(network) {} }
        let engine = network.engine()
        expect(try problem(engine, "net", ["method": "representer_point"]), at: "/l2", "weight_decay")
        #expect(try engine.selfInfluence("net", ["method": "representer_point", "l2": 0.1]).scores.count == CacheBench.count)
        let tanh =
            #"{"layers": [{"type": "linear", "in_features": 4, "out_features": 3}, {"type": "tanh"}], "loss": {"type": "cross_entropy"}, "weight_decay": 0.1}"#
        let bench = try SpectrumBench.network(tanh)
        defer { withExtendedLifetime(bench) {} }
        expect(try problem(bench.engine(), "net", ["method": "representer_point"]), at: "/method", "linear")
    }

    @Test("curvature that is not positive definite is refused with the damping that makes it so")
    func indefinite() throws {
        let bench = try SpectrumBench.network()
        defer { withExtendedLifetime(bench) {} }
        let engine = bench.engine()
        let members: JSONObject = ["curvature": "hessian", "solver": ["name": "exact"]]
        let refused = try problem(engine, "net", members)
        expect(refused, at: "/damping", "gauss_newton")
        let damping = try #require(refused.detail.firstMatch(of: /at least ([0-9.e-]+)/).flatMap { Double($0.output.1) })
        #expect(throws: Never.self) { try engine.selfInfluence("net", members.setting("damping", .double(damping))) }
    }

    @Test("a model of more examples than memory allows numbers of says what to raise")
    func memory() throws {
        let bench = try CacheBench()
        let engine = bench.engine(memoryBytes: 4096)
        let refused = try problem(engine, "net", ["method": "gradient_dot"])
        #expect(refused.detail.contains("compute.memory_bytes"))
    }

    @Test("gradients from elsewhere have norms and influence, and no last layer or factors")
    func foreign() throws {
        var numbers = SeededNumbers(8)
        let matrix = DenseMatrix(rows: 30, columns: 6, elements: numbers.floats(180).map { Double($0) })
        let bench = try SpectrumBench.gradients(matrix.floats, width: 6, weightDecay: 0.1)
        defer { withExtendedLifetime(bench) {} }
        let engine = bench.engine()
        let norms = (0..<30).map { matrix.row($0).reduce(0) { $0 + $1 * $1 } }
        let dot = try engine.selfInfluence("net", ["method": "gradient_dot"])
        #expect(Closeness.largestError(dot.scores, norms) < 1e-6)
        #expect(dot.shown["examples"]?[0]?["prediction"] == nil)
        var fisher = matrix.transposed * matrix
        for i in fisher.elements.indices { fisher.elements[i] /= 30 }
        let damped = fisher.plus(diagonal: 0.5)
        let expected = (0..<30).map { row in
            zip(matrix.row(row), damped.solved(for: matrix.row(row))).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let influence = try engine.selfInfluence("net", ["damping": 0.4])
        #expect(Closeness.largestError(influence.scores, expected) < 1e-4)
        expect(try problem(engine, "net", ["method": "representer_point"]), at: "/method", "'net'")
        expect(try problem(engine, "net", ["damping": 1, "solver": ["name": "ekfac"]]), at: "/solver/name", "exact")
    }
}
