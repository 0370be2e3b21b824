internal import Formats
internal import LinearAlgebra
internal import Networks
internal import Store

/// The `factored` gradient cache of a checkpoint: the residual of every training example, float32 [n, C]. The other factor of
/// each gradient is the example's input, which the dataset holds already.
public struct FactoredCache: Sendable {
    /// The cache's kind in the store.
    public static let kind = "factored"

    let model: ModelRecord
    let checkpoint: CheckpointRecord
    let dataset: DatasetRecord
    let network: SoftmaxRegression

    /// What the rows depend on: another checkpoint, dataset or spec makes a cache stale.
    static func key(model: ModelRecord, checkpoint: CheckpointRecord, dataset: DatasetRecord) -> ContentDigest {
        ContentDigest(ofParts: [
            "softmax regression 1", checkpoint.sha256.description, dataset.sha256.description, model.spec,
        ])
    }

    private var key: ContentDigest { Self.key(model: model, checkpoint: checkpoint, dataset: dataset) }

    private var layout: CacheLayout {
        CacheLayout(
            elementType: .float32, rowCount: dataset.rowCount, rowByteCount: network.classCount * MemoryLayout<Float>.stride)
    }

    /// The residuals, verified; nil where no complete cache of this key is there.
    func read(from store: Store) throws -> [Float]? {
        guard let cache = try store.cache(of: checkpoint, kind: Self.kind, key: key), cache.layout == layout
        else { return nil }
        let count = dataset.rowCount * network.classCount
        return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            try store.readCache(
                cache, rows: 0..<dataset.rowCount,
                into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])))
            initialized = count
        }
    }

    /// The residuals of all examples.
    func compute(parameters: [Float], training: LoadedDataset, parallel: Parallel) throws -> [Float] {
        let evaluation = try network.evaluate(parameters, on: training.features, parallel: parallel)
        return network.residuals(probabilities: evaluation.probabilities, targets: training.targets)
    }

    /// Writes what is missing of the cache, a block at a time: whoever is interrupted goes on where they stopped.
    /// - Parameter progress: told the rows that are there, and how many there will be.
    func build(
        in store: Store, parameters: [Float], training: LoadedDataset, parallel: Parallel,
        progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws {
        let build = try store.beginCache(of: checkpoint, kind: Self.kind, key: key, layout: layout)
        guard build.cache.state == .building else { return }
        let residuals = try compute(parameters: parameters, training: training, parallel: parallel)
        var done = build.stored.reduce(0) { $0 + $1.count }
        for rows in build.missing {
            try progress(done, dataset.rowCount)
            try residuals[rows.lowerBound * network.classCount..<rows.upperBound * network.classCount].withUnsafeBytes {
                try store.appendBlock(to: build.cache, rows: rows, bytes: $0)
            }
            done += rows.count
        }
        _ = try store.finishCache(build.cache)
        try progress(done, dataset.rowCount)
    }
}
