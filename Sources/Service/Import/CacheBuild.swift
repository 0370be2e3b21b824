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
        let network = try Network(record.parsedSpec(), exampleShape: training.record.exampleShape)
        let (parameters, fixed) = try checkpoint.parameters(of: network, from: store)
        let model = try NetworkModel(network, parameters: parameters, fixed: fixed, training: training, parallel: parallel)
        try FactoredCache(model: record, checkpoint: checkpoint, dataset: training.record, network: model).build(
            in: store, parallel: parallel, progress: progress)
    }

    /// The checkpoints of a model, first to last.
    public func checkpointNames(ofModel name: String) throws -> [String] {
        try store.checkpoints(of: records(name, checkpoint: nil, at: "").0).map(\.name)
    }
}
