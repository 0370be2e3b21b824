import Formats
import Foundation
import JSON
import LinearAlgebra
import Store
import TestSupport
import Testing

@testable import Service

/// Methods through the engine against what PyTorch and NumPy make of the same models in double precision.
@Suite("Methods of the fixtures' models", .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct FixtureMethodTests {
    /// Those with more parameters take minutes without the optimiser.
    static let names =
        [
            "iris-softmax", "iris-mlp", "iris-logistic", "iris-smooth-hinge",
        ]
        + (BuildConfiguration.isOptimized
            ? ["diabetes-mlp", "digits-mlp", "digits-cnn", "digits-residual", "tokens-embedding"] : [])

    /// A store with one of them.
    private struct Bench {
        private let folder: TemporaryDirectory
        private let name: String
        let store: Store
        let settings: JSONObject
        let count, testCount: Int

        init(_ name: String) throws {
            self.name = name
            folder = try TemporaryDirectory()
            store = try Store.open(at: folder.path("s.sqlite"), access: .readWrite, createIfMissing: true)
            func path(_ file: String) -> String { Fixtures.path("fixtures/models/\(name)/\(file)") }
            for kind in ["train", "test"] {
                let data = try DatasetImport(
                    inputs: .init(path: path("\(kind)_inputs.npy")), targets: .init(path: path("\(kind)_targets.npy")))
                try store.importDataset(named: kind, inputs: data.inputs, targets: data.targets)
            }
            try ModelImport(
                name: "net", specFile: path("spec.json"), parametersFile: path("model.safetensors"), dataset: "train",
                store: store
            ).write(checkpoint: "last", training: TrainingState(), to: store)
            let reference = try JSON(parsing: String(contentsOfFile: path("reference.json"), encoding: .utf8))
            settings = [
                "curvature": try #require(reference["curvature"]), "damping": try #require(reference["damping"]),
                "solver": ["name": "exact"],
            ]
            count = try store.dataset(named: "train").rowCount
            testCount = try store.dataset(named: "test").rowCount
        }

        /// The answers for all tests, with all scores.
        func answer(_ members: JSONObject) throws -> JSON {
            var body: JSONObject = ["model": "net", "k": 3, "include": ["all_scores"]]
            body["tests"] = .array((0..<testCount).map { ["dataset": "test", "index": .integer($0)] })
            for (key, value) in members { body[key] = value }
            return try Engine(store: store, parallel: Parallel(threads: 2), memoryBytes: 256 << 20).answer(
                JSON.object(body).serialized(), limits: Question.limits, defaultDeadlineMilliseconds: 600_000)
        }

        func numbers(_ file: String) throws -> [Double] {
            try TensorFile.read(path: Fixtures.path("fixtures/models/\(name)/\(file).npy")).doubles()
        }

        /// A reference's rows, one for each test.
        func rows(_ file: String) throws -> [[Double]] {
            let all = try numbers(file)
            let width = all.count / testCount
            return (0..<testCount).map { Array(all[$0 * width..<($0 + 1) * width]) }
        }
    }

    private static func scores(_ answer: JSON) -> [[Float]] { answer.shownResults.map { $0["all_scores"]?.tensor ?? [] } }

    /// What a listed example says beside its score, of all that are listed.
    private static func listed(_ result: JSON) -> [JSON] {
        ["proponents", "opponents"].flatMap { result[$0]?.arrayValue ?? [] }
    }

    @Test("influence and both relative ones are the reference's, with their denominators and predicted changes", arguments: names)
    func scores(name: String) throws {
        let bench = try Bench(name)
        let expected = try bench.rows("scores")
        let influence = try bench.answer(bench.settings.merging(["include": ["all_scores", "s_test"]]))
        for (test, scores) in Self.scores(influence).enumerated() {
            #expect(Closeness.largestError(scores, expected[test]) < 2e-3, "test \(test)")
        }
        let solutions = try bench.rows("s_test")
        for (test, result) in influence.shownResults.enumerated() {
            #expect(Closeness.relativeDistance(result["s_test"]?.tensor ?? [], solutions[test]) < 2e-3)
            #expect(try #require(result["diagnostics"]?["residual"]?.doubleValue) < 1e-3)
            for example in Self.listed(result) {
                let (score, change) = (example["score"]?.doubleValue, example["predicted_loss_change_if_removed"]?.doubleValue)
                #expect(abs(try #require(change) * Double(bench.count) - (try #require(score))) <= 1e-9 * abs(score ?? 0))
            }
        }
        for (method, file) in [("theta", "theta_relatif_denominator"), ("l", "loss_relatif_denominator")] {
            let denominators = try bench.numbers(file)
            let answer = try bench.answer(bench.settings.merging(["method": "relatif", "relatif_method": .string(method)]))
            for (test, scores) in Self.scores(answer).enumerated() {
                // Where an example has next to no gradient, single precision knows little of either.
                let known = scores.indices.filter { denominators[$0] > 1e-5 * (denominators.max() ?? 0) }
                let relative = known.map { expected[test][$0] / denominators[$0] }
                #expect(known.count > bench.count / 2)
                #expect(Closeness.largestError(known.map { scores[$0] }, relative) < 5e-3, "\(method), test \(test)")
            }
            for result in answer.shownResults {
                for example in Self.listed(result) {
                    let index = try #require(example["index"]?.integerValue)
                    let denominator = try #require(example["denominator"]?.doubleValue)
                    #expect(abs(denominator / denominators[index] - 1) < 5e-3, "\(method), example \(index)")
                    // The prediction is that of influence, whatever is ranked by.
                    let change = try #require(example["predicted_loss_change_if_removed"]?.doubleValue)
                    let score = try #require(example["score"]?.doubleValue)
                    #expect(abs(change * Double(bench.count) - score * denominator) < 1e-4 * abs(score * denominator))
                }
                #expect(result["diagnostics"]?["denominators"]?["solver"] == "exact")
                #expect(result["diagnostics"]?["relatif_method"]?.stringValue == method)
            }
        }
    }

    @Test("products and cosines of gradients are those of the reference's first examples", arguments: names)
    func similarities(name: String) throws {
        let bench = try Bench(name)
        let (tests, all) = (try bench.rows("test_gradients"), try bench.numbers("train_gradients"))
        let width = tests[0].count
        let training = (0..<16).map { Array(all[$0 * width..<($0 + 1) * width]) }
        let norms = try bench.numbers("self_gradient_norm")
        let first: JSON = ["indices": .numbers((0..<16).map { Double($0) })]
        let products = Self.scores(try bench.answer(["method": "gradient_dot", "candidates": first]))
        let cosines = Self.scores(try bench.answer(["method": "gradient_cosine", "candidates": first]))
        for (test, gradient) in tests.enumerated() {
            let expected = training.map { $0.dot(gradient) }
            let size = gradient.norm * (norms.prefix(16).max() ?? 0)
            for i in 0..<16 {
                #expect(abs(Double(products[test][i]) - expected[i]) < 1e-4 * size)
                #expect(
                    abs(Double(cosines[test][i]) - expected[i] / gradient.norm / norms[i]) < 2e-3, "test \(test), example \(i)")
            }
        }
    }

    @Test(
        "denominators by EKFAC and by sketches are near the exact ones, and say who made them",
        arguments: ["iris-softmax", "iris-logistic"])
    func approximations(name: String) throws {
        let bench = try Bench(name)
        for curvature: JSON in ["hessian", "gauss_newton", "empirical_fisher"] {
            func scores(_ method: JSON, _ denominators: JSON) throws -> (scores: [Float], says: JSON?) {
                let answer = try bench.answer(
                    bench.settings.merging([
                        "method": "relatif", "relatif_method": method, "curvature": curvature, "damping": 0.1,
                        "denominators": denominators, "tests": [["dataset": "test", "index": 0]],
                    ]))
                return (Self.scores(answer)[0], answer.shownResults[0]["diagnostics"]?["denominators"]?["solver"])
            }
            for method: JSON in ["theta", "l"] {
                let exact = try scores(method, ["name": "exact"])
                #expect(exact.says == "exact")
                for solver in ["ekfac", "sketch", "arnoldi"] {
                    let near = try scores(method, ["name": .string(solver)])
                    #expect(near.says?.stringValue == solver)
                    let correlation = Closeness.pearson(near.scores, exact.scores)
                    #expect(correlation > 0.8, "\(solver), \(curvature), \(method): \(correlation)")
                }
            }
        }
    }
}
