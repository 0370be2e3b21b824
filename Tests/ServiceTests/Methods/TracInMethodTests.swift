import Attribution
import HTTPTypes
import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

/// TracInCP through the engine against Σ η ∇ℓ_test·gᵢ, computed plainly.
@Suite("The method tracin_cp")
struct TracInMethodTests {
    private static let names = ["a", "b", "c"]

    /// Σ η ∇ℓ_test·gᵢ over some of the checkpoints, by checkpoint: [checkpoints][examples].
    private static func parts(_ model: MethodBench.Model, test: Int, rates: [Double] = MethodBench.rates) -> [[Double]] {
        zip(model.checkpoints, rates).map { network, rate in
            let direction = model.tests.gradient(test, network)
            return model.data.gradients(network).map { rate * $0.dot(direction) }
        }
    }

    private static func sum(_ parts: [[Double]]) -> [Double] {
        parts[0].indices.map { i in parts.reduce(0) { $0 + $1[i] } }
    }

    @Test("scores are the sum over checkpoints", arguments: [MethodBench.Kind.soft, .net], [false, true])
    func reference(kind: MethodBench.Kind, weighted: Bool) throws {
        let bench = try MethodBench([kind], weighted: weighted)
        let model = try #require(bench.models[kind])
        for members in [[:], ["checkpoints": "all"], ["checkpoints": ["b", "c", "a"]]] as [JSONObject] {
            let scores = try bench.scores(kind, members.merging(["method": "tracin_cp"]))
            for test in 0..<3 {
                let expected = Self.sum(Self.parts(model, test: test))
                #expect(Closeness.largestError(scores[test], expected) < 1e-5, "\(members)")
            }
        }
        // One alone, and two.
        for members in [["checkpoint": "b"], ["checkpoints": ["b"]], ["checkpoint": "c", "checkpoints": ["b"]]] as [JSONObject] {
            let scores = try bench.scores(kind, members.merging(["method": "tracin_cp"]))
            #expect(Closeness.largestError(scores[0], Self.parts(model, test: 0)[1]) < 1e-5)
        }
        let scores = try bench.scores(kind, ["method": "tracin_cp", "checkpoints": ["c", "a"]])
        let parts = Self.parts(model, test: 1)
        #expect(Closeness.largestError(scores[1], Self.sum([parts[0], parts[2]])) < 1e-5)
    }

    @Test("factors in a cache give the same", arguments: [MethodBench.Kind.soft, .net])
    func factored(kind: MethodBench.Kind) throws {
        let bench = try MethodBench([kind])
        let before = try bench.scores(kind, ["method": "tracin_cp"])
        for name in Self.names { try bench.build("factored", kind, name) }
        let after = try bench.scores(kind, ["method": "tracin_cp"])
        for (one, other) in zip(before, after) { #expect(Closeness.largestError(one, other) < 1e-5) }
    }

    @Test("which checkpoints have a cache of factors changes no bit", arguments: [MethodBench.Kind.soft, .net])
    func someFactored(kind: MethodBench.Kind) throws {
        let bench = try MethodBench([kind])
        let before = try bench.scores(kind, ["method": "tracin_cp"])
        for name in Self.names {
            try bench.build("factored", kind, name)
            #expect(try bench.scores(kind, ["method": "tracin_cp"]) == before, "\(name)")
        }
    }

    @Test("the order in which checkpoints are named changes no bit of scores", arguments: [MethodBench.Kind.soft, .net])
    func order(kind: MethodBench.Kind) throws {
        let bench = try MethodBench([kind])
        // The same parameters twice: their gradients are one source.
        for (name, of) in [("d", 0), ("e", 0), ("f", 1)] {
            try bench.add(
                #require(bench.models[kind]).checkpoints[of].theta.map { Float($0) }, name, to: kind, rate: 0.07 * Double(of + 1))
        }
        let names = Self.names + ["d", "e", "f"]
        func scores(_ names: [String]) throws -> [[Float]] {
            try bench.scores(kind, ["method": "tracin_cp", "checkpoints": .array(names.map { .string($0) })])
        }
        let first = try scores(names)
        #expect(try bench.scores(kind, ["method": "tracin_cp", "checkpoints": "all"]) == first)
        var numbers = SeededNumbers(2)
        for _ in 0..<12 { #expect(try scores(names.shuffled(using: &numbers)) == first) }
        let model = try #require(bench.models[kind])
        var expected = Self.sum(Self.parts(model, test: 0))
        for (of, rate) in [(0, 0.07), (0, 0.07), (1, 0.14)] {
            let direction = model.tests.gradient(0, model.checkpoints[of])
            for (i, g) in model.data.gradients(model.checkpoints[of]).enumerated() { expected[i] += rate * g.dot(direction) }
        }
        #expect(Closeness.largestError(first[0], expected) < 1e-5)
    }

    @Test("contributions are each checkpoint's part, in the order that was asked for, and add up to the score")
    func contributions() throws {
        let bench = try MethodBench([.net])
        let model = try #require(bench.models[.net])
        let order = ["c", "a", "b"]
        let answer = try bench.posted(
            MethodBench.body(
                .net, ["method": "tracin_cp", "contributions": true, "checkpoints": .array(order.map { .string($0) }), "k": 40]))
        for (test, result) in answer.shownResults.enumerated() {
            let parts = Self.parts(model, test: test)
            let largest = Self.sum(parts).map(abs).max() ?? 0
            let listed = ["proponents", "opponents"].flatMap { result[$0]?.arrayValue ?? [] }
            #expect(listed.count == MethodBench.count)
            for example in listed {
                let index = try #require(example["index"]?.integerValue)
                let contributions = try #require(example["contributions"]?.arrayValue)
                #expect(contributions.compactMap { $0["checkpoint"]?.stringValue } == order)
                let scores = contributions.compactMap { $0["score"]?.doubleValue }
                for (score, place) in zip(scores, [2, 0, 1]) { #expect(abs(score - parts[place][index]) < 1e-5 * largest) }
                let total = try #require(example["score"]?.doubleValue)
                #expect(abs(scores.reduce(0, +) - total) < 1e-6 * largest)
            }
            #expect(
                result["diagnostics"]?["checkpoints"]?.arrayValue?.compactMap { $0["learning_rate"]?.doubleValue } == [
                    0.5, 0.1, 0.03,
                ])
        }
    }

    @Test("a checkpoint without a learning rate is refused, and those that have one are named")
    func rates() throws {
        let bench = try MethodBench([.soft])
        let theta = try #require(bench.models[.soft]).network.theta.map { Float($0) }
        try bench.add(theta, "bare", to: .soft, rate: nil)
        for members in [[:], ["checkpoints": "all"], ["checkpoints": ["a", "bare"]], ["checkpoint": "bare"]] as [JSONObject] {
            let problem = try #require(bench.refusal(MethodBench.body(.soft, members.merging(["method": "tracin_cp"]))))
            #expect(problem.status == .unprocessableContent)
            #expect(problem.errors.map(\.pointer) == [members["checkpoint"] == nil ? "/checkpoints" : "/checkpoint"])
            #expect(problem.detail.contains("bare") && problem.detail.contains("a, b, c"), "\(problem.detail)")
        }
        let unknown = try #require(bench.refusal(MethodBench.body(.soft, ["method": "tracin_cp", "checkpoints": ["a", "z"]])))
        #expect(unknown.status == .notFound && unknown.errors.map(\.pointer) == ["/checkpoints/1"])
        // A rate of zero is a rate.
        try bench.add(theta, "still", to: .soft, rate: 0)
        #expect(try bench.scores(.soft, ["method": "tracin_cp", "checkpoints": ["still"]])[0].allSatisfy { $0 == 0 })
        let none = try bench.answer(.soft, ["method": "tracin_cp", "checkpoints": ["still"]]).results[0].ranking
        #expect(none.proponents.isEmpty && none.opponents.isEmpty)
    }

    @Test("projected caches are taken of all checkpoints, with their error stated; where one has none it is named")
    func projected() throws {
        let bench = try MethodBench([.net])
        let exact = try bench.scores(.net, ["method": "tracin_cp"])
        for name in ["projected-normal-64-seed3-float32", "projected-rank1-64-seed3-float32", "dense-float16"] {
            let members: JSONObject = ["method": "tracin_cp", "gradients": .string(name)]
            for checkpoint in ["a", "c"] { try bench.build(name, .net, checkpoint) }
            let problem = try #require(bench.refusal(MethodBench.body(.net, members)))
            #expect(problem.errors.map(\.pointer) == ["/gradients"] && problem.detail.contains("'b'"), "\(problem.detail)")
            try bench.build(name, .net, "b")
            let answer = try bench.posted(MethodBench.body(.net, members))
            for (test, result) in answer.shownResults.enumerated() {
                let checkpoints = try #require(result["diagnostics"]?["checkpoints"]?.arrayValue)
                let errors = checkpoints.compactMap { $0["relative_score_error"]?.doubleValue }
                #expect(errors.count == 3 && errors.allSatisfy { $0 > 0 })
                #expect(result["diagnostics"]?["gradients"]?.stringValue == name)
                let scores = try #require(result["all_scores"]?.tensor)
                // Within a few times what the caches say of themselves.
                let distance = Closeness.relativeDistance(scores, exact[test])
                #expect(distance > 0 && distance < 4 * (errors.max() ?? 0), "\(name): \(distance), stated \(errors)")
            }
        }
    }

    @Test(
        "the mean of projected scores over seeds is the exact score, within three standard errors",
        arguments: ["normal", "rademacher", "sjlt", "rank1"])
    func unbiased(type: String) throws {
        let bench = try MethodBench([.net])
        let exact = try bench.scores(.net, ["method": "tracin_cp", "checkpoint": "b"], rows: [0])[0]
        let seeds = 40
        var estimates: [[Double]] = []
        for seed in 0..<seeds {
            let name = "projected-\(type)-16-seed\(seed)-float32"
            try bench.build(name, .net, "b")
            let scores = try bench.scores(
                .net, ["method": "tracin_cp", "checkpoint": "b", "gradients": .string(name)], rows: [0])[0]
            estimates.append(scores.map(Double.init))
        }
        var outside = 0
        for i in exact.indices {
            let values = estimates.map { $0[i] }
            let mean = values.reduce(0, +) / Double(seeds)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(seeds - 1)
            if abs(mean - Double(exact[i])) > 3 * (variance / Double(seeds)).squareRoot() { outside += 1 }
        }
        // All share the seeds; three in a thousand are outside by chance.
        #expect(outside <= 2, "\(outside) of \(exact.count)")
    }

    @Test("a gradient that is given is of one checkpoint: with more it is refused, with that one alone it is scored")
    func gradient() throws {
        let bench = try MethodBench([.soft])
        let model = try #require(bench.models[.soft])
        let direction = model.tests.gradient(0, model.checkpoints[1])
        let tests: JSON = [["gradient": .numbers(direction)]]
        let problem = try #require(bench.refusal(MethodBench.body(.soft, ["method": "tracin_cp", "tests": tests])))
        #expect(problem.errors.map(\.pointer) == ["/tests/0/gradient"])
        let answer = try bench.answer(.soft, ["method": "tracin_cp", "checkpoint": "b", "tests": tests])
        #expect(Closeness.largestError(answer.results[0].allScores ?? [], Self.parts(model, test: 0)[1]) < 1e-5)
    }

    @Test("a test without a target keeps the label that the request's checkpoint predicts at all checkpoints")
    func predicted() throws {
        let bench = try MethodBench([.net])
        let model = try #require(bench.models[.net])
        for row in 0..<MethodBench.testCount {
            let x = model.tests.inputs[row]
            let f = model.network.outputs(x)
            let label = try #require(f.indices.max { f[$0] < f[$1] })
            let answer = try bench.answer(.net, ["method": "tracin_cp", "tests": [["input": .numbers(x)]]])
            let expected = model.data.inputs.indices.map { i in
                zip(model.checkpoints, MethodBench.rates).reduce(0) {
                    $0 + $1.1 * model.data.gradient(i, $1.0).dot($1.0.gradient(x, Double(label)))
                }
            }
            #expect(answer.results[0].tests[0].target == Double(label))
            #expect(Closeness.largestError(answer.results[0].allScores ?? [], expected) < 1e-5)
        }
    }
}
