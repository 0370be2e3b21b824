import Formats
import Foundation
import GRDB
import Glibc
import Synchronization
import Testing

@testable import Store

@Suite("Streaming that fails or is cut short", .timeLimit(.minutes(2)))
struct StreamingFailureTests {
    private let fixture: Fixture
    private let store: Store
    private let cache: CacheRecord

    /// A cache of six blocks of 60 bytes.
    init() throws {
        fixture = try Fixture()
        store = try fixture.open()
        cache = try store.addCache(to: store.addModel())
    }

    private static let manners = [0, 1, 2].flatMap { readers in
        [1, 2, 4].flatMap { workers in
            [60, 130, 1000].map { BlockStreaming(budget: $0, workers: workers, readers: readers) }
        }
    }

    @Test("the first error of a body ends all and comes out, and no body runs after that", arguments: manners)
    func bodyError(streaming: BlockStreaming) throws {
        let begun = Mutex(0)
        #expect(throws: Interruption()) {
            try store.forEachBlock(of: cache, streaming: streaming) { _ in
                let position = begun.withLock { begun in
                    begun += 1
                    return begun
                }
                if position == 3 { throw Interruption() }
            }
        }
        let count = begun.withLock { $0 }
        #expect(count >= 3)
        if streaming.workers == 1 { #expect(count == 3) }
        usleep(2_000)
        #expect(begun.withLock { $0 } == count)
    }

    @Test("every body may fail at once", arguments: manners)
    func allBodiesFail(streaming: BlockStreaming) {
        #expect(throws: Interruption()) {
            try store.forEachBlock(of: cache, streaming: streaming) { _ in throw Interruption() }
        }
    }

    @Test("whoever cancels ends all with their own error, before the first block or after any", arguments: manners)
    func cancellation(streaming: BlockStreaming) {
        for allowed in 0..<12 {
            let asked = Mutex(0)
            let bodies = Mutex(0)
            #expect(throws: Interruption()) {
                try store.forEachBlock(
                    of: cache, streaming: streaming,
                    checkCancellation: {
                        let count = asked.withLock { asked in
                            asked += 1
                            return asked
                        }
                        if count > allowed { throw Interruption() }
                    },
                    { _ in bodies.withLock { $0 += 1 } })
            }
            #expect(bodies.withLock { $0 } <= allowed)
        }
    }

    @Test("a damaged block is refused by name, unless checksums are not asked for", arguments: manners)
    func damage(streaming: BlockStreaming) throws {
        try fixture.flipByte(in: .caches, where: "first_row = 15")
        let fresh = try fixture.open(.readOnly)
        let error = #expect(throws: StoreError.self) {
            try fresh.forEachBlock(of: cache, streaming: streaming) { #expect(!$0.rows.contains(15)) }
        }
        #expect(
            error?.description.contains("dense' of checkpoint 'final' of model 'net' is damaged: the block of rows 15..<20")
                == true)
        let seen = Seen()
        var trusting = streaming
        trusting.verification = .never
        try fresh.forEachBlock(of: cache, streaming: trusting) { seen.take($0) }
        #expect(seen.rowCount == 30)
        try fresh.forEachBlock(of: cache, rows: 0..<15, streaming: streaming) { _ in }
    }

    @Test("checksums are compared the first time a block is streamed, and again only if that is asked for")
    func verifiedOnce() throws {
        let once = BlockStreaming(budget: 100, workers: 2)
        try store.forEachBlock(of: cache, rows: 0..<16, streaming: once) { _ in }
        try fixture.flipByte(in: .caches, where: "first_row IN (5, 15)")
        try store.forEachBlock(of: cache, streaming: once) { _ in }
        let always = BlockStreaming(budget: 100, verification: .always)
        #expect(throws: StoreError.self) { try store.forEachBlock(of: cache, streaming: always) { _ in } }
        #expect(throws: StoreError.self) { try fixture.open().forEachBlock(of: cache, streaming: once) { _ in } }
        try fixture.flipByte(in: .caches, where: "first_row = 25")
        try store.forEachBlock(of: cache, streaming: once) { _ in }
        #expect(try !store.check().isEmpty)
    }

    @Test("missing, overlapping and shortened blocks are refused before any body runs, where they hold rows that are asked for")
    func structure() throws {
        let cases = [
            ("DELETE FROM cache_block WHERE first_row = 10", "row 10 is in no block"),
            ("DELETE FROM cache_block WHERE first_row = 0", "row 0 is in no block"),
            ("DELETE FROM cache_block WHERE first_row = 25", "row 25 is in no block"),
            ("UPDATE cache_block SET first_row = 9 WHERE first_row = 10", "row 10 is in no block"),
            ("UPDATE cache_block SET row_count = 4 WHERE first_row = 10", "has 60 bytes where 4 rows of 12 bytes"),
            ("UPDATE cache_block SET bytes = x'00' WHERE first_row = 10", "has 1 bytes where 5 rows of 12 bytes"),
            ("UPDATE cache_block SET row_count = 99 WHERE first_row = 10", "claims 99 of 30 rows"),
        ]
        let other = try Fixture()
        let cache: CacheRecord
        do {
            let store = try other.open()
            cache = try store.addCache(to: store.addModel())
        }
        let original = try other.content()
        for (sql, reason) in cases {
            try Fixture.with(original) { copy in
                try copy.tamper(sql)
                let store = try copy.open(.readOnly)
                let error = #expect(throws: StoreError.self) {
                    try store.forEachBlock(of: cache, streaming: BlockStreaming(budget: 100)) { _ in
                        Issue.record("a body ran: \(sql)")
                    }
                }
                #expect(error?.description.contains(reason) == true, "\(sql): \(error?.description ?? "")")
            }
        }
    }

    @Test("a cache that is removed while it is streamed is not found any more")
    func removedMeanwhile() throws {
        let gone = StoreError.notFound(kind: .cache, name: "dense", within: "checkpoint 'final' of model 'net'", nearby: [])
        #expect(throws: gone) {
            try store.forEachBlock(of: cache, streaming: BlockStreaming(budget: 60, readers: 0)) { [store, cache] _ in
                try store.removeCache(cache)
            }
        }
        #expect(try store.check().isEmpty)
    }

    @Test("bodies may read from the store, stream from it and write to it, whatever the number of threads")
    func storeInBodies() throws {
        let content = Fixture.gradients.bytes
        let streaming = BlockStreaming(budget: 1000, workers: 20, readers: 20)
        let inner = Seen()
        try store.forEachBlock(of: cache, streaming: streaming) { [store, cache] block in
            #expect(try store.rows(cache, block.rows) == content[block.rows.lowerBound * 12..<block.rows.upperBound * 12])
            try store.forEachBlock(of: cache, rows: block.rows, streaming: streaming) { inner.take($0) }
            try store.importDataset(named: "d\(block.rows.lowerBound)", count: 3)
        }
        #expect(inner.content == content)
        #expect(try store.datasets().count == 7)
        #expect(try store.check().isEmpty)
    }

    @Test("a stream goes with its buffers when it has ended, however it ended", arguments: [nil, 0, 3] as [Int?])
    func gone(failing: Int?) throws {
        let places = try store.pool.read { db in try cache.blocks.places(of: 0..<30, in: db) }
        weak var kept: BlockStream?
        do {
            let stream = BlockStream(
                places, budget: 180, threads: 4,
                steps: BlockStream.Steps(
                    read: { _, buffer in buffer.initializeMemory(as: UInt8.self, repeating: 1) },
                    run: { place, _, _ in if place.id == failing.map({ places[$0].id }) { throw Interruption() } },
                    checkCancellation: {}))
            kept = stream
            let ended = Result { try stream.run(workers: 2, readers: 2) }
            switch ended {
            case .success: #expect(failing == nil)
            case .failure(let error): #expect(failing != nil && error is Interruption)
            }
        }
        // The queues let go of it in their own time.
        for _ in 0..<2_000 where kept != nil { usleep(5_000) }
        #expect(kept == nil)
    }
}
