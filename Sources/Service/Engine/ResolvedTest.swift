internal import Attribution
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

    let test: InfluenceRequest.Test
    /// x, with the dataset's divisor applied; empty for a gradient.
    let input: [Float]
    let prediction: Prediction?
    let target: Double?
    let targetSource: TargetSource?
    let loss: Double?
    /// What is asked about, where that is not the loss of the target alone.
    let measured: Double?
    /// ∇ℓ in θ, or −∇ of another measurement, as if that were the loss; or as it was given; nil where there is no target to take it for.
    let gradient: ExampleGradients?
}

extension Engine {
    /// Finds and evaluates tests. Gradients are taken as they are.
    /// - Parameters:
    ///   - measurement: what their gradients are of.
    ///   - predictMissing: whether a test without a target is judged by the predicted label.
    func resolve(
        _ tests: [InfluenceRequest.Test], for model: LoadedModel, measurement: OutputMeasurement = .loss, predictMissing: Bool,
        interruption: Interruption
    ) throws -> [ResolvedTest] {
        guard measurement == .loss || model.foreign == nil else {
            throw Problem.noNetwork(
                model.record.name, at: "/measurement",
                "must be loss: a \(measurement.rawValue) is known of a network's outputs only")
        }
        return try tests.map { test in
            try interruption.check()
            switch test.source {
            case .gradient(let gradient):
                return ResolvedTest(
                    test: test, input: [], prediction: nil, target: nil, targetSource: nil, loss: nil, measured: nil,
                    gradient: ExampleGradients(vectors: gradient, count: 1))
            case .example(let dataset, let index) where model.foreign != nil:
                return try storedGradient(test, dataset, index, of: model)
            case .example(let dataset, let index):
                let network = try model.network(at: test.pointer + "/dataset")
                let (input, own) = try example(
                    index, of: dataset, for: network, pointer: test.pointer, interruption: interruption)
                let target = try test.target ?? own()
                return try evaluate(
                    test, input: input, target: target, source: test.target == nil ? .dataset : .request, network, measurement)
            case .input(let values, let shape):
                let network = try model.network(
                    at: test.pointer + "/input", "can't be evaluated: post {\"gradient\": […]} with the gradient of its loss")
                try checkShape(shape, count: values.count, model: model, network, pointer: test.pointer + "/input")
                return try evaluate(
                    test, input: values, target: test.target, source: test.target == nil ? .predicted : .request, network,
                    measurement, predictMissing: predictMissing)
            }
        }
    }

    /// A training example of a model that is known by gradients alone.
    private func storedGradient(
        _ test: InfluenceRequest.Test, _ dataset: String, _ index: Int, of model: LoadedModel
    ) throws -> ResolvedTest {
        let (record, count) = (model.training.record, model.training.record.rowCount)
        guard dataset == record.name, let gradients = model.foreign else {
            throw Problem.noNetwork(
                model.record.name, at: test.pointer + "/dataset",
                "must be '\(record.name)', whose examples' gradients are stored; got '\(dataset)'")
        }
        guard index < count else { throw Problem.unknownIndex(index, of: record, at: test.pointer + "/index") }
        guard test.versus == nil else {
            throw Problem.noNetwork(
                model.record.name, at: test.pointer + "/versus",
                "has no meaning: labels can be contrasted where a network has outputs for them")
        }
        guard test.target == nil else {
            throw Problem.noNetwork(
                model.record.name, at: test.pointer + "/target",
                "can't be chosen: the stored gradient is for the example's own target")
        }
        let target = model.training.targets?.number(index)
        return ResolvedTest(
            test: test, input: [], prediction: nil, target: target, targetSource: target.map { _ in .dataset }, loss: nil,
            measured: nil, gradient: ExampleGradients(vectors: gradients.gradient(of: index), count: 1))
    }

    /// An example of a dataset: its input, and what finds its target.
    private func example(
        _ index: Int, of name: String, for model: NetworkModel, pointer: String, interruption: Interruption
    ) throws -> (input: [Float], target: () throws -> Double) {
        let record = try datasetRecord(name, at: pointer + "/dataset")
        guard index < record.rowCount else { throw Problem.unknownIndex(index, of: record, at: pointer + "/index") }
        guard record.hasInputs else {
            throw Problem(at: pointer + "/dataset", "examples of '\(name)' have no inputs to evaluate, only stored gradients")
        }
        guard record.width == model.network.inputWidth else {
            throw Problem(
                at: pointer + "/dataset",
                "examples of '\(name)' have shape \(record.exampleShape); the model takes \(model.network.inputShape)")
        }
        // From the dataset in memory, where that is small beside it and so stays there, or from blocks in the store, which are read and
        // checked each time.
        if let bytes = record.loadedByteCount, bytes <= memoryBytes / 64 {
            do {
                let data = try self.dataset(record, interruption: interruption)
                return (data.features.values(of: index), { data.targets.number(index) })
            } catch let stop as Interrupted {
                throw stop
            } catch {
                // What is wrong elsewhere in it is no matter of this row.
            }
        }
        let row = index..<index + 1
        return (
            try record.features(rows: row, from: store).values(of: 0),
            { [store] in try record.targets(rows: row, from: store).number(0) }
        )
    }

    /// An input may be flat, or nested as the spec or the training dataset says.
    private func checkShape(
        _ shape: [Int], count: Int, model: LoadedModel, _ network: NetworkModel, pointer: String
    ) throws {
        let expected = network.network.inputShape
        guard count == network.network.inputWidth,
            shape.count == 1 || shape == expected || shape == model.training.record.exampleShape
        else {
            throw Problem(
                at: pointer, "has shape \(shape); the model takes \(expected), or \(network.network.inputWidth) numbers flat")
        }
    }

    private func evaluate(
        _ test: InfluenceRequest.Test, input: [Float], target: Double?, source: ResolvedTest.TargetSource,
        _ model: NetworkModel, _ measurement: OutputMeasurement, predictMissing: Bool = false
    ) throws -> ResolvedTest {
        if let flaw = model.network.tokenFlaw(in: input) { throw Problem(at: test.pointer, flaw) }
        let (outputs, features) = try model.outputs(of: input)
        let prediction = Prediction(outputs: outputs, model.trained)
        guard prediction.isFinite else {
            throw Problem(at: test.pointer, "makes outputs beyond single precision; its features are too large for the model")
        }
        guard let target = target ?? (predictMissing ? prediction.label.map(Double.init) : nil) else {
            guard !predictMissing else {
                throw Problem(
                    at: test.pointer + "/target", "is missing; a model of \(prediction.kind) predicts no label to stand in")
            }
            return ResolvedTest(
                test: test, input: input, prediction: prediction, target: nil, targetSource: nil, loss: nil, measured: nil,
                gradient: nil)
        }
        if let flaw = model.network.loss.flaw(ofTarget: target, outputWidth: model.network.outputWidth) {
            guard case .example(let dataset, let index) = test.source, source == .dataset else {
                throw Problem(at: test.pointer + "/target", flaw)
            }
            throw Problem(
                at: test.pointer, "the target of example \(index) of dataset '\(dataset)' \(flaw); give another as target")
        }
        let targets = Int32(exactly: target).map { Targets.labels([$0]) } ?? .values([Float(target)])
        let examples = LabeledExamples(features: features, targets: targets)
        let isLoss = measurement == .loss && test.versus == nil
        let measured = isLoss ? nil : try measure(measurement, of: outputs, target, test, model)
        return ResolvedTest(
            test: test, input: input, prediction: prediction, target: target, targetSource: source,
            loss: model.trained.loss(outputs: outputs, target: target), measured: measured?.value,
            gradient: try model.trained.exampleGradients(
                of: 0..<1, in: examples, from: measured.map { .given($0.gradient.map { Float($0) }) } ?? .ofLoss))
    }

    /// What is asked about of a test's outputs.
    /// - Throws: 422 where it can't be measured, at the member that says so.
    private func measure(
        _ measurement: OutputMeasurement, of outputs: [Float], _ target: Double, _ test: InfluenceRequest.Test,
        _ model: NetworkModel
    ) throws -> MeasuredOutputs {
        do {
            return try model.network.loss.measure(measurement, of: outputs, target: target, versus: test.versus)
        } catch {
            let pointer =
                switch error {
                case .versus, .nothingToContrast: test.pointer + "/versus"
                case .target: test.pointer + "/target"
                case .unavailable, .singleClass, .noMargin, .noLabel, .notFinite: "/measurement"
                }
            throw Problem(at: pointer, error.description)
        }
    }
}

extension Problem {
    /// An index that a dataset does not have.
    static func unknownIndex(_ index: Int, of dataset: DatasetRecord, at pointer: String) -> Problem {
        Problem(
            .notFound, "unknown-index", at: pointer,
            "dataset '\(dataset.name)' has \(dataset.rowCount) examples, 0 to \(dataset.rowCount - 1); got \(index)")
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
            // Nothing was evaluated: the gradient is as it was imported.
            if prediction == nil { members["gradient"] = "stored" }
        case .input: members["input"] = .string("request")
        case .gradient: members["gradient"] = .string("request")
        }
        if let target { members["target"] = .target(target) }
        if let targetSource { members["target_source"] = .string(targetSource.rawValue) }
        if let prediction { members["prediction"] = prediction.json }
        if let loss { members["loss"] = .double(loss) }
        if let versus = test.versus { members["versus"] = .target(versus) }
        if let measured { members["measured"] = .double(measured) }
        return .object(members)
    }
}

extension JSON {
    /// A target as the interface shows it: a label without a fraction.
    static func target(_ value: Double) -> JSON { Int32(exactly: value).map { .integer(Int($0)) } ?? .double(value) }
}
