internal import LinearAlgebra
internal import Networks
internal import Store

/// The `factored` gradient cache of a checkpoint: for every training example the factors of its gradient, float32
/// [n, factorWidth]. The input of the first trained layer is not among them: the dataset holds it already.
struct FactoredCache: Sendable {
    private let cache: GradientCache
    private let network: NetworkModel

    init(model: ModelRecord, checkpoint: CheckpointRecord, dataset: DatasetRecord, network: NetworkModel) {
        cache = GradientCache(kind: .factored, model: model, checkpoint: checkpoint, dataset: dataset)
        self.network = network
    }

    /// What the rows depend on, and everything else that is derived of a checkpoint.
    var key: ContentDigest { cache.key }

    /// The factors, verified; nil where no complete cache of this key is there.
    func read(from store: Store, interruption: Interruption) throws -> AlignedMemory<Float>? {
        guard let record = try cache.find(in: store, network.trained) else { return nil }
        let factors = AlignedMemory<Float>(uninitialized: record.layout.byteCount / MemoryLayout<Float>.stride)
        try store.load(record, into: UnsafeMutableRawBufferPointer(factors.elements)) { try interruption.check() }
        return factors
    }

    /// The factors of all examples.
    func compute(parallel: Parallel, interruption: Interruption) throws -> AlignedMemory<Float> {
        let factors = AlignedMemory<Float>(uninitialized: cache.dataset.rowCount * network.trained.factorWidth)
        try network.trained.factors(
            of: 0..<cache.dataset.rowCount, in: network.examples, into: factors.start, parallel: parallel,
            interruption: interruption)
        return factors
    }
}
