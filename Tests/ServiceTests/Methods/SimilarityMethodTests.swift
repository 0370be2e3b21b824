import Attribution
import Foundation
import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

/// Products and cosines of gradients through the engine.
@Suite("The methods gradient_dot and gradient_cosine")
struct SimilarityMethodTests {
    private static let kinds: [MethodBench.Kind] = [.soft, .net, .logistic, .hinge, .squared, .smoothed]

    @Test("products and cosines are those of gradients computed plainly", arguments: kinds, [false, true])
    func reference(kind: MethodBench.Kind, weighted: Bool) throws {
        let bench = try MethodBench([kind], weighted: weighted)
        let model = try #require(bench.models[kind])
        let products = try bench.scores(kind, ["method": "gradient_dot"])
        let cosines = try bench.scores(kind, ["method": "gradient_cosine"])
        let gradients = model.data.gradients(model.network)
        for test in 0..<3 {
            let direction = model.tests.gradient(test, model.network)
            #expect(Closeness.largestError(products[test], gradients.map { $0.dot(direction) }) < 1e-5)
            let expected = gradients.map { $0.norm == 0 ? 0 : $0.dot(direction) / $0.norm / direction.norm }
            #expect(Closeness.largestError(cosines[test], expected) < 1e-5)
            #expect(cosines[test].allSatisfy { abs($0) <= 1 + 1e-6 })
        }
    }

    @Test("a training example is to itself what no other is: its cosine is 1", arguments: kinds)
    func itself(kind: MethodBench.Kind) throws {
        let bench = try MethodBench([kind])
        let rows = [0, 7, 39]
        let tests = JSON.array(rows.map { ["dataset": .string(kind.dataset), "index": .integer($0)] })
        let answer = try bench.answer(kind, ["method": "gradient_cosine", "tests": tests])
        for (row, result) in zip(rows, answer.results) {
            let scores = try #require(result.allScores)
            #expect(abs(scores[row] - 1) < 1e-6 && scores.allSatisfy { abs($0) < 1 + 1e-6 })
        }
    }

    @Test(
        "cosines by a cache are those of its rows: an example's with itself is 1, none is larger",
        arguments: [
            "factored", "dense-float32", "dense-int8", "projected-normal-16-seed1-float32", "projected-sjlt-16-seed2-float16",
            "projected-rank1-16-seed3-float32",
        ])
    func caches(name: String) throws {
        let bench = try MethodBench([.net])
        try bench.build(name, .net, "c")
        let rows = [0, 7, 39]
        let tests = JSON.array(rows.map { ["dataset": "classes", "index": .integer($0)] })
        let answer = try bench.answer(.net, ["method": "gradient_cosine", "tests": tests, "gradients": .string(name)])
        // What a code of few bits loses.
        let slack: Float = name.hasSuffix("int8") ? 0.02 : name.hasSuffix("float16") ? 1e-3 : 1e-5
        for (row, result) in zip(rows, answer.results) {
            let scores = try #require(result.allScores)
            #expect(abs(scores[row] - 1) < slack, "\(scores[row])")
            #expect(scores.allSatisfy { abs($0) < 1 + slack }, "\(scores.map(abs).max() ?? 0)")
        }
    }

    @Test("an example without a gradient scores 0 and is listed nowhere, and so does everything for a test without one")
    func zeros() throws {
        // Weights of zero make gradients of zero.
        let bench = try MethodBench([.net], weighted: true)
        let silent = try #require(bench.models[.net]).data.weights?.indices.filter { i in
            bench.models[.net]?.data.weights?[i] == 0
        }
        for method: JSON in ["gradient_dot", "gradient_cosine", "influence", "relatif", "tracin_cp"] {
            let members: JSONObject = method == "influence" || method == "relatif" ? ["solver": ["name": "exact"]] : [:]
            let answer = try bench.answer(.net, members.merging(["method": method, "k": 40, "damping": .null]))
            for result in answer.results {
                let scores = try #require(result.allScores)
                let listed = Set((result.ranking.proponents + result.ranking.opponents).map(\.index))
                for row in try #require(silent) { #expect(scores[row] == 0 && !listed.contains(row), "\(method) \(row)") }
                #expect(listed.count == scores.count { $0 != 0 })
            }
        }
        // Of which nothing is left in single precision: the model is sure.
        let engine = try MethodBench([.logistic])
        let theta: [Float] = [200, 0, 0, 0, 0]
        try engine.add(theta, "sure", to: .logistic, rate: 1)
        for method: JSON in ["gradient_dot", "gradient_cosine"] {
            for x in [1.0, 0.3, 0.45, 0.46, 0.5] {
                let answer = try engine.answer(
                    .logistic, ["method": method, "tests": [["input": .numbers([x, 0, 0, 0]), "target": 1]]])
                #expect(
                    answer.results[0].allScores?.allSatisfy { $0.isFinite && abs($0) < 1.001 || method == "gradient_dot" } == true
                )
            }
        }
    }
}
