import Foundation
import GRDB

extension Store {
    /// All derived quantities of `checkpoint`, by kind and then by age.
    ///
    /// - Throws: ``StoreError``.
    public func derived(of checkpoint: CheckpointRecord) throws -> [DerivedRecord] {
        try reading { db in
            try Row.fetchAll(
                db, sql: DerivedRecord.select + " WHERE derived.checkpoint = ? ORDER BY derived.kind, derived.id",
                arguments: [checkpoint.id]
            ).map(DerivedRecord.init)
        }
    }

    /// The derived quantity of this kind made under this key, if there is one.
    ///
    /// - Throws: ``StoreError``.
    public func derived(of checkpoint: CheckpointRecord, kind: String, key: ContentDigest) throws -> DerivedRecord? {
        try lookingUp { db in try Self.derived(of: checkpoint, kind: kind, key: key, in: db) }
    }

    /// Copies the bytes of a derived quantity into `destination`.
    ///
    /// - Parameters:
    ///   - derived: The quantity, as this store gave it.
    ///   - destination: Exactly `derived.byteCount` bytes, of any alignment.
    ///   - verifying: Whether each block is compared with its SHA-256.
    /// - Throws: ``StoreError``: `invalid` for a buffer of another length, `corrupt`, or `notFound` if the quantity has been replaced or
    ///   removed since.
    public func readDerived(
        _ derived: DerivedRecord, into destination: UnsafeMutableRawBufferPointer, verifying: Bool = true
    ) throws {
        try reading { db in
            let exists = try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM derived WHERE id = ?)", arguments: [derived.id])
            guard exists == true else {
                throw StoreError.notFound(
                    kind: .derived, name: derived.kind, within: "checkpoint '\(derived.checkpoint)' of model '\(derived.model)'",
                    nearby: [])
            }
            try derived.blocks.read(0..<derived.byteCount, into: destination, verifying: verifying, from: db)
        }
    }

    /// Stores a derived quantity in one transaction, in place of one of the same kind and key.
    ///
    /// - Parameters:
    ///   - checkpoint: The checkpoint it was derived from.
    ///   - kind: What it is; the rules of dataset names hold.
    ///   - key: The digest of everything that determines it.
    ///   - summary: One JSON value.
    ///   - bytes: What does not fit a summary; may be empty.
    /// - Throws: ``StoreError``: `invalid`, `readOnly`, `busy`, `diskFull`.
    @discardableResult
    public func putDerived(
        of checkpoint: CheckpointRecord, kind: String, key: ContentDigest, summary: String,
        bytes: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) throws -> DerivedRecord {
        try Names.require(kind, for: .derived)
        return try writing { db in
            try Self.requireJSON(summary, "summary of derived '\(kind)'", in: db)
            try db.execute(
                sql: "DELETE FROM derived WHERE checkpoint = ? AND kind = ? AND key = ?",
                arguments: [checkpoint.id, kind, key.bytes])
            try db.execute(
                sql: "INSERT INTO derived (checkpoint, kind, key, summary, byte_count, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [checkpoint.id, kind, key.bytes, summary, bytes.count, Self.now()])
            guard let record = try Self.derived(of: checkpoint, kind: kind, key: key, in: db) else {
                throw StoreError.corrupt(what: "derived '\(kind)'", reason: "it vanished while it was written")
            }
            for first in stride(from: 0, to: bytes.count, by: blockByteCount) {
                let range = first..<min(first + blockByteCount, bytes.count)
                let block = Data(bytes[range])
                try record.blocks.append(range, block, sha256: ContentDigest(of: block), to: db)
            }
            return record
        }
    }

    /// Removes the derived quantities of this kind: the one under `key`, or all of them if no key is given.
    ///
    /// - Returns: How many were removed.
    /// - Throws: ``StoreError``: `readOnly`, `busy`.
    @discardableResult
    public func removeDerived(of checkpoint: CheckpointRecord, kind: String, key: ContentDigest? = nil) throws -> Int {
        try writing { db in
            try db.execute(
                sql: "DELETE FROM derived WHERE checkpoint = ? AND kind = ? AND coalesce(key = ?, TRUE)",
                arguments: [checkpoint.id, kind, key?.bytes])
            return db.changesCount
        }
    }

    private static func derived(
        of checkpoint: CheckpointRecord, kind: String, key: ContentDigest, in db: Database
    ) throws -> DerivedRecord? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: DerivedRecord.select + " WHERE derived.checkpoint = ? AND derived.kind = ? AND derived.key = ?"),
            arguments: [checkpoint.id, kind, key.bytes]
        ).map(DerivedRecord.init)
    }
}
