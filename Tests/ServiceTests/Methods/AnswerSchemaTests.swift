import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

/// Answers are what the interface's document says they are.
@Suite("Answers by every method, held to the interface's document")
struct AnswerSchemaTests {
    private let validator = SchemaValidator(document: OpenAPIDocument(configuration: ServiceConfiguration()).json)

    private func check(_ answer: JSON, _ component: String, _ what: @autoclosure () -> String) throws {
        // As it is on the wire.
        let text = try JSON(parsing: answer.serialized())
        let flaws = validator.flaws(of: text, component: component)
        #expect(flaws.isEmpty, "\(what()): \(flaws.prefix(5).joined(separator: "\n"))")
    }

    @Test("the validator tells what is right from what is not")
    func tells() {
        let tensor: JSON = ["dtype": "float32", "shape": [1], "base64": "AACAPw=="]
        #expect(validator.flaws(of: tensor, component: "Tensor") == [])
        for wrong: JSON in [
            [:], ["dtype": "float64", "shape": [1], "base64": ""], ["dtype": "float32", "shape": ["a"], "base64": ""], 3,
        ] {
            #expect(!validator.flaws(of: wrong, component: "Tensor").isEmpty, "\(wrong.text)")
        }
        #expect(!validator.flaws(of: [:], component: "InfluenceAnswer").isEmpty)
    }

    private static let ways: [JSONObject] = [
        [:], ["include": ["inputs", "metadata", "all_scores"], "groups": [["name": "g", "indices": [1, 2]]]],
        ["candidates": ["indices": [3, 30, 12]], "include": ["all_scores"]], ["candidates": ["nearest_neighbors": 9]],
        ["aggregate": "mean"], ["tests": [["input": [0.5, -1, 0.25, 2]]]],
        ["tests": [["input": [0.5, -1, 0.25, 2], "target": 2]], "id": "x"],
    ]

    @Test("what POST /influence answers", arguments: MethodCase.all, [false, true])
    func influence(method: MethodCase, weighted: Bool) throws {
        let bench = try MethodCase.sharedBench(weighted: weighted)
        for way in Self.ways {
            let answer = try bench.posted(MethodBench.body(.net, method.members.merging(way)))
            try check(answer, "InfluenceAnswer", "\(way)")
        }
        // What only some of them take.
        if !["representer_point", "trak", "nearest_neighbor"].contains(method.name) {
            let tests: JSON = [["dataset": "classes-test", "index": 0, "target": 1, "versus": 2]]
            let members: JSONObject = [
                "tests": tests, "groups": [["name": "g", "indices": [1, 2]]], "measurement": "probability",
            ]
            try check(bench.posted(MethodBench.body(.net, method.members.merging(members))), "InfluenceAnswer", "contrast")
            let p = try #require(bench.models[.net]).network.theta.count
            let given: JSON = [["gradient": .numbers((0..<p).map { Double($0 % 5) - 2 })]]
            let gradient = method.members.merging(["tests": given, "checkpoint": "c", "checkpoints": .null, "measurement": .null])
            try check(bench.posted(MethodBench.body(.net, gradient)), "InfluenceAnswer", "gradient")
            if method.members["gradients"]?.stringValue == MethodCase.caches[0] {
                let projected: JSON = [["gradient": .numbers((0..<8).map { Double($0 % 3) - 1 })]]
                try check(
                    bench.posted(MethodBench.body(.net, gradient.merging(["tests": projected]))), "InfluenceAnswer", "projected")
            }
        }
    }

    @Test("of models of every loss", arguments: [MethodBench.Kind.logistic, .hinge, .squared, .smoothed, .soft])
    func losses(kind: MethodBench.Kind) throws {
        let bench = try MethodBench([kind])
        for method in MethodCase.all where method.members["gradients"] == nil && method.members["checkpoints"] == nil {
            try check(bench.posted(MethodBench.body(kind, method.members)), "InfluenceAnswer", "\(method)")
        }
    }

    @Test("of every solver, by influence and relatif", arguments: InfluenceRequest.solvers)
    func solvers(name: String) throws {
        let bench = try MethodBench([.soft])
        for method: JSON in ["influence", "relatif"] {
            for until: JSON in name == "lissa" || name == "auto"
                ? [.null, ["relative_error": 0.2], ["rank_stable": true]] : [.null]
            {
                let answer = try bench.posted(
                    MethodBench.body(
                        .soft,
                        [
                            "method": method, "solver": ["name": .string(name)], "include": ["s_test", "all_scores"],
                            "until": until,
                        ]))
                try check(answer, "InfluenceAnswer", "\(name) \(method)")
            }
        }
        guard ExampleSolver.kinds.contains(where: { $0.name == name }) else { return }
        let answer = try bench.posted(MethodBench.body(.soft, ["method": "relatif", "denominators": ["name": .string(name)]]))
        try check(answer, "InfluenceAnswer", "denominators by \(name)")
    }

    @Test("what comparisons answer")
    func comparisons() throws {
        let bench = try MethodCase.sharedBench()
        let names = InfluenceRequest.methods.filter { $0 != "trak" }
        for way in Self.ways {
            let members = way.merging([
                "compare": .array(names.map { .string($0) }), "solver": ["name": "exact"], "contributions": true,
            ])
            try check(bench.posted(MethodBench.body(.net, members)), "ComparisonAnswer", "\(way)")
        }
        let members: JSONObject = ["compare": ["trak", "gradient_dot"], "gradients": .string(MethodCase.caches[0])]
        try check(bench.posted(MethodBench.body(.net, members)), "ComparisonAnswer", "trak")
    }

    @Test("what POST /influence/parameters answers", arguments: [MethodBench.Kind.soft, .net, .squared])
    func parameters(kind: MethodBench.Kind) throws {
        let bench = try MethodBench([kind])
        for solver in InfluenceRequest.solvers {
            let body: JSON = [
                "model": .string(kind.rawValue), "examples": [1, 39], "groups": [["name": "g", "indices": [2, 3]]],
                "include": ["influence", "metadata"], "solver": ["name": .string(solver)], "damping": 0.1, "k": 3,
                "curvature": "gauss_newton",
            ]
            let request = try ParametersRequest(body, limits: Question.limits)
            let answer = try bench.engine().parameters(request, interruption: .never).json(id: "a")
            try check(answer, "ParametersAnswer", solver)
        }
    }
}
