import Foundation
import JSON
import LinearAlgebra
import Store
import TestSupport
import Testing

@testable import Service

@Suite("Self-influence against arithmetic by definition")
struct SelfInfluenceTests {
    private let bench: EngineBench
    private let reference: SoftmaxReference

    init() throws {
        bench = try EngineBench()
        reference = try SoftmaxReference(bench.engine().model("small", checkpoint: nil))
    }

    private func answer(_ members: JSONObject = [:]) throws -> SelfInfluenceAnswer {
        try bench.engine().selfInfluence("small", members)
    }

    @Test("influence is gᵢ·(C + λI)⁻¹gᵢ, with each curvature and each way to say the damping")
    func influence() throws {
        let hessian = reference.hessian
        let trace = (0..<hessian.rows).reduce(0) { $0 + hessian[$1, $1] + 0.05 } / Double(hessian.rows)
        let cases: [(JSONObject, DenseMatrix, Double)] = [
            ([:], hessian, 0.05), (["method": "influence", "solver": ["name": "exact"]], hessian, 0.05),
            (["damping": 0.3], hessian, 0.35), (["damping": 0.2, "damping_mode": "relative"], hessian, 0.05 + 0.2 * trace),
            (["curvature": "empirical_fisher"], reference.fisher, 0.05),
            (["curvature": "gauss_newton", "damping": 0.1], hessian, 0.15),
        ]
        for (members, curvature, lambda) in cases {
            let answer = try answer(members)
            let expected = reference.selfInfluence(curvature, lambda: lambda)
            #expect(Closeness.largestError(answer.scores, expected) < 1e-4, "\(members)")
            let diagnostics = try #require(answer.shown["diagnostics"])
            #expect(diagnostics["solver"] == "exact" && diagnostics["method"] == "influence")
            #expect(abs(try #require(diagnostics["lambda_effective"]?.doubleValue) - lambda) < 1e-5)
        }
    }

    @Test("it is n times the loss change that removing an example predicts of its own loss, as influence on it has it")
    func ownChange() throws {
        let (engine, exact) = (bench.engine(), JSON.object(["name": "exact"]))
        let own = try engine.selfInfluence("small", ["solver": exact])
        for example in try #require(own.shown["examples"]?.arrayValue).prefix(5) {
            let index = try #require(example["index"]?.integerValue)
            let asked = try engine.influence(
                EngineBench.request([index], ["solver": exact, "include": ["all_scores"]]), interruption: .never)
            let score = try Double(#require(asked.results[0].allScores)[index])
            #expect(abs(score - own.scores[index]) < 1e-4 * score)
            #expect(example["predicted_loss_change_if_removed"]?.doubleValue == own.scores[index] / 90)
        }
    }

    @Test(
        "solvers that serve all examples come near to the exact one",
        arguments: ["ekfac", "arnoldi", "identity", "datainf", "sketch"])
    func solvers(name: String) throws {
        let answer = try answer(["solver": ["name": .string(name)], "damping": 0.2])
        let exact = reference.selfInfluence(reference.hessian, lambda: 0.25)
        #expect(answer.shown["diagnostics"]?["solver"]?.stringValue == name)
        #expect(Closeness.pearson(answer.scores, exact) > 0.9, "\(name)")
    }

    @Test("gradient_dot is ‖gᵢ‖²")
    func gradientDot() throws {
        let answer = try answer(["method": "gradient_dot"])
        #expect(Closeness.largestError(answer.scores, reference.inputs.indices.map(reference.squaredNorm)) < 1e-5)
        #expect(answer.shown["diagnostics"] == ["method": "gradient_dot", "gradients": "exact"])
    }

    @Test("tracin_cp is Σ η_c‖gᵢ(θ_c)‖² over all checkpoints, or those that are named, with what each adds")
    func tracin() throws {
        let engine = bench.engine()
        var numbers = SeededNumbers(3)
        for (name, rate) in [("early", 0.5), ("late", 0.125)] {
            try engine.importCheckpoint(
                parameters: numbers.floats(EngineBench.parameterCount, scale: 0.7), model: "path", spec: EngineBench.spec,
                dataset: "small", checkpoint: name, training: TrainingState(learningRate: rate))
        }
        let norms = try ["early", "late"].map { name in
            let reference = try SoftmaxReference(engine.model("path", checkpoint: name))
            return reference.inputs.indices.map(reference.squaredNorm)
        }
        let sum = zip(norms[0], norms[1]).map { 0.5 * $0 + 0.125 * $1 }
        let all = try engine.selfInfluence("path", ["method": "tracin_cp", "contributions": true])
        #expect(Closeness.largestError(all.scores, sum) < 1e-5)
        let example = try #require(all.shown["examples"]?[0])
        let index = try #require(example["index"]?.integerValue)
        let contributions = try #require(example["contributions"]?.arrayValue)
        #expect(contributions.map { $0["checkpoint"] } == ["early", "late"])
        let added = contributions.compactMap { $0["score"]?.doubleValue }
        #expect(abs(added[0] - 0.5 * norms[0][index]) < 1e-4 && abs(added[0] + added[1] - all.scores[index]) < 1e-9)
        let shown = all.shown["diagnostics"]?["checkpoints"]?.arrayValue?.map { $0["learning_rate"]?.doubleValue }
        #expect(shown == [0.5, 0.125])

        // The order in which they are named does not matter, to the last bit.
        for names: JSON in ["all", ["early", "late"], ["late", "early"]] {
            #expect(try engine.selfInfluence("path", ["method": "tracin_cp", "checkpoints": names]).scores == all.scores)
        }
        for members: JSONObject in [["checkpoint": "early"], ["checkpoints": ["early"]]] {
            let one = try engine.selfInfluence("path", members.setting("method", "tracin_cp"))
            #expect(Closeness.largestError(one.scores, norms[0].map { 0.5 * $0 }) < 1e-5)
            #expect(one.shown["examples"]?[0]?["contributions"] == nil)
        }
    }

    @Test("representer_point is the value of an example's own label, times its features with themselves")
    func representer() throws {
        let answer = try answer(["method": "representer_point"])
        for example in try #require(answer.shown["examples"]?.arrayValue) {
            let index = try #require(example["index"]?.integerValue)
            let alpha = try #require(example["coefficients"]?[reference.labels[index]]?.doubleValue)
            let size = reference.inputs[index].reduce(1) { $0 + $1 * $1 }
            #expect(abs(answer.scores[index] - alpha * size) < 1e-5 * alpha * size)
        }
        // As many terms as outputs: what retraining says of itself.
        let diagnostics = try #require(answer.shown["diagnostics"])
        for name in ["l2", "steps", "gradient_norm", "unattributed", "mean_output_change", "changed_labels"] {
            #expect(diagnostics[name]?.doubleValue != nil, "\(name)")
        }
        #expect(diagnostics["l2"] == 0.05)
        let stronger = try self.answer(["method": "representer_point", "l2": 0.5])
        #expect(stronger.shown["diagnostics"]?["l2"] == 0.5 && stronger.scores != answer.scores)
    }

    @Test("an answer lists the largest with all that is known of them, and says how all are spread")
    func answer() throws {
        let answer = try answer(["k": 4, "include": ["inputs", "metadata", "all_scores"]])
        let shown = answer.shown
        let expected = answer.scores.indices.sorted { answer.scores[$0] > answer.scores[$1] }.prefix(4)
        let examples = try #require(shown["examples"]?.arrayValue)
        #expect(examples.map { $0["index"]?.integerValue } == expected.map { $0 })
        for (example, index) in zip(examples, expected) {
            #expect(example["score"]?.doubleValue == answer.scores[index])
            #expect(
                example["id"]?.stringValue == "example-\(index)" && example["target"]?.integerValue == reference.labels[index])
            #expect(example["input"]?.numbersValue == reference.inputs[index] && example["metadata"] == [:])
            let p = reference.probabilities(index)
            let predicted = try #require(example["prediction"])
            #expect(predicted["label"]?.integerValue == p.indices.max { p[$0] < p[$1] })
            #expect(Closeness.largestError(try #require(predicted["probabilities"]?.numbersValue), p) < 1e-5)
        }
        #expect(shown["n_train"] == 90 && shown["all_scores"]?["shape"] == [90])
        let quantiles = try #require(shown["quantiles"]?.arrayValue).compactMap { $0["score"]?.doubleValue }
        let sorted = answer.scores.sorted()
        #expect(quantiles.count == 9 && quantiles[0] == sorted[0] && quantiles[8] == sorted[89])
        #expect(abs(quantiles[4] - (sorted[44] + sorted[45]) / 2) < 1e-12)
        #expect(abs(try #require(shown["mean"]?.doubleValue) - sorted.reduce(0, +) / 90) < 1e-12)
        #expect(try self.answer(["include": []]).shown["examples"]?[0]?["metadata"] == nil)
        #expect(try self.answer().shown["examples"]?.arrayValue?.count == 90)
    }
}
