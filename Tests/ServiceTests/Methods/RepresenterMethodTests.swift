import Foundation
import HTTPTypes
import JSON
import LinearAlgebra
import Store
import TestSupport
import Testing

@testable import Service

/// Representer points through the engine against a last layer that is trained again plainly.
@Suite("The method representer_point")
struct RepresenterMethodTests {
    private static let kinds: [MethodBench.Kind] = [.soft, .net, .logistic, .hinge, .squared, .smoothed]

    /// The last layer, trained again to its minimum, with its examples: features in place of inputs.
    private static func retrained(_ model: MethodBench.Model, decay: Double) -> (layer: PlainNetwork, data: PlainData) {
        let network = model.network
        let data = PlainData(
            inputs: model.data.inputs.map { features($0, network) }, targets: model.data.targets, weights: model.data.weights)
        let widths = Array(network.widths.suffix(2))
        let start = PlainNetwork(widths, network.loss, [Float](repeating: 0, count: PlainNetwork.parameterCount(widths)))
        return (data.trained(start, lambda: decay, of: data.count), data)
    }

    private static func features(_ x: [Double], _ network: PlainNetwork) -> [Double] {
        network.activations(x)[network.widths.count - 2]
    }

    /// What each output counts towards a target.
    private static func side(_ kind: MethodBench.Kind, _ target: Double) -> [Double] {
        switch kind {
        case .soft, .net, .smoothed: (0..<3).map { Double($0) == target ? 1 : 0 }
        case .logistic: [target == 0 ? -1 : 1]
        case .hinge: [target]
        case .squared: [1]
        }
    }

    @Test("values are α(h·h), and all of them add up to the retrained layer's output", arguments: kinds, [false, true])
    func reference(kind: MethodBench.Kind, weighted: Bool) throws {
        let bench = try MethodBench([kind], weighted: weighted)
        let model = try #require(bench.models[kind])
        for decay in [MethodBench.decay, 0.4] {
            let (layer, data) = Self.retrained(model, decay: decay)
            let answer = try bench.answer(kind, ["method": "representer_point", "l2": .double(decay)])
            for test in 0..<3 {
                let h = Self.features(model.tests.inputs[test], model.network)
                let side = Self.side(kind, model.tests.targets[test])
                let expected = data.inputs.indices.map { i in
                    let slope = layer.slope(layer.outputs(data.inputs[i]), data.targets[i]).map { $0 * data.weight(i) }
                    return -slope.dot(side) / (decay * Double(data.count)) * (data.inputs[i].dot(h) + 1)
                }
                let scores = try #require(answer.results[test].allScores)
                #expect(Closeness.largestError(scores, expected) < 1e-3, "λ \(decay), test \(test)")
                let output = layer.outputs(h).dot(side)
                let sum = scores.reduce(0.0) { $0 + Double($1) }
                #expect(abs(sum - output) < 1e-3 * (expected.map(abs).max() ?? 0) + 1e-3 * abs(output), "\(sum), \(output)")
            }
        }
    }

    @Test("the diagnostics tell how far retraining moved the predictions, and coefficients are α")
    func diagnostics() throws {
        let bench = try MethodBench([.net])
        let model = try #require(bench.models[.net])
        let (layer, data) = Self.retrained(model, decay: MethodBench.decay)
        let answer = try bench.posted(MethodBench.body(.net, ["method": "representer_point"]))
        let diagnostics = try #require(answer.shownResults[0]["diagnostics"])
        let before = model.data.inputs.map { PlainNetwork.softmax(model.network.outputs($0)) }
        let after = data.inputs.map { PlainNetwork.softmax(layer.outputs($0)) }
        let changes = zip(before, after).flatMap { zip($0, $1).map { abs($0 - $1) } }
        #expect(
            abs(try #require(diagnostics["mean_output_change"]?.doubleValue) - changes.reduce(0, +) / Double(changes.count))
                < 1e-3)
        #expect(abs(try #require(diagnostics["largest_output_change"]?.doubleValue) - (changes.max() ?? 0)) < 1e-3)
        func label(_ p: [Double]) -> Int? { p.indices.max { p[$0] < p[$1] } }
        let changed = zip(before, after).count { label($0) != label($1) }
        #expect(abs(try #require(diagnostics["changed_labels"]?.doubleValue) - Double(changed) / Double(data.count)) < 1e-9)
        #expect(diagnostics["l2"] == 0.05 && diagnostics["unattributed"]?.doubleValue ?? 1 < 1e-3)
        for example in answer.shownResults[0]["proponents"]?.arrayValue ?? [] {
            let index = try #require(example["index"]?.integerValue)
            let slope = layer.slope(layer.outputs(data.inputs[index]), data.targets[index])
            let expected = slope.map { -$0 / (MethodBench.decay * Double(data.count)) }
            #expect(Closeness.largestError(try #require(example["coefficients"]?.numbersValue), expected) < 1e-3)
        }
        #expect(answer["orientation"]?.stringValue?.contains("raises the output") == true)
    }

    @Test(
        "a model whose last layer is not linear is refused, with the reason",
        arguments: [#"{"type": "relu"}"#, #"{"type": "tanh"}, {"type": "softplus"}"#])
    func refusal(tail: String) throws {
        let bench = try MethodBench([.soft])
        let spec = """
            {"layers": [{"type": "linear", "in_features": 4, "out_features": 3}, \(tail)], "loss": {"type": "cross_entropy"},
             "weight_decay": 0.05}
            """
        var numbers = SeededNumbers(3)
        try bench.engine().importCheckpoint(
            parameters: numbers.floats(15), model: "bent", spec: spec, dataset: "classes", checkpoint: "a",
            training: TrainingState())
        let problem = try #require(bench.refusal(MethodBench.body(.soft, ["model": "bent", "method": "representer_point"])))
        #expect(problem.status == .unprocessableContent && problem.errors.map(\.pointer) == ["/method"])
        let layer = tail.contains("softplus") ? "layer '2', an activation" : "layer '1', an activation"
        #expect(problem.detail.contains(layer) && problem.detail.contains("tracin_cp"), "\(problem.detail)")
    }

    @Test("without weight decay it takes an l2, and a test needs an input")
    func settings() throws {
        let bench = try MethodBench([.soft])
        let spec = MethodBench.Kind.soft.spec.replacingOccurrences(of: "0.05", with: "0")
        let theta = try #require(bench.models[.soft]).network.theta.map { Float($0) }
        try bench.engine().importCheckpoint(
            parameters: theta, model: "free", spec: spec, dataset: "classes", checkpoint: "a", training: TrainingState())
        let problem = try #require(bench.refusal(MethodBench.body(.soft, ["model": "free", "method": "representer_point"])))
        #expect(problem.errors.map(\.pointer) == ["/l2"] && problem.detail.contains("weight_decay"))
        #expect(bench.refusal(MethodBench.body(.soft, ["model": "free", "method": "representer_point", "l2": 0.1])) == nil)
        for l2: JSON in [0, -1, "auto"] {
            let problem = try #require(bench.refusal(MethodBench.body(.soft, ["method": "representer_point", "l2": l2])))
            #expect(problem.errors.map(\.pointer) == ["/l2"], "\(l2)")
        }
        let tests: JSON = [["gradient": .numbers([Double](repeating: 1, count: 15))]]
        let given = try #require(bench.refusal(MethodBench.body(.soft, ["method": "representer_point", "tests": tests])))
        #expect(given.errors.map(\.pointer) == ["/tests/0"] && given.detail.contains("input"))
    }
}
