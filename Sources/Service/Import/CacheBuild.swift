public import LinearAlgebra
internal import Networks
internal import Store

/// A gradient cache that was built, and what was measured of it.
public struct BuiltCache: Sendable, Equatable {
    /// The checkpoint whose gradients it holds.
    public let checkpoint: String
    /// What requests call it.
    public let name: String
    /// What it takes.
    public let byteCount: Int
    /// ‖ŝ − s‖ / ‖s‖ of the scores it makes, on a sample; nil for exact gradients, and where nothing could be said.
    public let relativeScoreError: Double?
    /// The mean rank correlation of these scores with exact ones.
    public let rankCorrelation: Double?
}

extension Engine {
    /// Builds a gradient cache of a checkpoint, the latest by default, or goes on with one that was interrupted.
    /// - Parameter progress: told the rows that are there, and how many there will be.
    /// - Returns: the cache, which may have been there already.
    /// - Throws: `Problem` for unknown names, and for a kind that can't hold the gradients; `StoreError`; `Interrupted`, after which the
    ///   same call goes on where this one stopped.
    @discardableResult
    public func buildCache(
        model name: String, checkpoint: String?, kind: GradientCacheKind = .factored, interruption: Interruption = .never,
        progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> BuiltCache {
        let (record, checkpoint) = try records(name, checkpoint: checkpoint, at: "")
        let spec = try record.parsedSpec()
        let training = try dataset(store.dataset(named: record.dataset))
        let network = try Network(spec, exampleShape: training.record.exampleShape)
        let (parameters, fixed) = try checkpoint.parameters(of: network, from: store)
        let model = try NetworkModel(
            network, parameters: parameters, fixed: fixed, training: training, parallel: parallel, interruption: interruption)
        let cache = GradientCache(kind: kind, model: record, checkpoint: checkpoint, dataset: training.record)
        let built = try cache.build(
            of: model, in: store, parallel: parallel, budget: GradientCacheBudget(memoryBytes: memoryBytes),
            interruption: interruption, progress: progress)
        return BuiltCache(
            checkpoint: checkpoint.name, name: built.kind, byteCount: built.layout.byteCount,
            relativeScoreError: built.accuracy.relativeScoreError, rankCorrelation: built.accuracy.rankCorrelation)
    }

    /// The checkpoints of a model, first to last.
    public func checkpointNames(ofModel name: String) throws -> [String] {
        try store.checkpoints(of: records(name, checkpoint: nil, at: "").0).map(\.name)
    }
}
