import Foundation
import HTTPTypes
import JSON
import Store
import TestSupport
import Testing

@testable import Service

/// Every member of a request that not all methods take, asked of every method.
@Suite("Members that mean nothing to a method")
struct MethodRefusalTests {
    /// A value that is right for each member where the member is.
    private static let values: [(member: String, value: JSON, takers: Set<String>)] = [
        ("curvature", "gauss_newton", ["influence", "relatif"]), ("damping", 0.1, ["influence", "relatif", "trak"]),
        ("damping_mode", "relative", ["influence", "relatif", "trak"]), ("solver", ["name": "exact"], ["influence", "relatif"]),
        ("until", ["relative_error": 0.1], ["influence", "relatif"]),
        ("measurement", "logit", ["influence", "relatif", "tracin_cp", "gradient_dot", "gradient_cosine"]),
        (
            "gradients", "projected-normal-8-seed5-float32",
            ["influence", "relatif", "tracin_cp", "gradient_dot", "gradient_cosine", "trak"]
        ),
        ("relatif_method", "l", ["relatif"]), ("denominators", ["name": "exact"], ["relatif"]),
        ("checkpoints", "all", ["tracin_cp", "trak"]), ("contributions", true, ["tracin_cp"]), ("models", ["second"], ["trak"]),
        ("l2", 0.3, ["representer_point"]),
        ("metric", "cosine", ["nearest_neighbor"]), ("layer", "input", ["nearest_neighbor"]),
    ]

    private static let methods = [
        "influence", "relatif", "tracin_cp", "representer_point", "gradient_dot", "gradient_cosine", "trak",
        "nearest_neighbor",
    ]

    @Test(
        "each is accepted by the methods that take it, and refused by the others, with the methods that would", arguments: methods
    )
    func table(method: String) throws {
        let bench = try MethodCase.sharedBench()
        let needed: JSONObject = method == "trak" ? ["gradients": .string(MethodCase.caches[0])] : [:]
        for (member, value, takers) in Self.values {
            var body = MethodBench.body(.net, needed.merging(["method": .string(method), "damping": .null]))
            body[member] = value
            // A goal is LiSSA's to reach.
            let problem = bench.refusal(body)
            guard !takers.contains(method) else {
                #expect(problem == nil, "\(member): \(problem?.detail ?? "")")
                continue
            }
            let refusal = try #require(problem, "\(member)")
            #expect(refusal.status == .unprocessableContent && refusal.errors.map(\.pointer) == ["/\(member)"], "\(refusal)")
            #expect(refusal.detail.contains("no meaning") && refusal.detail.contains(method))
            for taker in takers { #expect(refusal.detail.contains(taker), "\(member): \(refusal.detail)") }
        }
        // Whatever a method has to say of null, it is as good as nothing.
        for (member, _, _) in Self.values where member != "gradients" {
            let body = MethodBench.body(.net, needed.merging(["method": .string(method), member: .null]))
            #expect(bench.refusal(body) == nil, "\(member)")
        }
    }

    @Test("a contrast means nothing where nothing is measured, nor s_test where nothing is solved", arguments: methods)
    func others(method: String) throws {
        let bench = try MethodCase.sharedBench()
        let needed: JSONObject = method == "trak" ? ["gradients": .string(MethodCase.caches[0])] : [:]
        let members = needed.merging(["method": .string(method)])
        let tests: JSON = [
            ["dataset": "classes-test", "index": 0], ["dataset": "classes-test", "index": 0, "target": 0, "versus": 1],
        ]
        let contrast = bench.refusal(MethodBench.body(.net, members.merging(["tests": tests])))
        if ["representer_point", "trak", "nearest_neighbor"].contains(method) {
            #expect(
                contrast?.errors.map(\.pointer) == ["/tests/1/versus"] && contrast?.detail.contains("influence") == true,
                "\(contrast?.detail ?? "none")")
        } else {
            #expect(contrast == nil)
        }
        let vector = bench.refusal(MethodBench.body(.net, members.merging(["include": ["metadata", "s_test"]])))
        if ["influence", "relatif"].contains(method) {
            #expect(vector == nil)
        } else {
            #expect(
                vector?.errors.map(\.pointer) == ["/include"] && vector?.detail.contains("influence") == true,
                "\(vector?.detail ?? "none")")
        }
    }

    @Test("values that are wrong are refused with those that are right")
    func values() throws {
        let bench = try MethodCase.sharedBench()
        let cases: [(JSONObject, String, [String])] = [
            (["method": "guess"], "/method", ["influence", "trak"]),
            (["method": "relatif", "relatif_method": "both"], "/relatif_method", ["theta", "l"]),
            (["method": "relatif", "denominators": ["name": "lissa"]], "/denominators/name", ["exact", "ekfac", "sketch"]),
            (["method": "relatif", "denominators": ["name": "exact", "seed": 1]], "/denominators/seed", ["name"]),
            (["method": "relatif", "denominators": "exact"], "/denominators", ["object"]),
            (["method": "tracin_cp", "checkpoints": "some"], "/checkpoints", ["all"]),
            (["method": "tracin_cp", "checkpoints": []], "/checkpoints", ["1"]),
            (["method": "tracin_cp", "checkpoints": ["a", "a"]], "/checkpoints", ["twice"]),
            (["method": "tracin_cp", "checkpoints": ["a", 3]], "/checkpoints/1", ["string"]),
            (["method": "tracin_cp", "contributions": 1], "/contributions", ["true"]),
            (["method": "trak", "models": []], "/models", ["1"]),
            (["method": "representer_point", "l2": 1e40], "/l2", ["1e+30"]),
            (["method": "gradient_dot", "candidates": ["indices": [40]]], "/candidates/indices/0", ["0 to 39"]),
            (["method": "gradient_dot", "groups": [["name": "g", "indices": [0, 40]]]], "/groups/0/indices/1", ["0 to 39"]),
            (["method": "gradient_dot", "gradients": "none"], "/gradients", ["exact", "dense-float16"]),
            (["method": "gradient_dot", "k": 0], "/k", ["1"]),
        ]
        for (members, pointer, words) in cases {
            let problem = try #require(bench.refusal(MethodBench.body(.net, members)), "\(members)")
            #expect(
                problem.status == .unprocessableContent && problem.errors.contains { $0.pointer == pointer },
                "\(members): \(problem.errors)")
            for word in words {
                #expect(
                    problem.detail.contains(word) || problem.errors.contains { $0.detail.contains(word) },
                    "\(members): \(problem)")
            }
        }
    }

    @Test("who finds denominators is refused where it is named, with who could in its place")
    func denominators() throws {
        let bench = try MethodBench([.net])
        let engine = bench.engine(memoryBytes: 12 << 10)
        func problem(_ members: JSONObject, _ engine: Engine) throws -> Problem {
            let body = MethodBench.body(.net, members.merging(["method": "relatif", "include": []]))
            return try #require(throws: Problem.self) { try bench.posted(body, engine) }
        }
        let large = try problem(["solver": ["name": "identity"], "denominators": ["name": "exact"]], engine)
        #expect(large.errors.map(\.pointer) == ["/denominators/name"], "\(large)")
        #expect(large.detail.contains("ekfac") && !large.detail.contains("lissa"), "\(large)")
        let sketch: JSON = ["name": "sketch", "projection_dim": 3, "step_size": 1e6]
        let diverged = try problem(["solver": ["name": "identity"], "denominators": sketch], bench.engine())
        #expect(diverged.errors.map(\.pointer) == ["/denominators/step_size"], "\(diverged)")
        // The tests' own solver, where that serves all examples.
        let own = try problem(["solver": ["name": "exact"]], engine)
        #expect(own.errors.map(\.pointer) == ["/solver/name"], "\(own)")
        #expect(throws: Never.self) {
            try bench.posted(
                MethodBench.body(
                    .net,
                    ["method": "relatif", "solver": ["name": "identity"], "denominators": ["name": "datainf"], "include": []]),
                engine)
        }
    }

    @Test("a model that is known by gradients alone has what they allow, and says what needs a network", arguments: methods)
    func foreign(method: String) throws {
        let bench = try MethodBench([.soft])
        let rows = try #require(bench.models[.soft]).data.gradients(try #require(bench.models[.soft]).network)
        let folder = try TemporaryDirectory()
        try ArrayFile.npy(rows.joined().map { Float($0) }, shape: [40, 15]).write(to: folder.url.appendingPathComponent("g.npy"))
        try GradientImport(gradients: .init(path: folder.path("g.npy"))).write(
            .init(model: "given", checkpoint: "x", training: TrainingState(learningRate: 0.1), weightDecay: 0.05), to: bench.store
        )
        let body = MethodBench.body(
            .soft,
            [
                "model": "given", "method": .string(method), "tests": [["dataset": "given", "index": 3]],
                "gradients": method == "trak" ? "dense-float32" : .null,
            ])
        let problem = bench.refusal(body)
        if ["representer_point", "trak", "nearest_neighbor"].contains(method) {
            let refusal = try #require(problem)
            #expect(refusal.status == .unprocessableContent && refusal.errors.count == 1, "\(refusal)")
            #expect(refusal.errors[0].pointer == "/method", "\(refusal)")
        } else {
            #expect(problem == nil, "\(problem?.detail ?? "")")
            let logit = try #require(bench.refusal(body.merging(["measurement": "logit"])))
            #expect(logit.errors.map(\.pointer) == ["/measurement"])
        }
    }
}
