import Formats
import Foundation
import Synchronization
import Testing

@testable import Store

/// What bodies saw, gathered by row.
final class Seen: Sendable {
    private struct State {
        var rows: [Int: Data] = [:]
        var repeated = 0
        var bodies = 0
        var buffers: Set<Int> = []
        var busy: Set<Int> = []
        var clashes = 0
        var workers: Set<Int> = []
    }

    private let state = Mutex(State())

    /// Every row in order, one after the other.
    var content: Data {
        state.withLock { state in state.rows.keys.sorted().reduce(into: Data()) { $0 += state.rows[$1] ?? Data() } }
    }
    var rowCount: Int { state.withLock { $0.rows.count } }
    /// Rows that were seen twice.
    var repeated: Int { state.withLock { $0.repeated } }
    /// Bodies that have run.
    var bodies: Int { state.withLock { $0.bodies } }
    /// Buffers that blocks lay in.
    var buffers: Int { state.withLock { $0.buffers.count } }
    /// Bodies that ran on a worker that was running another.
    var clashes: Int { state.withLock { $0.clashes } }
    var workers: Set<Int> { state.withLock { $0.workers } }

    /// A body.
    func take(_ block: StreamedBlock) {
        state.withLock { state in
            state.bodies += 1
            state.workers.insert(block.worker)
            if !state.busy.insert(block.worker).inserted { state.clashes += 1 }
            state.buffers.insert(Int(bitPattern: block.bytes.baseAddress))
        }
        let width = block.bytes.count / block.rows.count
        for (position, row) in block.rows.enumerated() {
            let bytes = Data(block.bytes[position * width..<(position + 1) * width])
            state.withLock { if $0.rows.updateValue(bytes, forKey: row) != nil { $0.repeated += 1 } }
        }
        state.withLock { _ = $0.busy.remove(block.worker) }
    }
}

@Suite("Streaming", .timeLimit(.minutes(2)))
struct StreamingTests {
    private let fixture: Fixture
    private let store: Store
    private let cache: CacheRecord
    private let all = Fixture.gradients.bytes

    /// A cache of six blocks of 60 bytes.
    init() throws {
        fixture = try Fixture()
        store = try fixture.open()
        cache = try store.addCache(to: store.addModel())
    }

    @Test(
        "a cache is the same streamed as read, each block once, on any number of threads and with budgets down to nothing",
        arguments: [1, 2, 3, 4], [-1, 0, 59, 60, 119, 180, 1 << 20])
    func equalsReading(workers: Int, budget: Int) throws {
        for readers in 0...2 {
            let seen = Seen()
            try store.forEachBlock(
                of: cache, streaming: BlockStreaming(budget: budget, workers: workers, readers: readers)
            ) { seen.take($0) }
            #expect(seen.content == all)
            #expect(seen.repeated == 0)
            #expect(seen.bodies == 6)
            #expect(seen.clashes == 0)
            #expect(seen.workers.isSubset(of: Set(0..<workers)))
            #expect(seen.buffers <= max(1, budget / 60))
        }
    }

    @Test(
        "only the rows that are asked for are shown",
        arguments: [0..<30, 0..<1, 29..<30, 4..<11, 5..<10, 12..<13, 7..<7, 30..<30])
    func ranges(rows: Range<Int>) throws {
        let seen = Seen()
        try store.forEachBlock(of: cache, rows: rows, streaming: BlockStreaming(budget: 100, workers: 2)) { block in
            #expect(block.rows.lowerBound >= rows.lowerBound && block.rows.upperBound <= rows.upperBound && !block.rows.isEmpty)
            seen.take(block)
        }
        #expect(seen.content == all[rows.lowerBound * 12..<rows.upperBound * 12])
        #expect(seen.repeated == 0)
    }

    @Test("rows that the cache does not have are refused", arguments: [29..<31, -1..<2, Int.min..<0, 31..<31])
    func badRanges(rows: Range<Int>) {
        #expect(throws: StoreError.outOfRange(what: cache.blocks.what, rows: rows, count: 30)) {
            try store.forEachBlock(of: cache, rows: rows, streaming: BlockStreaming(budget: 100)) { _ in }
        }
    }

    @Test("blocks of unequal lengths are streamed, and lie at addresses that vector registers like")
    func unequalBlocks() throws {
        let build = try store.beginCache(
            of: store.checkpoint(of: store.model(named: "net")), kind: "other", key: ContentDigest(ofParts: []),
            layout: cache.layout)
        for rows in [0..<1, 1..<17, 17..<19, 19..<30] { try store.append(rows, of: all, to: build.cache) }
        let other = try store.finishCache(build.cache)
        let seen = Seen()
        try store.forEachBlock(of: other, streaming: BlockStreaming(budget: 400, workers: 3, readers: 1)) { block in
            #expect(Int(bitPattern: block.bytes.baseAddress).isMultiple(of: 64))
            seen.take(block)
        }
        #expect(seen.content == all)
    }

    @Test("the inputs of a dataset are streamed as they were imported, and none of a dataset without inputs")
    func inputs() throws {
        let seen = Seen()
        try store.forEachInputBlock(
            of: store.dataset(named: "digits"), rows: 3..<28, streaming: BlockStreaming(budget: 130, workers: 2, readers: 2)
        ) { seen.take($0) }
        #expect(seen.content == Fixture.inputs.bytes[21..<196])
        let bare = try store.importDataset(named: "bare", count: 9)
        try store.forEachInputBlock(of: bare, streaming: BlockStreaming(budget: 100)) { seen.take($0) }
        #expect(seen.rowCount == 25)
    }

    @Test("a cache in building is refused, and one that was removed is not found")
    func notThere() throws {
        let checkpoint = try store.checkpoint(of: store.model(named: "net"))
        let building = try store.beginCache(of: checkpoint, kind: "half", key: cache.key, layout: cache.layout).cache
        let half = #expect(throws: StoreError.self) {
            try store.forEachBlock(of: building, streaming: BlockStreaming(budget: 100)) { _ in }
        }
        #expect(half?.description.contains("it is not complete yet; build the rest") == true)
        try store.removeCache(cache)
        let gone = StoreError.notFound(kind: .cache, name: "dense", within: "checkpoint 'final' of model 'net'", nearby: [])
        #expect(throws: gone) { try store.forEachBlock(of: cache, streaming: BlockStreaming(budget: 100)) { _ in } }
    }

    @Test("numbers of threads out of range count as the nearest in range")
    func threadCounts() throws {
        for (workers, readers) in [(0, -1), (-5, 0), (.max, .max), (.min, .min)] {
            let seen = Seen()
            try store.forEachBlock(
                of: cache, streaming: BlockStreaming(budget: .max, workers: workers, readers: readers)
            ) { seen.take($0) }
            #expect(seen.content == all)
        }
    }
}
