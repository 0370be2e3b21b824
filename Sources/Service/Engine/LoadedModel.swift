internal import Attribution
internal import Formats
internal import Foundation
internal import HTTPTypes
internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// A model at one checkpoint, ready to answer: parameters, training examples, cached gradients.
final class LoadedModel: Sendable {
    let record: ModelRecord
    let checkpoint: CheckpointRecord
    let spec: ModelSpec
    let network: SoftmaxRegression
    let parameters: [Float]
    let training: LoadedDataset
    let gradients: FactoredGradients
    /// What all derived quantities of this checkpoint depend on.
    let identity: ContentDigest

    /// Bytes of its own: the training examples are counted where they are kept.
    var byteCount: Int { (parameters.count + 2 * gradients.residuals.count) * MemoryLayout<Float>.stride }

    /// Takes a model apart and puts its pieces into memory. The residuals come from the store's factored cache, or are computed.
    init(
        _ record: ModelRecord, _ checkpoint: CheckpointRecord, training: LoadedDataset, store: Store, parallel: Parallel
    ) throws {
        self.record = record
        self.checkpoint = checkpoint
        self.training = training
        spec = try record.parsedSpec()
        network = try SoftmaxRegression(spec)
        parameters = try checkpoint.parameters(of: network, from: store)
        identity = FactoredCache.key(model: record, checkpoint: checkpoint, dataset: training.record)
        let cache = FactoredCache(model: record, checkpoint: checkpoint, dataset: training.record, network: network)
        let residuals =
            try cache.read(from: store)
            ?? cache.compute(parameters: parameters, training: training, parallel: parallel)
        gradients = FactoredGradients(model: network, features: training.features, residuals: residuals)
    }

    /// C's data part.
    func curvature(_ kind: InferredCurvature) -> SoftmaxCurvature {
        switch kind {
        case .hessian:
            // p = r + onehot(y).
            var probabilities = gradients.residuals
            for (row, target) in training.targets.enumerated() { probabilities[row * network.classCount + Int(target)] += 1 }
            return SoftmaxCurvature(.hessian, model: network, features: training.features, outputFactors: probabilities)
        case .empiricalFisher:
            return SoftmaxCurvature(
                .empiricalFisher, model: network, features: training.features, outputFactors: gradients.residuals)
        }
    }
}

/// The curvatures that differ in substance: for a softmax regression the Gauss-Newton matrix is the Hessian.
enum InferredCurvature: String, Sendable {
    case hessian
    case empiricalFisher = "empirical_fisher"

    init(_ asked: InfluenceRequest.Curvature?) {
        self = asked == .empiricalFisher ? .empiricalFisher : .hessian
    }
}

extension ModelRecord {
    /// The spec, understood; it was checked when the model was imported.
    func parsedSpec() throws -> ModelSpec { try ModelSpec(JSON(parsing: spec)) }
}

extension CheckpointRecord {
    /// θ: the tensors that the network names, in its order, in single precision.
    func parameters(of network: SoftmaxRegression, from store: Store) throws -> [Float] {
        var parameters: [Float] = []
        parameters.reserveCapacity(network.parameterCount)
        let tensors = Dictionary(
            try store.tensors(of: self).map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
        for (name, shape) in network.tensors {
            guard let tensor = tensors[name], tensor.shape == shape else {
                throw Problem(
                    .internalServerError, "damaged-store",
                    "tensor '\(name)' of checkpoint '\(self.name)' is missing or not of the shape \(shape) that the spec needs")
            }
            parameters += try tensor.floats()
        }
        return parameters
    }
}
