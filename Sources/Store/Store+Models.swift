public import Formats
import Foundation
import GRDB

extension Store {
    /// All models, by name.
    ///
    /// - Throws: ``StoreError``.
    public func models() throws -> [ModelRecord] {
        try reading { db in try Row.fetchAll(db, sql: ModelRecord.select + " ORDER BY model.name").map(ModelRecord.init) }
    }

    /// The model called `name`.
    ///
    /// - Throws: ``StoreError``: `notFound` with the names most like it.
    public func model(named name: String) throws -> ModelRecord {
        try lookingUp { db in try Self.model(named: name, in: db) }
    }

    /// The checkpoints of `model`, by sequence: the last is the latest.
    ///
    /// - Throws: ``StoreError``.
    public func checkpoints(of model: ModelRecord) throws -> [CheckpointRecord] {
        try lookingUp { db in
            try Row.fetchAll(
                db.cachedStatement(sql: CheckpointRecord.select + " WHERE checkpoint.model = ? ORDER BY checkpoint.sequence"),
                arguments: [model.id]
            ).map(CheckpointRecord.init)
        }
    }

    /// The checkpoint of `model` called `name`, or its latest if no name is given.
    ///
    /// - Throws: ``StoreError``: `notFound` with the names most like it.
    public func checkpoint(named name: String? = nil, of model: ModelRecord) throws -> CheckpointRecord {
        try reading { db in
            let sql = CheckpointRecord.select + " WHERE checkpoint.model = ? AND coalesce(checkpoint.name = ?, TRUE)"
            if Names.isValid(name ?? "latest"),
                let row = try Row.fetchOne(db, sql: sql + " ORDER BY checkpoint.sequence DESC", arguments: [model.id, name])
            {
                return try CheckpointRecord(row)
            }
            let names = try String.fetchAll(
                db, sql: "SELECT name FROM checkpoint WHERE model = ? ORDER BY sequence", arguments: [model.id])
            throw StoreError.notFound(
                kind: .checkpoint, name: name ?? "latest", within: "model '\(model.name)'",
                nearby: Names.nearest(to: name ?? "", among: names))
        }
    }

    /// The tensors of `checkpoint` in their order, without their bytes.
    ///
    /// - Throws: ``StoreError``.
    public func tensorRecords(of checkpoint: CheckpointRecord) throws -> [TensorRecord] {
        try reading { db in try Self.tensorRecords(of: checkpoint, in: db) }
    }

    /// The tensors of `checkpoint` in their order.
    ///
    /// - Parameters:
    ///   - checkpoint: The checkpoint, as this store gave it.
    ///   - verifying: Whether each block read is compared with its SHA-256.
    /// - Throws: ``StoreError``: `corrupt`.
    /// - Complexity: O(bytes).
    public func tensors(of checkpoint: CheckpointRecord, verifying: Bool = true) throws -> [(name: String, tensor: Tensor)] {
        try reading { db in
            try Self.tensorRecords(of: checkpoint, in: db).map { record in
                let blocks = record.blocks(in: checkpoint.what)
                try blocks.requireLastRow(in: db)
                var bytes = Data(count: record.byteCount)
                try bytes.withUnsafeMutableBytes { buffer in
                    try blocks.read(0..<record.count, into: buffer, verifying: verifying, from: db)
                }
                guard let tensor = Tensor(elementType: record.elementType, shape: record.shape, bytes: bytes) else {
                    throw StoreError.corrupt(what: blocks.what, reason: "its bytes do not make its shape \(record.shape)")
                }
                return (record.name, tensor)
            }
        }
    }

    static func model(named name: String, in db: Database) throws -> ModelRecord {
        if Names.isValid(name),
            let row = try Row.fetchOne(
                db.cachedStatement(sql: ModelRecord.select + " WHERE model.name = ?"), arguments: [name])
        {
            return try ModelRecord(row)
        }
        let names = try String.fetchAll(db, sql: "SELECT name FROM model ORDER BY name")
        throw StoreError.notFound(kind: .model, name: name, within: nil, nearby: Names.nearest(to: name, among: names))
    }

    static func tensorRecords(of checkpoint: CheckpointRecord, in db: Database) throws -> [TensorRecord] {
        try Row.fetchAll(db, sql: "SELECT * FROM tensor WHERE checkpoint = ? ORDER BY position", arguments: [checkpoint.id])
            .map(TensorRecord.init)
    }
}
