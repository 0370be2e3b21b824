import Formats
import Foundation
import Testing

@testable import Store

@Suite("Gradient caches")
struct CacheTests {
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

    private func begin(key: ContentDigest? = nil, layout: CacheLayout? = nil) throws -> CacheBuild {
        try store.beginCache(
            of: checkpoint, kind: "dense", key: key ?? self.key, layout: layout ?? self.layout, summary: #"{"seed": 1}"#)
    }

    @Test("a finished cache is found by its key, and its rows come back as they went in")
    func roundTrip() throws {
        let cache = try store.addCache(to: checkpoint)
        #expect(cache.state == .complete)
        #expect(try store.cache(of: checkpoint, kind: "dense", key: key) == cache)
        #expect(try store.caches(of: checkpoint) == [cache])
        for rows in [0..<30, 0..<1, 29..<30, 4..<11, 5..<10, 7..<7] {
            #expect(try store.rows(cache, rows) == all[rows.lowerBound * 12..<rows.upperBound * 12])
        }
        #expect(throws: StoreError.self) { try store.rows(cache, 29..<31) }
        #expect(try store.check().isEmpty)
    }

    @Test("an interrupted build is taken up with what is missing, also by another process, and blocks may come in any order")
    func resume() throws {
        let build = try begin()
        #expect(build.stored.isEmpty)
        #expect(build.rowsPerBlock == 5)
        #expect(build.missing == [0..<5, 5..<10, 10..<15, 15..<20, 20..<25, 25..<30])
        try store.append(18..<25, of: all, to: build.cache)
        try store.append(3..<5, of: all, to: build.cache)
        #expect(try store.cache(of: checkpoint, kind: "dense", key: key) == nil)
        #expect(try store.rows(build.cache, 19..<21) == all[228..<252])
        #expect(try store.check().isEmpty)

        let later = try fixture.open()
        let rest = try later.beginCache(of: checkpoint, kind: "dense", key: key, layout: layout)
        #expect(rest.cache == build.cache)
        #expect(rest.stored == [3..<5, 18..<25])
        #expect(rest.missing == [0..<3, 5..<10, 10..<15, 15..<18, 25..<30])
        for rows in rest.missing { try later.append(rows, of: all, to: rest.cache) }
        let cache = try later.finishCache(rest.cache)
        #expect(try store.rows(cache, 0..<30) == all)
        #expect(try begin().missing.isEmpty)
        #expect(try begin().cache == cache)
    }

    @Test("an unfinished cache cannot be finished, and the error names the first missing row")
    func unfinished() throws {
        let build = try begin()
        try store.append(0..<7, of: all, to: build.cache)
        let error = #expect(throws: StoreError.self) { try store.finishCache(build.cache) }
        #expect(error?.description.contains("rows 7... are missing") == true)
        #expect(throws: StoreError.self) { try store.rows(build.cache, 6..<8) }
    }

    @Test("a cache with another key is never returned, and gives way when a build with the new key begins")
    func stale() throws {
        let old = try store.addCache(to: checkpoint)
        let newKey = ContentDigest(ofParts: ["b"])
        #expect(try store.cache(of: checkpoint, kind: "dense", key: newKey) == nil)
        #expect(try store.cache(of: checkpoint, kind: "dense", key: key) == old)
        let build = try begin(key: newKey)
        #expect(build.stored.isEmpty)
        #expect(try store.cache(of: checkpoint, kind: "dense", key: key) == nil)
        #expect(try store.caches(of: checkpoint) == [build.cache])
        let gone = StoreError.notFound(kind: .cache, name: "dense", within: "checkpoint 'final' of model 'net'", nearby: [])
        #expect(throws: gone) { try store.rows(old, 0..<1) }
        #expect(throws: gone) { try store.append(0..<1, of: all, to: old) }
        #expect(throws: gone) { try store.finishCache(old) }
        #expect(try store.check().isEmpty)
    }

    @Test("another layout under the same key is stale too")
    func otherLayout() throws {
        _ = try store.addCache(to: checkpoint)
        let build = try begin(layout: CacheLayout(elementType: .float16, rowCount: 30, rowByteCount: 6))
        #expect(build.stored.isEmpty)
        #expect(build.cache.state == .building)
    }

    @Test("kinds stand beside each other")
    func kinds() throws {
        _ = try store.addCache(to: checkpoint)
        _ = try store.beginCache(of: checkpoint, kind: "factored", key: key, layout: layout)
        #expect(try store.caches(of: checkpoint).map(\.kind) == ["dense", "factored"])
        #expect(try store.caches(of: checkpoint).map(\.state) == [.complete, .building])
    }

    @Test("the same block twice is no error, other bytes for stored rows are")
    func repeated() throws {
        let build = try begin()
        try store.append(5..<10, of: all, to: build.cache)
        try store.append(5..<10, of: all, to: build.cache)
        for (rows, bytes) in [(4..<6, all), (9..<12, all), (6..<8, all), (0..<30, all), (5..<10, Data(count: 360))] {
            let error = #expect(throws: StoreError.self) { try store.append(rows, of: bytes, to: build.cache) }
            #expect(error?.description.contains("already holds a block 'rows 5..<10'") == true)
        }
        #expect(try begin().stored == [5..<10])
    }

    @Test("blocks of the wrong length, out of range, or with NaN are refused")
    func badBlocks() throws {
        let cache = try begin().cache
        let nan = floats([30, 3], changing: [16: .nan]).bytes
        let error = #expect(throws: StoreError.self) { try store.append(4..<8, of: nan, to: cache) }
        #expect(error?.description.contains("row 5: a gradient is NaN or infinite") == true)
        for rows in [29..<31, -1..<2, 3..<3] {
            #expect(throws: StoreError.self) {
                try Data(count: max(0, rows.count) * 12).withUnsafeBytes {
                    try store.appendBlock(to: cache, rows: rows, bytes: $0)
                }
            }
        }
        #expect(throws: StoreError.self) {
            try Data(count: 23).withUnsafeBytes { try store.appendBlock(to: cache, rows: 0..<2, bytes: $0) }
        }
        #expect(try begin().stored.isEmpty)
    }

    @Test(
        "layouts that cannot be stored are refused",
        arguments: [(0, 12), (-1, 12), (30, 0), (30, -4), (30, 13), (Int.max, 12), (30, 1 << 40)])
    func badLayouts(rowCount: Int, rowByteCount: Int) throws {
        let layout = CacheLayout(elementType: .float32, rowCount: rowCount, rowByteCount: rowByteCount)
        let error = #expect(throws: StoreError.self) { try begin(layout: layout) }
        #expect(error?.description.hasPrefix("cache 'dense': ") == true)
        #expect(try store.caches(of: checkpoint).isEmpty)
    }

    @Test("a removed cache is gone, and removing it again is no error")
    func remove() throws {
        let cache = try store.addCache(to: checkpoint)
        try store.removeCache(cache)
        try store.removeCache(cache)
        #expect(try store.caches(of: checkpoint).isEmpty)
        #expect(try store.check().isEmpty)
    }

    @Test("summaries that are not JSON and kinds that are no names are refused")
    func badTexts() throws {
        for (kind, summary) in [("dense", "{"), ("", "{}"), ("a b", "{}")] {
            #expect(throws: StoreError.self) {
                try store.beginCache(of: checkpoint, kind: kind, key: key, layout: layout, summary: summary)
            }
        }
        #expect(try begin().cache.summary == #"{"seed": 1}"#)
    }
}
