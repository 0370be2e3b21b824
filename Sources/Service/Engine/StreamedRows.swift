internal import Attribution
internal import LinearAlgebra
internal import Store

/// A cache that stays in the store: its blocks are read ahead and go past.
struct StreamedCache: Sendable {
    let store: Store
    let cache: CacheRecord
    /// Bytes of blocks in memory at a time.
    let budget: Int

    /// Runs `body` on each block, on as many threads as `parallel` has, while another reads.
    /// - Throws: `Interrupted`, `StoreError`, and what `body` throws.
    func forEachBlock(
        parallel: Parallel, interruption: Interruption, _ body: @escaping @Sendable (StreamedBlock) throws -> Void
    ) throws {
        try store.forEachBlock(
            of: cache, streaming: BlockStreaming(budget: budget, workers: parallel.threads),
            checkCancellation: { try interruption.check() }, body)
    }

    /// Reads some rows into memory that is as large as they are.
    /// - Throws: `Interrupted`, `StoreError`.
    func read(_ rows: Range<Int>, into memory: UnsafeMutableRawBufferPointer, interruption: Interruption) throws {
        let stride = cache.layout.rowByteCount
        precondition(memory.count == rows.count * stride, "room for the rows")
        // Each block is copied to a place of its own.
        nonisolated(unsafe) let memory = memory
        try store.forEachBlock(
            of: cache, rows: rows, streaming: BlockStreaming(budget: budget, workers: 1, readers: 0),
            checkCancellation: { try interruption.check() }
        ) { block in
            UnsafeMutableRawBufferPointer(rebasing: memory[((block.rows.lowerBound - rows.lowerBound) * stride)...])
                .copyMemory(from: block.bytes)
        }
    }

    /// Reads all rows, by two threads: as fast as a disk gives them.
    /// - Throws: `Interrupted`, `StoreError`; `EncodingError` where they are of another size than they should be.
    func resident(width: Int, encoding: RowEncoding, interruption: Interruption) throws -> ResidentRows {
        let memory = AlignedMemory<UInt8>(uninitialized: cache.layout.byteCount)
        try store.load(cache, into: UnsafeMutableRawBufferPointer(memory.elements)) { try interruption.check() }
        return try ResidentRows(memory, count: cache.layout.rowCount, width: width, encoding: encoding)
    }

    /// Calls `body` with some rows at a time, one after the other in memory, and their places among those asked for: as many as the budget
    /// allows. Rows that lie near each other are read together.
    /// - Throws: `Interrupted`, `StoreError`, and what `body` throws.
    func forEachGathering(
        of rows: [UInt32], interruption: Interruption, _ body: (Range<Int>, AlignedMemory<UInt8>) throws -> Void
    ) throws {
        let stride = cache.layout.rowByteCount
        let together = max(1, budget / stride)
        for start in Swift.stride(from: 0, to: rows.count, by: together) {
            let places = start..<min(start + together, rows.count)
            let memory = AlignedMemory<UInt8>(uninitialized: places.count * stride)
            let wanted = places.map { (row: Int(rows[$0]), place: $0 - start) }.sorted { $0.row < $1.row }
            // Between rows further apart than a block is long there may be blocks that hold none of them.
            let near = max(1, (4 << 20) / stride)
            var rest = wanted[...]
            while let first = rest.first {
                let end = rest.indices.first { $0 > rest.startIndex && rest[$0].row - rest[$0 - 1].row > near } ?? rest.endIndex
                let run = Array(rest[..<end])
                rest = rest[end...]
                try store.forEachBlock(
                    of: cache, rows: first.row..<(run.last?.row ?? first.row) + 1,
                    streaming: BlockStreaming(budget: budget, workers: 1, readers: 0),
                    checkCancellation: { try interruption.check() }
                ) { block in
                    for (row, place) in run where block.rows.contains(row) {
                        let bytes = block.bytes[
                            (row - block.rows.lowerBound) * stride..<(row - block.rows.lowerBound + 1) * stride]
                        UnsafeMutableRawBufferPointer(
                            rebasing: UnsafeMutableRawBufferPointer(memory.elements)[(place * stride)...]
                        )
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes))
                    }
                }
            }
            try body(places, memory)
        }
    }
}

/// Rows of a cache that is larger than the memory for it.
struct StreamedRows: GradientRows {
    let source: StreamedCache
    let width: Int
    let encoding: RowEncoding

    var count: Int { source.cache.layout.rowCount }
    var isResident: Bool { false }

    func forEachStretch(
        parallel: Parallel, interruption: Interruption, _ body: @escaping @Sendable (Range<Int>, EncodedRows) throws -> Void
    ) throws {
        try source.forEachBlock(parallel: parallel, interruption: interruption) { [width, encoding] block in
            try body(block.rows, EncodedRows(block.bytes, count: block.rows.count, width: width, encoding: encoding))
        }
    }

    /// Bytes of rows that one thread goes through at a time: about four blocks, so that few are read twice.
    private static let window = 4 << 20

    func forEachPart(
        of range: Range<Int>, length: Int, interruption: Interruption, _ body: (EncodedRows) throws -> Void
    ) throws {
        let stride = source.cache.layout.rowByteCount
        let most = max(1, min(Self.window, source.budget) / stride / length) * length
        let memory = AlignedMemory<UInt8>(uninitialized: min(most, range.count) * stride)
        for start in Swift.stride(from: range.lowerBound, to: range.upperBound, by: most) {
            let rows = start..<min(start + most, range.upperBound)
            let bytes = UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(memory.elements)[..<(rows.count * stride)])
            try source.read(rows, into: bytes, interruption: interruption)
            let view = try EncodedRows(UnsafeRawBufferPointer(bytes), count: rows.count, width: width, encoding: encoding)
            try view.forEachPart(of: 0..<rows.count, length: length) { part in
                try interruption.check()
                try body(part)
            }
        }
        withExtendedLifetime(memory) {}
    }

    func forEach(_ rows: [UInt32], interruption: Interruption, _ body: (Int, EncodedRows) throws -> Void) throws {
        try source.forEachGathering(of: rows, interruption: interruption) { places, memory in
            let all = try EncodedRows(
                UnsafeRawBufferPointer(memory.elements), count: places.count, width: width, encoding: encoding)
            for place in places { try body(place, all.part(place - places.lowerBound..<place - places.lowerBound + 1)) }
        }
    }
}
