import GRDB

/// Rows that need not fit into memory.
extension Store {
    /// Runs `body` once on each block of a cache, on several threads and in no order that could be relied on, while further
    /// blocks are read ahead.
    ///
    /// Results belong to be written by the rows they are of, which are the same whatever the budget and the threads. A body may
    /// use the store. No read transaction is held from one block to the next, so a long run keeps no writer's WAL from being
    /// emptied.
    ///
    /// - Parameters:
    ///   - cache: A complete cache, as this store gave it.
    ///   - rows: The rows that are wanted; all if nil. Blocks that hold none of them are not read.
    ///   - streaming: Memory, threads and verification.
    ///   - checkCancellation: Asked before each block is read or run on, from any of the threads. If it throws, all ends.
    ///   - body: Shown each block; called from several threads at a time.
    /// - Throws: ``StoreError``: `outOfRange`, `invalid` for a cache in building, `corrupt` for a block that is missing, of the
    ///   wrong length or does not match its SHA-256, `notFound` if the cache has been replaced or removed since; what
    ///   `checkCancellation` or `body` throws. The first error ends all: each thread finishes the step it is at, and none begins
    ///   another.
    /// - Complexity: O(bytes of the blocks that are read), each copied once from SQLite's pages. Memory as `streaming` says, and
    ///   O(blocks).
    public func forEachBlock(
        of cache: CacheRecord, rows: Range<Int>? = nil, streaming: BlockStreaming,
        checkCancellation: @escaping @Sendable () throws -> Void = {}, _ body: @escaping @Sendable (StreamedBlock) throws -> Void
    ) throws {
        try withComplete(cache) { try stream(cache.blocks, rows, streaming, checkCancellation, body) }
    }

    /// Runs `body`, which reads blocks of a cache, if the cache is complete.
    func withComplete(_ cache: CacheRecord, _ body: () throws -> Void) throws {
        let current = try reading { db in try Self.current(cache, in: db) }
        guard current.state == .complete else {
            throw StoreError.invalid(
                what: cache.blocks.what, reason: "it is not complete yet", change: "build the rest of it and finish it first")
        }
        do {
            try body()
        } catch StoreError.corrupt(let what, let reason) {
            // A cache that was removed meanwhile is not damaged.
            _ = try reading { db in try Self.current(cache, in: db) }
            throw StoreError.corrupt(what: what, reason: reason)
        }
    }

    /// Runs `body` once on each block of a dataset's inputs; otherwise as
    /// ``forEachBlock(of:rows:streaming:checkCancellation:_:)`` does. The elements are as they were imported, not divided.
    ///
    /// - Throws: As there; `body` is not called for a dataset without inputs.
    public func forEachInputBlock(
        of dataset: DatasetRecord, rows: Range<Int>? = nil, streaming: BlockStreaming,
        checkCancellation: @escaping @Sendable () throws -> Void = {}, _ body: @escaping @Sendable (StreamedBlock) throws -> Void
    ) throws {
        try stream(dataset.inputs, rows, streaming, checkCancellation, body)
    }

    private func stream(
        _ blocks: BlockSequence, _ rows: Range<Int>?, _ streaming: BlockStreaming,
        _ checkCancellation: @escaping @Sendable () throws -> Void, _ body: @escaping @Sendable (StreamedBlock) throws -> Void
    ) throws {
        let rows = rows ?? 0..<blocks.rowCount
        guard rows.lowerBound >= 0, rows.upperBound <= blocks.rowCount else {
            throw StoreError.outOfRange(what: blocks.what, rows: rows, count: blocks.rowCount)
        }
        let places = try reading { db in try blocks.places(of: rows, in: db) }
        let limit = BlockStreaming.maximumThreadCount
        let workers = min(max(1, streaming.workers), limit)
        let readers = min(max(0, streaming.readers), limit)
        let stream = BlockStream(
            places, budget: max(0, streaming.budget), threads: workers + readers,
            steps: BlockStream.Steps(
                read: { place, buffer in try self.read(place, of: blocks, into: buffer, streaming.verification) },
                run: { place, bytes, worker in
                    let wanted = place.rows.clamped(to: rows)
                    let start = (wanted.lowerBound - place.rows.lowerBound) * blocks.rowByteCount
                    let part = UnsafeRawBufferPointer(rebasing: bytes[start..<start + wanted.count * blocks.rowByteCount])
                    try body(StreamedBlock(rows: wanted, bytes: part, worker: worker))
                },
                checkCancellation: checkCancellation))
        try stream.run(workers: workers, readers: readers)
    }

    /// Reads one block, and compares it with its checksum where that is due.
    func read(
        _ place: BlockPlace, of blocks: BlockSequence, into buffer: UnsafeMutableRawBufferPointer,
        _ verification: BlockStreaming.Verification
    ) throws {
        try reading { db in try blocks.copy(place, into: buffer, from: db) }
        switch verification {
        case .never: return
        case .once where verified.contains(place.rows, of: blocks): return
        case .once, .always:
            guard ContentDigest(of: UnsafeRawBufferPointer(buffer)).bytes == place.sha256 else {
                throw StoreError.corrupt(what: blocks.what, reason: StoredBlock.digestFlaw(of: place.rows))
            }
            verified.insert(place.rows, of: blocks)
        }
    }
}
