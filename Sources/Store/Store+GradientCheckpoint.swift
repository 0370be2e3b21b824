import GRDB

extension Store {
    /// Stores a checkpoint of which only gradients are known that were computed elsewhere, and its model with it if the model is
    /// new, whole or not at all.
    ///
    /// Its parameters are not stored, so its identity is given: the digest of the gradients.
    ///
    /// - Parameters:
    ///   - name: The checkpoint's name, unique in its model; the rules of dataset names hold.
    ///   - modelName: The model's name; the rules of dataset names hold.
    ///   - spec: What is known of the model, one JSON value, kept as it is given.
    ///   - dataset: The name of the dataset whose examples' gradients they are.
    ///   - identity: What tells this checkpoint from any other. Caches are found to be stale by it.
    ///   - training: What is known of the training at this point.
    /// - Returns: The checkpoint's record, without tensors; it is now the model's latest.
    /// - Throws: ``StoreError``: `alreadyExists`, `notFound` for the dataset, `invalid`, `readOnly`, `busy`, `diskFull`.
    @discardableResult
    public func importCheckpoint(
        named name: String, ofModel modelName: String, spec: String, trainedOn dataset: String, identity: ContentDigest,
        training: TrainingState = TrainingState()
    ) throws -> CheckpointRecord {
        guard isWritable else { throw StoreError.readOnly(path: path) }
        try Names.require(modelName, for: .model)
        try Names.require(name, for: .checkpoint)
        try Self.check(training)
        return try writing { db in
            let model = try Self.modelForCheckpoint(named: modelName, spec: spec, dataset: dataset, in: db)
            let checkpoint = try Self.insertRecord(named: name, of: model, training, in: db)
            return try Self.declareWithoutTensors(checkpoint, identity: identity, in: db)
        }
    }

    /// Says that a checkpoint has no tensors, and what it is known by instead.
    static func declareWithoutTensors(
        _ checkpoint: CheckpointRecord, identity: ContentDigest, in db: Database
    ) throws -> CheckpointRecord {
        try db.execute(
            sql: "UPDATE checkpoint SET has_tensors = FALSE, sha256 = ? WHERE id = ?", arguments: [identity.bytes, checkpoint.id])
        return try Self.checkpoint(withID: checkpoint.id, in: db)
    }
}
