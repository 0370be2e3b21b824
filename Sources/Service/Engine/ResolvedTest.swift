internal import Foundation
internal import HTTPTypes
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// A test, resolved: its input and target found, evaluated by the model.
struct ResolvedTest: Sendable {
    /// Where a target came from.
    enum TargetSource: String, Sendable { case dataset, request, predicted }

    /// What a model says of an input.
    struct Prediction: Sendable {
        let outputs: [Float]
        let probabilities: [Float]
        /// The most probable class, the lowest of equals.
        let label: Int
    }

    let test: InfluenceRequest.Test
    /// x, with the dataset's divisor applied; empty for a gradient.
    let input: [Float]
    let prediction: Prediction?
    let target: Int?
    let targetSource: TargetSource?
    let loss: Double?
    /// ∇ℓ; nil where there is no target to take it for.
    let gradient: [Float]?
}

extension Engine {
    /// Finds and evaluates tests.
    /// - Parameter predictMissing: whether a test without a target is judged by the predicted label.
    func resolve(_ tests: [InfluenceRequest.Test], for model: LoadedModel, predictMissing: Bool) throws -> [ResolvedTest] {
        try tests.map { test in
            switch test.source {
            case .gradient(let gradient):
                guard gradient.count == model.network.parameterCount else {
                    throw Problem(
                        at: test.pointer + "/gradient",
                        "has \(gradient.count) numbers; the model has \(model.network.parameterCount) parameters")
                }
                return ResolvedTest(
                    test: test, input: [], prediction: nil, target: nil, targetSource: nil, loss: nil, gradient: gradient)
            case .example(let dataset, let index):
                let (record, input) = try example(index, of: dataset, for: model, pointer: test.pointer)
                let target = try test.target ?? Int(record.labels(rows: index..<index + 1, from: store)[0])
                return try evaluate(
                    test, input: input, target: target, source: test.target == nil ? .dataset : .request, model: model)
            case .input(let values, let shape):
                try checkShape(shape, count: values.count, model: model, pointer: test.pointer + "/input")
                return try evaluate(
                    test, input: values, target: test.target, source: test.target == nil ? .predicted : .request, model: model,
                    predictMissing: predictMissing)
            }
        }
    }

    private func example(
        _ index: Int, of name: String, for model: LoadedModel, pointer: String
    ) throws -> (record: DatasetRecord, input: [Float]) {
        let record = try datasetRecord(name, at: pointer + "/dataset")
        guard index < record.rowCount else {
            throw Problem(
                .notFound, "unknown-index", at: pointer + "/index",
                "dataset '\(name)' has \(record.rowCount) examples, 0 to \(record.rowCount - 1); got \(index)")
        }
        guard record.width == model.network.inputWidth else {
            throw Problem(
                at: pointer + "/dataset",
                "examples of '\(name)' have shape \(record.exampleShape); the model takes \(model.network.inputWidth) features")
        }
        let features = try record.features(rows: index..<index + 1, from: store)
        return (record, features.values(of: 0))
    }

    /// An input may be flat, or nested as the spec or the training dataset says.
    private func checkShape(_ shape: [Int], count: Int, model: LoadedModel, pointer: String) throws {
        let expected = model.spec.inputShape ?? model.training.record.exampleShape
        guard count == model.network.inputWidth, shape.count == 1 || shape == expected else {
            throw Problem(
                at: pointer, "has shape \(shape); the model takes \(expected), or \(model.network.inputWidth) numbers flat")
        }
    }

    private func evaluate(
        _ test: InfluenceRequest.Test, input: [Float], target: Int?, source: ResolvedTest.TargetSource, model: LoadedModel,
        predictMissing: Bool = false
    ) throws -> ResolvedTest {
        let network = model.network
        let evaluation = try network.evaluate(model.parameters, on: FeatureRows(input, width: input.count))
        guard evaluation.probabilities.allSatisfy(\.isFinite) else {
            throw Problem(at: test.pointer, "makes outputs beyond single precision; its features are too large for the model")
        }
        // Of equals the lowest: max(by:) would take the last.
        let label = evaluation.probabilities.indices.reduce(0) {
            evaluation.probabilities[$1] > evaluation.probabilities[$0] ? $1 : $0
        }
        let prediction = ResolvedTest.Prediction(
            outputs: evaluation.outputs, probabilities: evaluation.probabilities, label: label)
        guard let target = target ?? (predictMissing ? label : nil) else {
            return ResolvedTest(
                test: test, input: input, prediction: prediction, target: nil, targetSource: nil, loss: nil, gradient: nil)
        }
        guard target >= 0, target < network.classCount else {
            throw Problem(
                at: test.pointer + "/target", "must be a label from 0 to \(network.classCount - 1); got \(target)")
        }
        return ResolvedTest(
            test: test, input: input, prediction: prediction, target: target, targetSource: source,
            loss: network.loss(outputs: evaluation.outputs, target: target),
            gradient: network.gradient(probabilities: evaluation.probabilities, input: input, target: target))
    }
}

extension ResolvedTest {
    /// The test as answers show it.
    var json: JSON {
        var members: JSONObject = [:]
        switch test.source {
        case .example(let dataset, let index):
            members["dataset"] = .string(dataset)
            members["index"] = .integer(index)
        case .input: members["input"] = .string("request")
        case .gradient: members["gradient"] = .string("request")
        }
        if let target { members["target"] = .integer(target) }
        if let targetSource { members["target_source"] = .string(targetSource.rawValue) }
        if let prediction {
            members["prediction"] = [
                "label": .integer(prediction.label), "probabilities": .array(prediction.probabilities.map { .float($0) }),
            ]
        }
        if let loss { members["loss"] = .double(loss) }
        return .object(members)
    }
}
