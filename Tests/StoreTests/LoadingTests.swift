import Formats
import Foundation
import Synchronization
import Testing

@testable import Store

@Suite("Loading whole", .timeLimit(.minutes(2)))
struct LoadingTests {
    private let fixture: Fixture
    private let store: Store
    private let cache: CacheRecord

    /// A cache of six blocks of 60 bytes.
    init() throws {
        fixture = try Fixture()
        store = try fixture.open()
        cache = try store.addCache(to: store.addModel())
    }

    private func load(
        _ cache: CacheRecord, from store: Store, byteCount: Int? = nil,
        checkCancellation: @escaping @Sendable () throws -> Void = {}
    ) throws -> Data {
        var result = Data(count: byteCount ?? cache.layout.byteCount)
        try result.withUnsafeMutableBytes { try store.load(cache, into: $0, checkCancellation: checkCancellation) }
        return result
    }

    @Test("every row of a cache comes to its place", arguments: [12, 60, 64, 1_000])
    func rows(blockByteCount: Int) throws {
        #expect(try load(cache, from: fixture.open(blockByteCount: blockByteCount)) == Fixture.gradients.bytes)
    }

    @Test("so does every row of a dataset's inputs", arguments: [1, 7, 200])
    func inputs(count: Int) throws {
        let dataset = try store.importDataset(named: "pictures", count: count)
        var result = Data(count: count * dataset.rowByteCount)
        try result.withUnsafeMutableBytes { try store.loadInputs(of: dataset, into: $0) }
        #expect(try result == store.inputs(dataset, 0..<count))
    }

    @Test("memory of another size is refused", arguments: [0, 359, 361])
    func size(byteCount: Int) {
        let error = #expect(throws: StoreError.self) { try load(cache, from: store, byteCount: byteCount) }
        #expect(error?.description.contains("30 rows of 12 bytes do not fill \(byteCount) bytes exactly") == true)
    }

    @Test("a damaged block is refused by name, the first time; a missing one before any is read")
    func damage() throws {
        #expect(try load(cache, from: store) == Fixture.gradients.bytes)
        try fixture.flipByte(in: .caches, where: "first_row = 15")
        #expect(try load(cache, from: store) != Fixture.gradients.bytes)
        let fresh = try fixture.open(.readOnly)
        let damaged = #expect(throws: StoreError.self) { try load(cache, from: fresh) }
        #expect(damaged?.description.contains("the block of rows 15..<20 does not match its SHA-256") == true)
        try fixture.tamper("DELETE FROM cache_block WHERE first_row = 10")
        let asked = Mutex(0)
        let missing = #expect(throws: StoreError.self) {
            try load(cache, from: fresh) { asked.withLock { $0 += 1 } }
        }
        #expect(missing?.description.contains("row 10 is in no block") == true)
        #expect(asked.withLock { $0 } == 0)
    }

    @Test("whoever cancels ends it with their own error", arguments: 0..<6)
    func cancellation(allowed: Int) {
        let asked = Mutex(0)
        #expect(throws: Interruption()) {
            try load(cache, from: store) {
                let count = asked.withLock { asked in
                    asked += 1
                    return asked
                }
                if count > allowed { throw Interruption() }
            }
        }
    }

    @Test("a cache that is gone is not found, and one that is not complete is refused")
    func removed() throws {
        try store.removeCache(cache)
        let gone = StoreError.notFound(kind: .cache, name: "dense", within: "checkpoint 'final' of model 'net'", nearby: [])
        #expect(throws: gone) { try load(cache, from: store) }
        let checkpoint = try store.checkpoints(of: store.model(named: "net"))[0]
        let build = try store.beginCache(of: checkpoint, kind: "dense", key: cache.key, layout: cache.layout)
        let error = #expect(throws: StoreError.self) { try load(build.cache, from: store) }
        #expect(error?.description.contains("it is not complete yet") == true)
    }
}
