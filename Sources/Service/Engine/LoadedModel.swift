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
    let training: LoadedDataset
    let network: NetworkModel
    let gradients: any TrainingGradients
    /// The objective's L2 factor.
    let weightDecay: Double
    /// What all derived quantities of this checkpoint depend on.
    let identity: ContentDigest

    /// p: numbers in a gradient, and in s_test.
    var dimension: Int { gradients.dimension }

    /// Bytes of its own: the training examples are counted where they are kept.
    let byteCount: Int

    /// Takes a model apart and puts its pieces into memory, with the factored gradients where the store has a cache of them.
    init(
        _ record: ModelRecord, _ checkpoint: CheckpointRecord, training: LoadedDataset, store: Store, parallel: Parallel
    ) throws {
        self.record = record
        self.checkpoint = checkpoint
        self.training = training
        let network = try Network(record.parsedSpec(), exampleShape: training.record.exampleShape)
        weightDecay = network.weightDecay
        let (parameters, fixed) = try checkpoint.parameters(of: network, from: store)
        let model = try NetworkModel(network, parameters: parameters, fixed: fixed, training: training, parallel: parallel)
        self.network = model
        let cache = FactoredCache(model: record, checkpoint: checkpoint, dataset: training.record, network: model)
        identity = cache.key
        var factors = try cache.read(from: store)
        // The residuals of a softmax regression are small, and its curvature needs them too.
        if factors == nil, model.softmax != nil { factors = try cache.compute(parallel: parallel) }
        byteCount = model.byteCount + 2 * (factors?.count ?? 0) * MemoryLayout<Float>.stride
        if let softmax = model.softmax, let factors {
            gradients = FactoredGradients(model: softmax, features: model.examples.features, residuals: factors.copy)
        } else {
            gradients = NetworkGradients(model: model.trained, examples: model.examples, factors: factors)
        }
    }

    /// The network, which only tests that come as inputs need.
    func network(at pointer: String) throws -> NetworkModel { network }

    /// C's data part.
    func curvature(_ kind: CurvatureKind) -> any CurvatureOperator {
        network.curvature(kind, residuals: (gradients as? FactoredGradients)?.residuals ?? [])
    }

    /// The curvature that is meant: where the objective is convex in θ the Hessian by default, and the Gauss-Newton matrix is the same.
    func curvatureKind(_ asked: InfluenceRequest.Curvature?) -> (named: InfluenceRequest.Curvature, substance: CurvatureKind) {
        let isConvex = network.network.isConvex
        let named = asked ?? (isConvex ? .hessian : .gaussNewton)
        switch named {
        case .empiricalFisher: return (named, .empiricalFisher)
        case .gaussNewton: return (named, isConvex ? .hessian : .gaussNewton)
        case .hessian: return (named, .hessian)
        }
    }
}

extension ModelRecord {
    /// The spec, understood; it was checked when the model was imported.
    func parsedSpec() throws -> ModelSpec { try ModelSpec(JSON(parsing: spec)) }
}

extension CheckpointRecord {
    /// θ, and what is not trained: the tensors that the network names, in its order, in single precision.
    func parameters(of network: Network, from store: Store) throws -> (trained: [Float], fixed: [Float]) {
        var (trained, fixed): ([Float], [Float]) = ([], [])
        trained.reserveCapacity(network.parameterCount)
        let tensors = Dictionary(
            try store.tensors(of: self).map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
        for wanted in network.tensors {
            guard let tensor = tensors[wanted.name], tensor.shape == wanted.shape else {
                throw Problem(
                    .internalServerError, "damaged-store",
                    "tensor '\(wanted.name)' of checkpoint '\(name)' is missing or not of the shape \(wanted.shape) that the spec needs"
                )
            }
            if wanted.isTrained { trained += try tensor.floats() } else { fixed += try tensor.floats() }
        }
        return (trained, fixed)
    }
}
