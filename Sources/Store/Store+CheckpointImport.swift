public import Formats
import Foundation
import GRDB

extension Store {
    /// Stores a checkpoint, and its model with it if the model is new, whole or not at all.
    ///
    /// A further checkpoint of a model that is there already must come with the same dataset and the same spec (white space apart).
    ///
    /// - Parameters:
    ///   - name: The checkpoint's name, unique in its model; the rules of dataset names hold.
    ///   - modelName: The model's name; the rules of dataset names hold.
    ///   - spec: The model's specification, one JSON value, kept as it is given.
    ///   - dataset: The name of the dataset the model was trained on.
    ///   - tensors: The parameters, at least one, with names unique among them. Their order is kept.
    ///   - training: What is known of the training at this point.
    ///   - progress: Told the bytes written so far and their number, after each block. If it throws, nothing is stored.
    /// - Returns: The checkpoint's record; it is now the model's latest.
    /// - Throws: ``StoreError``: `alreadyExists`, `notFound` for the dataset, `invalid` (what is wrong, with the tensor and position
    ///   of a NaN), `readOnly`, `busy`, `diskFull`; and what `progress` throws.
    /// - Complexity: O(bytes), with memory for a few blocks.
    @discardableResult
    public func importCheckpoint(
        named name: String, ofModel modelName: String, spec: String, trainedOn dataset: String,
        tensors: [(name: String, tensor: Tensor)], training: TrainingState = TrainingState(),
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> CheckpointRecord {
        guard isWritable else { throw StoreError.readOnly(path: path) }
        try Names.require(modelName, for: .model)
        try Names.require(name, for: .checkpoint)
        try Self.check(training)
        try Self.check(tensors)
        return try writing { db in
            let model = try Self.modelForCheckpoint(named: modelName, spec: spec, dataset: dataset, in: db)
            let checkpoint = try Self.insertRecord(named: name, of: model, training, in: db)
            let total = tensors.reduce(0) { $0 + $1.tensor.bytes.count }
            var done = 0
            var hasher = ContentHasher()
            for (position, entry) in tensors.enumerated() {
                let record = try Self.insertRecord(named: entry.name, entry.tensor, at: position, of: checkpoint, in: db)
                hasher.updateHeader(of: record)
                let before = done
                try record.blocks(in: checkpoint.what).appendAll(
                    of: entry.tensor.bytes, blockByteCount: blockByteCount, to: db, hashing: &hasher
                ) { elements in
                    done = before + elements * record.elementType.byteCount
                    try progress(done, total)
                }
            }
            try db.execute(
                sql: "UPDATE checkpoint SET sha256 = ? WHERE id = ?", arguments: [hasher.finalize().bytes, checkpoint.id])
            return try Self.checkpoint(withID: checkpoint.id, in: db)
        }
    }

    /// The model a checkpoint is to be added to, made if there is none.
    static func modelForCheckpoint(named name: String, spec: String, dataset: String, in db: Database) throws
        -> ModelRecord
    {
        try requireJSON(spec, "spec of model '\(name)'", in: db)
        let trainedOn = try Self.dataset(named: dataset, in: db)
        if try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM model WHERE name = ?)", arguments: [name]) != true {
            try db.execute(
                sql: "INSERT INTO model (name, spec, dataset, created_at) VALUES (?, ?, ?, ?)",
                arguments: [name, spec, trainedOn.id, now()])
            return try model(named: name, in: db)
        }
        let model = try model(named: name, in: db)
        guard model.dataset == dataset else {
            throw StoreError.alreadyExists(
                kind: .model, name: name, within: nil,
                change:
                    "it was trained on dataset '\(model.dataset)', not '\(dataset)': name that one, or choose another model name")
        }
        let same = try Bool.fetchOne(db, sql: "SELECT json(?) = json(?)", arguments: [model.spec, spec])
        guard same == true else {
            throw StoreError.alreadyExists(
                kind: .model, name: name, within: nil,
                change: "its spec is another one: give the same spec to add a checkpoint, or choose another model name")
        }
        return model
    }

    /// Writes the checkpoint's record, with a digest that is not its own yet.
    static func insertRecord(
        named name: String, of model: ModelRecord, _ training: TrainingState, in db: Database
    ) throws -> CheckpointRecord {
        let taken = try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM checkpoint WHERE model = ? AND name = ?)", arguments: [model.id, name])
        guard taken != true else {
            throw StoreError.alreadyExists(
                kind: .checkpoint, name: name, within: "model '\(model.name)'", change: "choose another name")
        }
        try db.execute(
            sql: """
                INSERT INTO checkpoint (model, name, sequence, step, epoch, learning_rate, train_loss, sha256, created_at)
                VALUES (:model, :name, (SELECT coalesce(max(sequence) + 1, 0) FROM checkpoint WHERE model = :model),
                    :step, :epoch, :learningRate, :trainLoss, zeroblob(32), :now)
                """,
            arguments: [
                "model": model.id, "name": name, "step": training.step, "epoch": training.epoch,
                "learningRate": training.learningRate, "trainLoss": training.trainLoss, "now": now(),
            ])
        return try checkpoint(withID: db.lastInsertedRowID, in: db)
    }

    private static func insertRecord(
        named name: String, _ tensor: Tensor, at position: Int, of checkpoint: CheckpointRecord, in db: Database
    ) throws -> TensorRecord {
        try db.execute(
            sql: "INSERT INTO tensor (checkpoint, position, name, element_type, shape) VALUES (?, ?, ?, ?, ?)",
            arguments: [checkpoint.id, position, name, tensor.elementType.rawValue, ShapeText.encode(tensor.shape)])
        let row = try Row.fetchOne(db, sql: "SELECT * FROM tensor WHERE id = ?", arguments: [db.lastInsertedRowID])
        guard let row else { throw StoreError.corrupt(what: "tensor '\(name)'", reason: "it vanished while it was written") }
        return try TensorRecord(row)
    }

    static func checkpoint(withID id: Int64, in db: Database) throws -> CheckpointRecord {
        let row = try Row.fetchOne(db, sql: CheckpointRecord.select + " WHERE checkpoint.id = ?", arguments: [id])
        guard let row else { throw StoreError.notFound(kind: .checkpoint, name: "\(id)", within: nil, nearby: []) }
        return try CheckpointRecord(row)
    }
}

extension Store {
    static func check(_ training: TrainingState) throws {
        for (part, value) in [("learning rate", training.learningRate), ("training loss", training.trainLoss)] {
            guard value?.isFinite != false else {
                throw StoreError.invalid(
                    what: part, reason: "it is NaN or infinite", change: "give a finite number, or leave it out")
            }
        }
        let counts = [("step", training.step.map(Double.init)), ("epoch", training.epoch.map(Double.init))]
        for (part, value) in counts + [("learning rate", training.learningRate)] {
            guard value.map({ $0 >= 0 }) != false else {
                throw StoreError.invalid(what: part, reason: "it is below 0", change: "give a number from 0 up, or leave it out")
            }
        }
    }

    private static func check(_ tensors: [(name: String, tensor: Tensor)]) throws {
        guard !tensors.isEmpty else {
            throw StoreError.invalid(what: "parameters", reason: "there are none", change: "give at least one tensor")
        }
        var seen: Set<String> = []
        for (name, tensor) in tensors {
            guard !name.isEmpty, name.utf8.count <= 512, name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw StoreError.invalid(
                    what: "tensor name '\(name.prefix(64))'", reason: "it is empty, over 512 bytes or has control characters",
                    change: "name it as the spec does")
            }
            guard seen.insert(name).inserted else {
                throw StoreError.invalid(what: "tensor '\(name)'", reason: "it is given twice", change: "give each tensor once")
            }
            let flaw = tensor.bytes.withUnsafeBytes { FiniteScan.firstNonFinite(in: $0, tensor.elementType) }
            if let flaw {
                throw StoreError.invalid(
                    what: "tensor '\(name)', element \(flaw)", reason: "the value is NaN or infinite",
                    change: "import a checkpoint from before the training diverged")
            }
        }
    }
}

extension ContentHasher {
    /// Adds what determines a tensor besides its bytes, which are to follow.
    mutating func updateHeader(of tensor: TensorRecord) {
        update(text: tensor.name)
        update(text: tensor.elementType.rawValue)
        update(text: ShapeText.encode(tensor.shape))
    }
}
