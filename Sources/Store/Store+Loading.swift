import Dispatch
import Synchronization

/// Rows that are read as a whole into the memory they stay in.
extension Store {
    /// Threads that load blocks: two processors' worth of hashing, and as many that wait for the disk meanwhile.
    private static let loadingThreads = 4

    /// Reads all rows of a cache into `memory`, each block straight to its place, by several threads: a disk and its cache are asked for
    /// several blocks at a time, and checksums are computed beside each other. Blocks that this process has compared with their checksums
    /// before are not compared again.
    ///
    /// - Parameters:
    ///   - cache: A complete cache, as this store gave it.
    ///   - memory: Exactly as many bytes as the rows have.
    ///   - checkCancellation: Asked before each block, from any of the threads. If it throws, all ends.
    /// - Throws: ``StoreError``: `invalid` for a cache in building or memory of another size, `corrupt` for a block that is missing, of the
    ///   wrong length or does not match its SHA-256, `notFound` if the cache has been replaced or removed since; what `checkCancellation`
    ///   throws. The memory holds anything then.
    /// - Complexity: O(bytes), each copied once from SQLite's pages.
    public func load(
        _ cache: CacheRecord, into memory: UnsafeMutableRawBufferPointer, checkCancellation: @escaping @Sendable () throws -> Void
    ) throws {
        try withComplete(cache) { try load(cache.blocks, into: memory, checkCancellation) }
    }

    /// Reads the inputs of all rows of a dataset, as ``load(_:into:checkCancellation:)`` does; elements are as they were imported.
    ///
    /// - Throws: As there.
    public func loadInputs(
        of dataset: DatasetRecord, into memory: UnsafeMutableRawBufferPointer,
        checkCancellation: @escaping @Sendable () throws -> Void = {}
    ) throws {
        try load(dataset.inputs, into: memory, checkCancellation)
    }

    private func load(
        _ blocks: BlockSequence, into memory: UnsafeMutableRawBufferPointer,
        _ checkCancellation: @escaping @Sendable () throws -> Void
    ) throws {
        guard memory.count == blocks.rowCount * blocks.rowByteCount else {
            throw StoreError.invalid(
                what: blocks.what,
                reason: "\(blocks.rowCount) rows of \(blocks.rowByteCount) bytes do not fill \(memory.count) bytes exactly",
                change: "pass a buffer of \(blocks.rowCount * blocks.rowByteCount) bytes")
        }
        let places = try reading { db in try blocks.places(of: 0..<blocks.rowCount, in: db) }
        // Blocks share no rows: each thread writes where no other does.
        nonisolated(unsafe) let memory = memory
        let state = Mutex<(next: Int, failure: (any Error)?)>((0, nil))
        @Sendable func loadBlocks() {
            while let place = state.withLock({ state -> BlockPlace? in
                guard state.failure == nil, state.next < places.count else { return nil }
                defer { state.next += 1 }
                return places[state.next]
            }) {
                do {
                    try checkCancellation()
                    let start = place.rows.lowerBound * blocks.rowByteCount
                    let part = UnsafeMutableRawBufferPointer(rebasing: memory[start..<start + place.byteCount])
                    try read(place, of: blocks, into: part, .once)
                } catch {
                    state.withLock { $0.failure = $0.failure ?? error }
                }
            }
        }
        let others = DispatchGroup()
        // Each queue of its own has a thread of its own, however many others wait.
        for thread in 1..<max(1, min(Self.loadingThreads, places.count)) {
            DispatchQueue(label: "store.loader.\(thread)").async(group: others) { loadBlocks() }
        }
        loadBlocks()
        others.wait()
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}
