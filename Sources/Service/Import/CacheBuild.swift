internal import Networks
internal import Store

extension Engine {
    /// Builds the factored gradient cache of a checkpoint, or goes on with one that was interrupted.
    /// - Parameter progress: told the rows that are there, and how many there will be.
    /// - Throws: `Problem` for unknown names, `StoreError`.
    public func buildCache(
        model name: String, checkpoint: String?, progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws {
        let (record, checkpoint) = try records(name, checkpoint: checkpoint, at: "")
        let training = try dataset(store.dataset(named: record.dataset))
        let network = try SoftmaxRegression(try record.parsedSpec())
        let cache = FactoredCache(model: record, checkpoint: checkpoint, dataset: training.record, network: network)
        try cache.build(
            in: store, parameters: checkpoint.parameters(of: network, from: store), training: training, parallel: parallel,
            progress: progress)
    }

    /// The checkpoints of a model, first to last.
    public func checkpointNames(ofModel name: String) throws -> [String] {
        try store.checkpoints(of: records(name, checkpoint: nil, at: "").0).map(\.name)
    }
}
