import Dispatch
import Formats
import Foundation
import GRDB
import Synchronization
import Testing

@testable import Store

@Suite("Building several caches")
struct CacheBuildingTests {
    private let fixture: Fixture
    private let store: Store
    private let checkpoint: CheckpointRecord
    private let key = ContentDigest(ofParts: ["a"])
    private let layout = CacheLayout(elementType: .float32, rowCount: 30, rowByteCount: 12)
    private let all = Fixture.gradients.bytes

    init() throws {
        fixture = try Fixture()
        store = try fixture.open()
        checkpoint = try store.addModel()
    }

    private func build(_ kind: String, key: ContentDigest? = nil, layout: CacheLayout? = nil) throws -> CacheRecord {
        let layout = layout ?? self.layout
        let build = try store.beginCache(of: checkpoint, kind: kind, key: key ?? self.key, layout: layout)
        for rows in build.missing {
            try store.append(rows, of: Self.content(layout), to: build.cache)
        }
        return try store.finishCache(build.cache)
    }

    /// Bytes that make finite numbers of any type.
    private static func content(_ layout: CacheLayout) -> Data {
        Data(bytes([30, layout.rowByteCount]).bytes.map { $0 & 0x3F })
    }

    @Test("what was measured of a cache goes into its summary when it is finished, or when it is finished again")
    func summaries() throws {
        let begun = try store.beginCache(of: checkpoint, kind: "dense", key: key, layout: layout, summary: #"{"seed": 1}"#)
        for rows in begun.missing { try store.append(rows, of: all, to: begun.cache) }
        let bad = #expect(throws: StoreError.self) { try store.finishCache(begun.cache, summary: "{") }
        #expect(bad?.description == "summary of cache 'dense': it is not valid JSON; give one JSON value")
        #expect(try store.caches(of: checkpoint) == [begun.cache])
        let finished = try store.finishCache(begun.cache, summary: #"{"seed": 1, "error": 0.25}"#)
        #expect(finished.state == .complete)
        #expect(finished.summary == #"{"seed": 1, "error": 0.25}"#)
        #expect(try store.finishCache(begun.cache) == finished)
        #expect(try store.finishCache(finished, summary: "2").summary == "2")
        #expect(try store.cache(of: checkpoint, kind: "dense", key: key)?.summary == "2")
        #expect(try store.check().isEmpty)
    }

    @Test("a summary is not replaced while rows are missing")
    func earlySummary() throws {
        let begun = try store.beginCache(of: checkpoint, kind: "dense", key: key, layout: layout)
        #expect(throws: StoreError.self) { try store.finishCache(begun.cache, summary: "1") }
        #expect(try store.caches(of: checkpoint) == [begun.cache])
    }

    @Test("caches of one checkpoint stand side by side under names that say what they are, each of its own type and width")
    func sideBySide() throws {
        let kinds: [(String, CacheLayout)] = [
            ("dense-float16", CacheLayout(elementType: .float16, rowCount: 30, rowByteCount: 6)),
            ("factored", layout),
            ("projected-normal-512-int8-seed0", CacheLayout(elementType: .int8, rowCount: 30, rowByteCount: 5)),
            (
                "projected-normal-512-int8-seed18446744073709551615",
                CacheLayout(elementType: .int8, rowCount: 30, rowByteCount: 5)
            ),
            ("projected-sjlt-64-bfloat16-seed1", CacheLayout(elementType: .bfloat16, rowCount: 30, rowByteCount: 4)),
        ]
        let caches = try kinds.map { try build($0, key: ContentDigest(ofParts: [$0]), layout: $1) }
        #expect(try store.caches(of: checkpoint) == caches)
        for (cache, (kind, layout)) in zip(caches, kinds) {
            #expect(try store.cache(of: checkpoint, kind: kind, key: ContentDigest(ofParts: [kind])) == cache)
            #expect(try store.rows(cache, 0..<30) == Self.content(layout))
        }
        #expect(try store.check().isEmpty)
    }

    @Test("a stale cache is removed with its blocks when one of its kind is begun, and no other is")
    func stale() throws {
        let old = try build("dense")
        let kept = try build("factored")
        let begun = try store.beginCache(of: checkpoint, kind: "dense", key: ContentDigest(ofParts: ["b"]), layout: layout)
        #expect(try store.caches(of: checkpoint) == [begun.cache, kept])
        let owners = try store.pool.read { db in try Int64.fetchSet(db, sql: "SELECT DISTINCT owner FROM cache_block") }
        #expect(owners == [kept.id])
        #expect(begun.cache.id > old.id)
        #expect(try store.rows(kept, 0..<30) == Self.content(layout))
        #expect(try store.check().isEmpty)
    }

    @Test("a full disk ends the building of a cache with that error; what was appended stays, and the rest can be appended later")
    func fullDisk() throws {
        let layout = CacheLayout(elementType: .int8, rowCount: 60, rowByteCount: 8192)
        let store = try Fixture.open(fixture.path, blockByteCount: 16_384)
        let begun = try store.beginCache(of: checkpoint, kind: "dense", key: key, layout: layout)
        let content = bytes([60, 8192]).bytes
        try store.pool.writeWithoutTransaction { db in
            let pages = try #require(try Int.fetchOne(db, sql: "PRAGMA page_count"))
            try db.execute(sql: "PRAGMA max_page_count = \(pages + 5)")
        }
        #expect(throws: StoreError.diskFull(path: fixture.path)) {
            for rows in begun.missing { try store.append(rows, of: content, to: begun.cache) }
        }
        #expect(try store.check().isEmpty)
        #expect(try store.cache(of: checkpoint, kind: "dense", key: key) == nil)
        let stored = try store.beginCache(of: checkpoint, kind: "dense", key: key, layout: layout).stored
        #expect(!stored.isEmpty && stored.count < begun.missing.count)
        for rows in stored {
            #expect(try store.rows(begun.cache, rows) == content[rows.lowerBound * 8192..<rows.upperBound * 8192])
        }

        let later = try Fixture.open(fixture.path, blockByteCount: 16_384)
        let rest = try later.beginCache(of: checkpoint, kind: "dense", key: key, layout: layout)
        #expect(rest.stored == stored)
        for rows in rest.missing { try later.append(rows, of: content, to: rest.cache) }
        #expect(try later.rows(later.finishCache(rest.cache), 0..<60) == content)
        #expect(try later.check().isEmpty)
    }

    @Test("several threads build a cache together")
    func together() throws {
        let begun = try store.beginCache(of: checkpoint, kind: "dense", key: key, layout: layout)
        let missing = begun.missing
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: missing.count) { index in
            do {
                try store.append(missing[index], of: all, to: begun.cache)
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 }.isEmpty)
        #expect(try store.rows(store.finishCache(begun.cache), 0..<30) == all)
    }
}
