internal import Formats
internal import JSON
public import LinearAlgebra
public import Networks
public import Store

// What a training run needs of a store, and what it gives back.
extension Engine {
    /// A model as its spec describes it, and the examples it is to be trained on.
    /// - Throws: `FormatError` where they do not fit each other.
    public func trainingSet(
        spec: String, dataset: String
    ) throws -> (model: SoftmaxRegression, features: FeatureRows, targets: [Int32]) {
        let model = try SoftmaxRegression(try ModelSpec(JSON(parsing: spec)))
        let data = try self.dataset(store.dataset(named: dataset))
        return (model, data.features, data.targets)
    }

    /// Puts parameters into the store as a checkpoint.
    public func importCheckpoint(
        parameters: [Float], model: String, spec: String, dataset: String, checkpoint: String, training: TrainingState
    ) throws {
        let network = try SoftmaxRegression(try ModelSpec(JSON(parsing: spec)))
        var rest = parameters[...]
        let tensors = network.tensors.map { name, shape in
            let count = shape.reduce(1, *)
            defer { rest = rest.dropFirst(count) }
            return (name: name, tensor: Tensor(copying: Array(rest.prefix(count)), as: .float32, shape: shape))
        }
        try ModelImport(
            name: model, spec: spec, specFile: "spec", tensors: tensors, parametersFile: "parameters",
            dataset: store.dataset(named: dataset), store: store
        ).write(checkpoint: checkpoint, training: training, to: store)
    }
}
