internal import LinearAlgebra
internal import Networks
internal import Store

/// What answers say of a model's training examples beside their scores.
struct TrainingExamples: Sendable {
    let record: DatasetRecord
    /// Inputs, where they are in memory.
    let features: FeatureRows?
    /// One each, where there are any.
    let targets: Targets?
    /// How much each counts; nil where all count the same.
    let weights: [Float]?

    /// The examples of a dataset in memory.
    init(_ dataset: LoadedDataset) {
        record = dataset.record
        features = dataset.features
        targets = dataset.targets
        weights = dataset.weights
    }

    /// The examples of a dataset whose inputs stay in the store, if it has any: those of a model that is known by gradients.
    init(ofGradients record: DatasetRecord, from store: Store) throws {
        self.record = record
        features = nil
        let rows = 0..<record.rowCount
        // Targets of several numbers belong to networks elsewhere.
        targets = record.hasTargets && record.targetShape.isEmpty ? try record.targets(rows: rows, from: store) : nil
        weights = try record.weights(rows: rows, from: store)
    }

    /// Bytes beside the features.
    var labelByteCount: Int { ((targets?.count ?? 0) + (weights?.count ?? 0)) * MemoryLayout<Float>.stride }

    /// The inputs of some examples, from wherever they are; none where there are none.
    func inputs(of indices: some Sequence<Int>, from store: Store) throws -> [Int: [Float]] {
        guard record.hasInputs else { return [:] }
        return try indices.reduce(into: [:]) { inputs, index in
            inputs[index] =
                try features?.values(of: index)
                ?? record.features(rows: index..<index + 1, from: store).values(of: 0)
        }
    }
}
