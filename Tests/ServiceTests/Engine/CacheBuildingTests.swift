import Foundation
import GRDB
import HTTPTypes
import LinearAlgebra
import TestSupport
import Testing

@testable import Service
@testable import Store

/// What a cache holds must not depend on how it came to be.
@Suite("Building gradient caches")
struct GradientCacheBuildingTests {
    private struct Stopped: Error {}

    private func record(of name: String, in bench: CacheBench) throws -> CacheRecord {
        let (cache, network) = try bench.cache(name)
        return try #require(try cache.find(in: bench.store, network.trained))
    }

    @Test("rows have the same bytes on any number of threads, in any memory", arguments: CacheBench.names)
    func threads(name: String) throws {
        let bench = try CacheBench()
        let record = try bench.build(name, threads: 1)
        #expect(record.state == .complete)
        let bytes = try bench.bytes(record)
        for (threads, memory) in [(2, 1), (3, 64 << 20), (3, 100_000)] {
            try bench.store.removeCache(self.record(of: name, in: bench))
            let again = try bench.build(name, threads: threads, memoryBytes: memory)
            #expect(try bench.bytes(again) == bytes)
            #expect(again.summary == record.summary)
        }
    }

    @Test("a cache that was interrupted at any block is taken up there, and has the same bytes", arguments: CacheBench.names)
    func resumption(name: String) throws {
        let expected = try CacheBench()
        let whole = try expected.build(name)
        let bytes = try expected.bytes(whole)
        let bench = try CacheBench()
        // Without memory each block is a group; the first build is stopped at the first word of progress, the next at the second.
        var starts: [Int] = []
        while true {
            var told: [Int] = []
            do {
                let record = try bench.build(name, threads: 1 + starts.count % 3, memoryBytes: 1) { done, total in
                    #expect(total == CacheBench.count)
                    told.append(done)
                    if told.count > starts.count, done < total { throw Stopped() }
                }
                #expect(try bench.bytes(record) == bytes && record.summary == whole.summary)
                break
            } catch is Stopped {
                starts.append(told[0])
                #expect(told == told.sorted())
                #expect(try bench.store.check().isEmpty)
            }
        }
        // Rows that are there are not computed again.
        #expect(starts == starts.sorted() && Set(starts).count > 1)
    }

    @Test("a cache that is there is not built again, and one that lacks only its end is finished")
    func completion() throws {
        let bench = try CacheBench()
        struct AtTheEnd: Error {}
        #expect(throws: AtTheEnd.self) {
            try bench.build("dense-int8") { done, total in if done == total { throw AtTheEnd() } }
        }
        let (cache, network) = try bench.cache("dense-int8")
        #expect(try cache.find(in: bench.store, network.trained) == nil)
        var told: [Int] = []
        let record = try bench.build("dense-int8") { done, _ in told.append(done) }
        #expect(told == [CacheBench.count] && record.accuracy.rankCorrelation != nil)
        told = []
        #expect(try bench.build("dense-int8") { done, _ in told.append(done) } == record)
        #expect(told.isEmpty)
    }

    @Test("several kinds stand side by side, and a checkpoint's are its own")
    func sideBySide() throws {
        let bench = try CacheBench()
        for name in CacheBench.names { try bench.build(name) }
        try bench.addCheckpoint("second", seed: 9)
        #expect(try bench.build("dense-int8").checkpoint == "second")
        let model = try bench.store.model(named: "net")
        let counts = try bench.store.checkpoints(of: model).map { try bench.store.caches(of: $0).count }
        #expect(counts == [CacheBench.names.count, 1])
        #expect(try bench.store.check().isEmpty)
    }

    @Test("a build that is interrupted ends at once, and can be taken up")
    func interruption() throws {
        let bench = try CacheBench()
        #expect(throws: Interrupted()) {
            try bench.build("projected-rank1-64-seed1-int8", interruption: Interruption { true })
        }
        #expect(try bench.build("projected-rank1-64-seed1-int8").state == .complete)
    }

    @Test("gradients that a type can't hold are refused with the row and the type that holds them, and leave no cache")
    func beyondRange() throws {
        // Inputs of a million make gradients that half precision has no numbers for.
        let bench = try CacheBench(scale: 1e6, spec: CacheBench.linear)
        for (name, holder) in [("dense-float16", "bfloat16"), ("projected-sjlt-64-seed1-float16", "bfloat16")] {
            #expect {
                try bench.build(name)
            } throws: { error in
                guard let problem = error as? Problem else { return false }
                return problem.status.code == 422 && problem.detail.contains("row ") && problem.detail.contains(holder)
                    && problem.detail.contains(name)
            }
            #expect(try bench.store.caches(of: bench.cache(name).cache.checkpoint).isEmpty)
        }
        #expect(try bench.build("dense-bfloat16").state == .complete)
    }

    @Test("a disk that is full leaves the store whole, and the build goes on when there is room")
    func fullDisk() throws {
        let bench = try CacheBench()
        let expected = try bench.bytes(bench.build("dense-float32"))
        let (cache, network) = try bench.cache("dense-float32")
        try bench.store.removeCache(record(of: "dense-float32", in: bench))
        func limit(_ pages: (Int) -> Int) throws {
            try bench.store.pool.writeWithoutTransaction { db in
                try db.execute(sql: "VACUUM")
                let count = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
                try db.execute(sql: "PRAGMA max_page_count = \(pages(count))")
            }
        }
        try limit { $0 + 3 }
        #expect(throws: StoreError.diskFull(path: bench.store.path)) { try bench.build("dense-float32", memoryBytes: 1) }
        #expect(try bench.store.check().isEmpty)
        #expect(try cache.find(in: bench.store, network.trained) == nil)
        // Answers do not need the cache.
        #expect(CacheBench.shown(bench.engine(), [try CacheBench.request()])[0].hasPrefix("["))
        try limit { _ in 1 << 30 }
        #expect(try bench.bytes(bench.build("dense-float32")) == expected)
        #expect(try bench.store.check().isEmpty)
    }
}
