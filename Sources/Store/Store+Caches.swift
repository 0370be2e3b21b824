import GRDB

extension Store {
    /// All gradient caches of `checkpoint`, complete or not, by kind.
    ///
    /// - Throws: ``StoreError``.
    public func caches(of checkpoint: CheckpointRecord) throws -> [CacheRecord] {
        try lookingUp { db in
            try Row.fetchAll(
                db.cachedStatement(sql: CacheRecord.select + " WHERE cache.checkpoint = ? ORDER BY cache.kind"),
                arguments: [checkpoint.id]
            ).map(CacheRecord.init)
        }
    }

    /// The complete cache of this kind made under this key; nil if there is none, or only a stale or an unfinished one.
    ///
    /// - Throws: ``StoreError``.
    public func cache(of checkpoint: CheckpointRecord, kind: String, key: ContentDigest) throws -> CacheRecord? {
        try lookingUp { db in
            guard let cache = try Self.cache(of: checkpoint, kind: kind, in: db) else { return nil }
            return cache.key == key && cache.state == .complete ? cache : nil
        }
    }

    /// Copies `rows` of a cache into `destination`, row after row.
    ///
    /// - Parameters:
    ///   - cache: The cache, as this store gave it. Rows of one in building can be read once they are appended.
    ///   - rows: Rows, from 0.
    ///   - destination: Exactly `rows.count × cache.layout.rowByteCount` bytes, of any alignment.
    ///   - verifying: Whether each block read is compared with its SHA-256.
    /// - Throws: ``StoreError``: `outOfRange`, `invalid` for a buffer of another length, `corrupt`, or `notFound` if the cache
    ///   has been replaced or removed since.
    public func readCache(
        _ cache: CacheRecord, rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer, verifying: Bool = true
    ) throws {
        try reading { db in
            _ = try Self.current(cache, in: db)
            try cache.blocks.read(rows, into: destination, verifying: verifying, from: db)
        }
    }

    /// Removes a cache; does nothing if it is gone already.
    ///
    /// - Throws: ``StoreError``: `readOnly`, `busy`.
    public func removeCache(_ cache: CacheRecord) throws {
        try writing { db in try db.execute(sql: "DELETE FROM cache WHERE id = ?", arguments: [cache.id]) }
        verified.forget(cache.blocks)
    }

    static func cache(of checkpoint: CheckpointRecord, kind: String, in db: Database) throws -> CacheRecord? {
        try Row.fetchOne(
            db.cachedStatement(sql: CacheRecord.select + " WHERE cache.checkpoint = ? AND cache.kind = ?"),
            arguments: [checkpoint.id, kind]
        ).map(CacheRecord.init)
    }

    /// The cache as it now is.
    ///
    /// - Throws: ``StoreError``: `notFound` if it has been replaced or removed.
    static func current(_ cache: CacheRecord, in db: Database) throws -> CacheRecord {
        guard let row = try Row.fetchOne(db, sql: CacheRecord.select + " WHERE cache.id = ?", arguments: [cache.id]) else {
            throw StoreError.notFound(
                kind: .cache, name: cache.kind, within: "checkpoint '\(cache.checkpoint)' of model '\(cache.model)'", nearby: [])
        }
        return try CacheRecord(row)
    }
}
