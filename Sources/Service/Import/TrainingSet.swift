internal import Formats
internal import JSON
public import Networks
public import Store

// What a training run needs of a store, and what it gives back.
extension Engine {
    /// A model as its spec describes it, and the examples it is to be trained on.
    /// - Throws: `JSONIssues`, `JSONIssue` where the spec is wrong.
    public func trainingSet(spec: String, dataset: String) throws -> (network: Network, examples: LabeledExamples) {
        let data = try self.dataset(store.dataset(named: dataset))
        let network = try Network(ModelSpec(JSON(parsing: spec)), exampleShape: data.record.exampleShape)
        return (network, LabeledExamples(features: data.features, targets: data.targets, weights: data.weights))
    }

    /// Puts parameters into the store as a checkpoint.
    public func importCheckpoint(
        parameters: [Float], fixed: [Float] = [], model: String, spec: String, dataset: String, checkpoint: String,
        training: TrainingState
    ) throws {
        let record = try store.dataset(named: dataset)
        let network = try Network(ModelSpec(JSON(parsing: spec)), exampleShape: record.exampleShape)
        let tensors = network.tensors.map { tensor in
            let values = Array(
                (tensor.isTrained ? parameters : fixed)[tensor.slot.offset..<tensor.slot.offset + tensor.slot.count])
            return (name: tensor.name, tensor: Tensor(copying: values, as: .float32, shape: tensor.shape))
        }
        try ModelImport(
            name: model, spec: spec, specFile: "spec", tensors: tensors, parametersFile: "parameters", dataset: record,
            store: store
        ).write(checkpoint: checkpoint, training: training, to: store)
    }
}
