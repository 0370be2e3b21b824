import Formats
import Foundation
import GRDB

/// Caches take long to compute, so they are stored block by block, each in a transaction of its own:
/// a build that was interrupted is taken up where it ended.
extension Store {
    /// Begins a cache, or takes up the one that was begun with the same key and layout.
    ///
    /// A cache of this kind with another key or layout is stale: it is removed. One that is complete stays as it is, and nothing of the
    /// returned build is missing.
    ///
    /// - Parameters:
    ///   - checkpoint: The checkpoint whose gradients are to be stored.
    ///   - kind: The kind of gradients; the rules of dataset names hold.
    ///   - key: The digest of everything the rows depend on: checkpoint, dataset, spec, projection.
    ///   - layout: Type, number and width of the rows.
    ///   - summary: One JSON value that says what a reader must know to use the rows.
    /// - Throws: ``StoreError``: `invalid`, `readOnly`, `busy`, `diskFull`.
    public func beginCache(
        of checkpoint: CheckpointRecord, kind: String, key: ContentDigest, layout: CacheLayout, summary: String = "{}"
    ) throws -> CacheBuild {
        try Names.require(kind, for: .cache)
        try Self.check(layout, kind)
        return try writing { db in
            if let cache = try Self.cache(of: checkpoint, kind: kind, in: db) {
                if cache.key == key, cache.layout == layout {
                    return build(of: cache, stored: try cache.blocks.storedRows(in: db))
                }
                try db.execute(sql: "DELETE FROM cache WHERE id = ?", arguments: [cache.id])
                verified.forget(cache.blocks)
            }
            let cache = try Self.insertRecord(
                ofCache: kind, of: checkpoint, key: key, layout, summary: summary, state: .building, in: db)
            return build(of: cache, stored: [])
        }
    }

    /// Stores some rows of a cache in building.
    ///
    /// Blocks may come in any order, from several threads. A block that is there already with the same bytes is left alone.
    ///
    /// - Parameters:
    ///   - cache: The cache, from ``beginCache(of:kind:key:layout:summary:)``.
    ///   - rows: At least one row, none of which is stored yet.
    ///   - bytes: Exactly `rows.count × cache.layout.rowByteCount` bytes, without NaN or infinities.
    /// - Throws: ``StoreError``: `outOfRange`, `invalid`, `alreadyExists` if rows are stored already otherwise, `notFound` if the cache has
    ///   been replaced since, `readOnly`, `busy`, `diskFull`.
    public func appendBlock(to cache: CacheRecord, rows: Range<Int>, bytes: UnsafeRawBufferPointer) throws {
        let blocks = cache.blocks
        guard rows.lowerBound >= 0, rows.upperBound <= cache.layout.rowCount, !rows.isEmpty else {
            throw StoreError.outOfRange(what: blocks.what, rows: rows, count: cache.layout.rowCount)
        }
        guard bytes.count == rows.count * cache.layout.rowByteCount, bytes.count <= BlockSequence.maximumBlockByteCount else {
            throw StoreError.invalid(
                what: blocks.what,
                reason: "\(bytes.count) bytes are no block of \(rows.count) rows of \(cache.layout.rowByteCount) bytes",
                change: "append whole rows, of at most \(BlockSequence.maximumBlockByteCount) bytes together")
        }
        if let flaw = FiniteScan.firstNonFinite(in: bytes, cache.layout.elementType) {
            let byte = flaw * cache.layout.elementType.byteCount
            throw StoreError.invalid(
                what: "\(blocks.what), row \(rows.lowerBound + byte / cache.layout.rowByteCount)",
                reason: "a gradient is NaN or infinite",
                change: "use a checkpoint from before the training diverged, or a type with a wider range")
        }
        // Both are made before the store is locked, so that those who build a cache together wait for each other's writing alone.
        let block = Data(bytes)
        let sha256 = ContentDigest(of: block)
        try writing { db in
            let present = try Self.current(cache, in: db)
            if let old = try Self.block(overlapping: rows, of: blocks, in: db) {
                guard old.rows == rows, old.sha256 == sha256.bytes else {
                    throw StoreError.alreadyExists(
                        kind: .block, name: "rows \(old.rows.lowerBound)..<\(old.rows.upperBound)", within: blocks.what,
                        change: "append only rows that are missing")
                }
                return
            }
            guard present.state == .building else {
                throw StoreError.corrupt(what: blocks.what, reason: "it is complete, but lacks rows \(rows); remove it")
            }
            try blocks.append(rows, block, sha256: sha256, to: db)
        }
    }

    /// Declares a cache complete; from then on it is found by its key.
    ///
    /// - Parameters:
    ///   - cache: The cache. One that is complete already stays so.
    ///   - summary: One JSON value in place of the one that the cache was begun with: what was measured of its rows is known only
    ///     when they are all there. If nil, the cache keeps the summary it has.
    /// - Returns: The cache as it now is.
    /// - Throws: ``StoreError``: `invalid` if rows are missing or the summary is not JSON, `notFound` if the cache has been
    ///   replaced since, `readOnly`, `busy`, `diskFull`.
    @discardableResult
    public func finishCache(_ cache: CacheRecord, summary: String? = nil) throws -> CacheRecord {
        try writing { db in
            if let summary { try Self.requireJSON(summary, "summary of cache '\(cache.kind)'", in: db) }
            let present = try Self.current(cache, in: db)
            let build = build(of: present, stored: try present.blocks.storedRows(in: db))
            guard build.missing.isEmpty else {
                throw StoreError.invalid(
                    what: present.blocks.what, reason: "rows \(build.missing[0].lowerBound)... are missing",
                    change: "append every row before finishing")
            }
            try db.execute(
                sql: "UPDATE cache SET state = 'complete', summary = coalesce(?, summary) WHERE id = ?",
                arguments: [summary, cache.id])
            return try Self.current(cache, in: db)
        }
    }

    /// Writes a cache's record.
    static func insertRecord(
        ofCache kind: String, of checkpoint: CheckpointRecord, key: ContentDigest, _ layout: CacheLayout, summary: String,
        state: CacheRecord.State, in db: Database
    ) throws -> CacheRecord {
        try requireJSON(summary, "summary of cache '\(kind)'", in: db)
        try db.execute(
            sql: """
                INSERT INTO cache (checkpoint, kind, key, element_type, row_count, row_bytes, summary, state, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                checkpoint.id, kind, key.bytes, layout.elementType.rawValue, layout.rowCount, layout.rowByteCount, summary,
                state.rawValue, now(),
            ])
        guard let cache = try cache(of: checkpoint, kind: kind, in: db) else {
            throw StoreError.corrupt(what: "cache '\(kind)'", reason: "it vanished while it was written")
        }
        return cache
    }

    private func build(of cache: CacheRecord, stored: [Range<Int>]) -> CacheBuild {
        CacheBuild(cache: cache, stored: stored, rowsPerBlock: cache.blocks.rowsPerBlock(ofAbout: blockByteCount))
    }

    static func check(_ layout: CacheLayout, _ kind: String) throws {
        let limit = BlockSequence.maximumBlockByteCount
        guard layout.rowCount > 0, layout.rowByteCount > 0, layout.rowByteCount <= limit, layout.byteCount < .max,
            layout.rowByteCount.isMultiple(of: layout.elementType.byteCount)
        else {
            throw StoreError.invalid(
                what: "cache '\(kind)'",
                reason:
                    "\(layout.rowCount) rows of \(layout.rowByteCount) bytes of \(layout.elementType.rawValue) cannot be stored",
                change: "give at least one row, of whole elements, of 1 to \(limit) bytes")
        }
    }

    /// A stored block that shares rows with `rows`, if any.
    private static func block(
        overlapping rows: Range<Int>, of blocks: BlockSequence, in db: Database
    ) throws -> (rows: Range<Int>, sha256: Data)? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT first_row, row_count, sha256 FROM \(blocks.table.rawValue)
                WHERE owner = ? AND first_row < ? AND first_row + row_count > ? ORDER BY first_row
                """,
            arguments: [blocks.owner, rows.upperBound, rows.lowerBound])
        return try row.map { row in
            let rows = try blocks.range(from: row.decode(Int.self, atIndex: 0), count: row.decode(Int.self, atIndex: 1))
            return (rows, try row.decode(Data.self, atIndex: 2))
        }
    }
}
