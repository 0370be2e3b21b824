internal import Attribution
internal import Formats
internal import HTTPTypes
internal import InverseCurvature
internal import LinearAlgebra
internal import Networks
internal import Store

/// A model at one checkpoint, ready to answer: its training examples and their gradients, and the network where there is one.
final class LoadedModel: Sendable {
    /// What the model is.
    private enum Form: Sendable {
        case network(NetworkModel)
        case gradients(GradientModel)
    }

    let record: ModelRecord
    let checkpoint: CheckpointRecord
    let training: TrainingExamples
    private let form: Form
    /// Exact, in memory or computed.
    let gradients: any TrainingGradients
    /// The objective's L2 factor.
    let weightDecay: Double
    /// What all derived quantities of this checkpoint depend on.
    let identity: ContentDigest

    /// p: numbers in a gradient, and in s_test.
    var dimension: Int { gradients.dimension }

    /// Bytes of its own: the training examples are counted where they are kept.
    let byteCount: Int

    /// A network: takes it apart and puts its pieces into memory. Gradients that caches hold are not among them: see `Engine.gradients`.
    /// - Throws: `StoreError`, `Interrupted`; 422 where they are more than the budget allows.
    init(
        _ record: ModelRecord, _ checkpoint: CheckpointRecord, _ spec: ModelSpec, training: LoadedDataset, store: Store,
        budget: MemoryBudget, parallel: Parallel, interruption: Interruption
    ) throws {
        self.record = record
        self.checkpoint = checkpoint
        self.training = TrainingExamples(training)
        let network = try Network(spec, exampleShape: training.record.exampleShape)
        weightDecay = network.weightDecay
        let (count, overflow) = network.parameterCount.addingReportingOverflow(network.fixedCount)
        try budget.require(
            overflow ? nil : .floatBytes(count), of: .quarter, for: "the parameters of model '\(record.name)'")
        let (parameters, fixed) = try checkpoint.parameters(of: network, from: store)
        try interruption.check()
        let model = try NetworkModel(
            network, parameters: parameters, fixed: fixed, training: training, budget: budget, parallel: parallel,
            interruption: interruption)
        form = .network(model)
        let cache = FactoredCache(model: record, checkpoint: checkpoint, dataset: training.record, network: model)
        identity = cache.key
        if let softmax = model.softmax {
            // The residuals of a softmax regression are small, and its curvature needs them too.
            try budget.require(
                .floatBytes(2, training.record.rowCount, softmax.classCount), of: .quarter,
                for: "the residuals of the \(training.record.rowCount) training examples")
            let factors =
                try cache.read(from: store, interruption: interruption)
                ?? cache.compute(parallel: parallel, interruption: interruption)
            // What its curvature needs to know of all rows, whatever the checkpoint: while they are at hand.
            _ = try model.examples.features.squaredNorms(parallel: parallel, interruption: interruption)
            byteCount = model.byteCount + 2 * factors.count * MemoryLayout<Float>.stride
            gradients = FactoredGradients(model: softmax, features: model.examples.features, residuals: factors.copy)
        } else {
            byteCount = model.byteCount
            gradients = NetworkGradients(model: model.trained, examples: model.examples)
        }
    }

    /// Gradients that were computed elsewhere: puts them into memory.
    /// - Throws: `StoreError`, `Interrupted`; 422 where they are more than the budget allows.
    init(
        _ record: ModelRecord, _ checkpoint: CheckpointRecord, _ spec: GradientSpec, dataset: DatasetRecord, store: Store,
        budget: MemoryBudget, interruption: Interruption
    ) throws {
        self.record = record
        self.checkpoint = checkpoint
        let model = try GradientModel(
            record, checkpoint, dataset, spec, store: store, budget: budget, interruption: interruption)
        training = try TrainingExamples(ofGradients: dataset, from: store)
        form = .gradients(model)
        weightDecay = spec.weightDecay
        identity = model.identity
        byteCount = model.byteCount + training.labelByteCount
        gradients = RowGradients(rows: model.rows)
    }

    /// The network.
    /// - Parameters:
    ///   - pointer: what in the request needs one.
    ///   - need: what is needed of it, in words that a refusal begins with.
    /// - Throws: 422 where there is none.
    func network(at pointer: String, _ need: String = "needs a network") throws -> NetworkModel {
        guard case .network(let model) = form else { throw Problem.noNetwork(record.name, at: pointer, need) }
        return model
    }

    /// The stored gradients, of a model that is known by nothing else.
    var foreign: GradientModel? { if case .gradients(let model) = form { model } else { nil } }

    /// C's data part, of a network.
    /// - Parameter activationLimit: bytes that products may keep of what they share.
    func curvature(_ kind: CurvatureKind, activationLimit: Int) throws -> any CurvatureOperator {
        try network(at: "/curvature").curvature(
            kind, residuals: (gradients as? FactoredGradients)?.residuals ?? [], activationLimit: activationLimit)
    }
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
