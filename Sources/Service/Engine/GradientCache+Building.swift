internal import Attribution
internal import Foundation
internal import HTTPTypes
internal import LinearAlgebra
internal import Networks
internal import Store

extension GradientCache {
    /// Writes what is missing of the cache, some blocks at a time: whoever is interrupted goes on where they stopped. A stale cache of the
    /// same kind goes.
    /// - Parameter progress: told the rows that are done, and how many there will be.
    /// - Returns: the cache, complete.
    /// - Throws: `Problem` where the kind can't hold the gradients, after which nothing is left of the cache; `StoreError`;
    ///   `Interrupted`; what `progress` throws.
    func build(
        of network: NetworkModel, in store: Store, parallel: Parallel, budget: GradientCacheBudget,
        interruption: Interruption = .never, progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> CacheRecord {
        do throws(EncodingError) {
            _ = try kind.encoding.byteCount(rows: dataset.rowCount, width: width(of: network.trained))
        } catch {
            throw unsuitable(error)
        }
        let build = try store.beginCache(of: checkpoint, kind: kind.name, key: key, layout: layout(of: network.trained))
        guard build.cache.state == .building else { return build.cache }
        do {
            let projection = try kind.projection?.directions(
                of: network.trained.network, memoryBudget: budget.projection, parallel: parallel, interruption: interruption)
            let writer = writer(of: network, projection, budget)
            var done = build.stored.reduce(0) { $0 + $1.count }
            for blocks in groups(of: build.missing, width: writer.width, budget) {
                let rows = try write(blocks, writer, parallel, interruption) { count in
                    try progress(done + count, dataset.rowCount)
                }
                try append(rows, blocks, to: build.cache, in: store, parallel, interruption)
                done += blocks.reduce(0) { $0 + $1.count }
            }
            try progress(done, dataset.rowCount)
            return try store.finishCache(
                build.cache, summary: summary(of: network, writer, projection, parallel, budget, interruption))
        } catch let error as EncodingError {
            // It will not become complete.
            try store.removeCache(build.cache)
            throw unsuitable(error)
        }
    }

    private func unsuitable(_ error: EncodingError) -> Problem {
        Problem(
            .unprocessableContent, "unsuitable-dtype",
            "the gradients of checkpoint '\(checkpoint.name)' of model '\(model.name)' can't be kept as \(kind.name): \(error)")
    }

    private func writer(
        of network: NetworkModel, _ projection: (any GradientProjection)?, _ budget: GradientCacheBudget
    ) -> any GradientRowWriter {
        if let projection {
            return projection.rowWriter(of: network.examples, model: network.trained, memoryBudget: budget.gradients)
        }
        return kind.form == .factored
            ? FactorRowWriter(model: network.trained, examples: network.examples)
            : DenseRowWriter(model: network.trained, examples: network.examples)
    }

    /// Blocks that are made together: many where rows are long and blocks hold few.
    private func groups(of blocks: [Range<Int>], width: Int, _ budget: GradientCacheBudget) -> [[Range<Int>]] {
        let most = min(32 << 20, budget.gradients) / MemoryLayout<Float>.stride / max(1, width)
        var groups: [[Range<Int>]] = []
        var count = 0
        for block in blocks {
            if groups.isEmpty || count + block.count > most {
                groups.append([])
                count = 0
            }
            groups[groups.count - 1].append(block)
            count += block.count
        }
        return groups
    }

    /// The rows of some blocks, encoded.
    private func write(
        _ blocks: [Range<Int>], _ writer: any GradientRowWriter, _ parallel: Parallel, _ interruption: Interruption,
        progress: (Int) throws -> Void
    ) throws -> AlignedMemory<UInt8> {
        let (width, count) = (writer.width, blocks.reduce(0) { $0 + $1.count })
        let floats = AlignedMemory<Float>(uninitialized: count * width)
        var written = 0
        for batch in writer.batches(of: blocks) {
            try progress(written)
            try writer.write(batch, into: floats.start + written * width, parallel: parallel, interruption: interruption)
            written += batch.reduce(0) { $0 + $1.count }
        }
        let stride = try kind.encoding.rowByteCount(width: width)
        let bytes = AlignedMemory<UInt8>(uninitialized: count * stride)
        let together = max(1, (1 << 18) / width)
        var pieces: [(rows: Range<Int>, place: Int)] = []
        var place = 0
        for block in blocks {
            for start in Swift.stride(from: block.lowerBound, to: block.upperBound, by: together) {
                pieces.append((start..<min(start + together, block.upperBound), place + start - block.lowerBound))
            }
            place += block.count
        }
        try parallel.forEach(pieces.count, interruption: interruption) { [pieces] index in
            let (rows, place) = pieces[index]
            try kind.encoding.encode(
                rows: floats.start + place * width, count: rows.count, width: width, into: bytes.start + place * stride,
                firstRow: rows.lowerBound)
        }
        return bytes
    }

    /// Stores blocks whose rows lie one after the other. They are hashed beside each other, and written one by one.
    private func append(
        _ rows: AlignedMemory<UInt8>, _ blocks: [Range<Int>], to cache: CacheRecord, in store: Store, _ parallel: Parallel,
        _ interruption: Interruption
    ) throws {
        let stride = cache.layout.rowByteCount
        var place = 0
        let places = blocks.map { block in
            defer { place += block.count }
            return place * stride..<(place + block.count) * stride
        }
        try parallel.forEach(blocks.count, interruption: interruption) { index in
            let part = rows.elements[places[index]]
            try store.appendBlock(
                to: cache, rows: blocks[index], bytes: UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: part)))
        }
    }

    /// What a finished cache says of itself, as JSON.
    private func summary(
        of network: NetworkModel, _ writer: any GradientRowWriter, _ projection: (any DirectionProjection)?,
        _ parallel: Parallel, _ budget: GradientCacheBudget, _ interruption: Interruption
    ) throws -> String {
        var summary = Summary()
        if kind.form != .factored {
            let accuracy = try AccuracySample(of: dataset.rowCount).accuracy(
                of: writer, projection: projection, encoding: kind.encoding, model: network.trained, examples: network.examples,
                memoryBudget: min(32 << 20, budget.gradients), parallel: parallel, interruption: interruption)
            summary = Summary(relativeScoreError: accuracy?.relativeError, rankCorrelation: accuracy?.rankCorrelation)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(summary), as: UTF8.self)
    }
}
