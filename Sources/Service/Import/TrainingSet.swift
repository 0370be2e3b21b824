internal import Formats
internal import Foundation
internal import JSON
internal import LinearAlgebra
public import Networks
public import Store

// What a training run needs of a store, and what it gives back.
extension Engine {
    /// A model as its spec describes it, and the examples it is to be trained on.
    /// - Throws: `JSONIssues`, `JSONIssue` where the spec is wrong.
    public func trainingSet(spec: String, dataset: String) throws -> (network: Network, examples: LabeledExamples) {
        let data = try self.dataset(store.dataset(named: dataset))
        let network = try Network(ModelSpec(JSON(parsing: spec)), exampleShape: data.record.exampleShape)
        return (network, data.labeled)
    }

    /// F of a network on a dataset. What lies before the first trained layer is computed here, once.
    /// - Throws: `Interrupted`, `StoreError`.
    func objective(
        of network: Network, from start: (trained: [Float], fixed: [Float]), on record: DatasetRecord,
        interruption: Interruption
    ) throws -> NetworkObjective {
        let data = try dataset(record)
        let whole = TrainedNetwork(network, parameters: start.trained, fixed: start.fixed)
        guard let (frozen, trained) = whole.frozenAndTrained else {
            return NetworkObjective(network, fixed: start.fixed, on: data.labeled)
        }
        let outputs = try frozen.outputs(of: data.features, parallel: parallel, interruption: interruption)
        let features = FeatureRows(.float32(outputs), count: data.features.count, width: frozen.network.outputWidth)
        return NetworkObjective(
            trained.network, fixed: start.fixed,
            on: LabeledExamples(features: features, targets: data.targets, weights: data.weights))
    }

    /// Puts parameters into the store as a checkpoint.
    public func importCheckpoint(
        parameters: [Float], fixed: [Float] = [], model: String, spec: String, dataset: String, checkpoint: String,
        training: TrainingState
    ) throws {
        let record = try store.dataset(named: dataset)
        let network = try Network(ModelSpec(JSON(parsing: spec)), exampleShape: record.exampleShape)
        try ModelImport(
            name: model, spec: spec, specFile: "spec", tensors: network.named(parameters, fixed), parametersFile: "parameters",
            dataset: record, store: store
        ).write(checkpoint: checkpoint, training: training, to: store)
    }
}

extension LoadedDataset {
    /// The examples as a network is trained on them.
    var labeled: LabeledExamples { LabeledExamples(features: features, targets: targets, weights: weights) }
}

extension Network {
    /// All tensors under their names, in order.
    func named(_ trained: [Float], _ fixed: [Float]) -> [(name: String, tensor: Tensor)] {
        tensors.map { tensor in
            let values = Array((tensor.isTrained ? trained : fixed)[tensor.slot.offset..<tensor.slot.offset + tensor.slot.count])
            return (tensor.name, Tensor(copying: values, as: .float32, shape: tensor.shape))
        }
    }

    /// θ and what is not trained, from tensors in the network's order.
    func split(_ tensors: [(name: String, tensor: Tensor)]) throws -> (trained: [Float], fixed: [Float]) {
        var (trained, fixed): ([Float], [Float]) = ([], [])
        for (place, (_, tensor)) in zip(self.tensors, tensors) {
            if place.isTrained { trained += try tensor.floats() } else { fixed += try tensor.floats() }
        }
        return (trained, fixed)
    }
}
