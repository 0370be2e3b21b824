internal import Formats
internal import LinearAlgebra
internal import Networks
internal import Store

/// The `factored` gradient cache of a checkpoint: for every training example the factors of its gradient, float32
/// [n, factorWidth]. The input of the first trained layer is not among them: the dataset holds it already.
struct FactoredCache: Sendable {
    /// The cache's kind in the store.
    static let kind = "factored"

    let model: ModelRecord
    let checkpoint: CheckpointRecord
    let dataset: DatasetRecord
    let network: NetworkModel

    /// What the rows depend on: another checkpoint, dataset or spec makes a cache stale.
    var key: ContentDigest {
        ContentDigest(ofParts: ["gradients 2", checkpoint.sha256.description, dataset.sha256.description, model.spec])
    }

    private var width: Int { network.trained.factorWidth }

    private var layout: CacheLayout {
        CacheLayout(elementType: .float32, rowCount: dataset.rowCount, rowByteCount: width * MemoryLayout<Float>.stride)
    }

    /// The factors, verified; nil where no complete cache of this key is there.
    func read(from store: Store) throws -> AlignedMemory<Float>? {
        guard let cache = try store.cache(of: checkpoint, kind: Self.kind, key: key), cache.layout == layout
        else { return nil }
        let factors = AlignedMemory<Float>(uninitialized: dataset.rowCount * width)
        try store.readCache(cache, rows: 0..<dataset.rowCount, into: UnsafeMutableRawBufferPointer(factors.elements))
        return factors
    }

    /// The factors of all examples.
    func compute(parallel: Parallel) throws -> AlignedMemory<Float> {
        let factors = AlignedMemory<Float>(uninitialized: dataset.rowCount * width)
        try network.trained.factors(
            of: 0..<dataset.rowCount, in: network.examples, into: factors.start, parallel: parallel)
        return factors
    }

    /// Writes what is missing of the cache, a block at a time: whoever is interrupted goes on where they stopped.
    /// - Parameter progress: told the rows that are there, and how many there will be.
    func build(in store: Store, parallel: Parallel, progress: (Int, Int) throws -> Void = { _, _ in }) throws {
        let build = try store.beginCache(of: checkpoint, kind: Self.kind, key: key, layout: layout)
        guard build.cache.state == .building else { return }
        var done = build.stored.reduce(0) { $0 + $1.count }
        for rows in build.missing {
            try progress(done, dataset.rowCount)
            let factors = AlignedMemory<Float>(uninitialized: rows.count * width)
            try network.trained.factors(of: rows, in: network.examples, into: factors.start, parallel: parallel)
            try store.appendBlock(to: build.cache, rows: rows, bytes: UnsafeRawBufferPointer(factors.elements))
            done += rows.count
        }
        _ = try store.finishCache(build.cache)
        try progress(done, dataset.rowCount)
    }
}
