import JSON
import GRDB
import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@testable import Service
@testable import Store

@Suite("Caches that are not used")
struct CacheStalenessTests {
    private let bench: CacheBench

    init() throws { bench = try CacheBench() }

    private func listed(_ engine: Engine, _ name: String) throws -> JSON {
        try #require(engine.modelJSON("net")["caches"]?.arrayValue?.first { $0["name"]?.stringValue == name })
    }

    private func refusal(of name: String) -> String {
        CacheBench.shown(bench.engine(), [try? CacheBench.request([0], ["gradients": .string(name)])].compactMap { $0 })[0]
    }

    @Test(
        "a cache depends on checkpoint, data, spec and kind",
        arguments: ["factored", "dense-int8", "projected-rank1-64-seed1-int8"])
    func keys(name: String) throws {
        let (cache, _) = try bench.cache(name)
        // One bit of the parameters, the inputs scaled, another weight decay, another kind.
        try bench.addCheckpoint("second", seed: 22)
        let otherCheckpoint = try bench.cache(name, checkpoint: "second").cache
        let otherData = try CacheBench(scale: 2).cache(name).cache
        try bench.addCheckpoint(
            "first", of: "other", seed: 21,
            spec: CacheBench.spec.replacing("\"weight_decay\": 0.05", with: "\"weight_decay\": 0.06"))
        let model = try bench.engine().model("other", checkpoint: nil)
        let otherSpec = GradientCache(
            kind: cache.kind, model: model.record, checkpoint: model.checkpoint, dataset: model.training.record)
        let otherKind = try bench.cache("projected-rank1-64-seed2-int8").cache
        #expect(otherSpec.checkpoint.sha256 == cache.checkpoint.sha256)
        #expect(Set([cache, otherCheckpoint, otherData, otherSpec, otherKind].map(\.key)).count == 5)
        // And on nothing else.
        #expect(try CacheBench().cache(name).cache.key == cache.key)
    }

    @Test(
        "a cache of another key is stale: it is listed as that, refused, and replaced by building",
        arguments: ["dense-float32", "projected-normal-64-seed1-int8", "factored"])
    func stale(name: String) throws {
        let (cache, network) = try bench.cache(name)
        let plain = CacheBench.shown(bench.engine(), [try CacheBench.request()])
        let layout = try cache.layout(of: network.trained)
        let build = try bench.store.beginCache(
            of: cache.checkpoint, kind: name, key: ContentDigest(ofParts: ["another"]), layout: layout)
        for rows in build.missing {
            let wrong = [UInt8](repeating: 0, count: rows.count * layout.rowByteCount)
            try wrong.withUnsafeBytes { try bench.store.appendBlock(to: build.cache, rows: rows, bytes: $0) }
        }
        try bench.store.finishCache(build.cache)
        #expect(try listed(bench.engine(), name)["state"] == "stale")
        let refusal = refusal(of: name)
        #expect(refusal.contains("/gradients") && refusal.contains("\(name) (stale)"), "\(refusal)")
        #expect(CacheBench.shown(bench.engine(), [try CacheBench.request()]) == plain)
        try bench.build(name)
        #expect(try listed(bench.engine(), name)["state"] == "complete")
        #expect(try CacheBench.shown(bench.engine(), [CacheBench.request([0], ["gradients": .string(name)])])[0].hasPrefix("["))
    }

    @Test(
        "whoever is reading a cache that is removed gets exact answers, or is told that it is gone",
        arguments: ["factored", "dense-float32"])
    func removedMeanwhile(name: String) throws {
        let plain = CacheBench.shown(bench.engine(), [try CacheBench.request()])[0]
        let named = try CacheBench.request([0], name == "factored" ? [:] : ["gradients": .string(name)])
        var outcomes = Set<String>()
        // At every place where it is asked whether to go on.
        for moment in 1... {
            let record = try bench.build(name)
            let asked = Mutex(0)
            let engine = bench.engine(memoryBytes: 100_000, threads: 1)
            let outcome = engine.influence([
                .init(
                    request: named,
                    interruption: Interruption { [store = bench.store] in
                        let isNow = asked.withLock { count in
                            count += 1
                            return count == moment
                        }
                        if isNow { try? store.removeCache(record) }
                        return false
                    }
                )
            ])[0]
            outcomes.insert(EngineBench.shown(outcome))
            guard asked.withLock({ $0 }) >= moment else { break }
        }
        if name == "factored" {
            // Streamed factors, factors and none: the same to the last bit, or nearly.
            #expect(outcomes.allSatisfy { $0.hasPrefix("[") }, "\(outcomes)")
            #expect(outcomes.contains(plain))
        } else {
            #expect(outcomes.count == 2 && outcomes.contains { $0.contains("must be gradients that checkpoint") }, "\(outcomes)")
        }
    }

    @Test("a half-written cache is listed as building, and refused", arguments: ["dense-float32", "factored"])
    func building(name: String) throws {
        struct Stopped: Error {}
        let plain = CacheBench.shown(bench.engine(), [try CacheBench.request()])
        #expect(throws: Stopped.self) {
            try bench.build(name, memoryBytes: 1) { done, _ in if done > 0 { throw Stopped() } }
        }
        #expect(try listed(bench.engine(), name)["state"] == "building")
        #expect(refusal(of: name).contains("\(name) (building)"))
        #expect(CacheBench.shown(bench.engine(), [try CacheBench.request()]) == plain)
    }

    @Test("a cache whose rows are of another width than the network's is not used")
    func layout() throws {
        let (cache, network) = try bench.cache("dense-float32")
        let build = try bench.store.beginCache(
            of: cache.checkpoint, kind: "dense-float32", key: cache.key,
            layout: CacheLayout(elementType: RowEncoding.float32.elementType, rowCount: CacheBench.count, rowByteCount: 4))
        let zeros = [Float](repeating: 0, count: CacheBench.count)
        for rows in build.missing {
            try zeros[rows].withUnsafeBytes { try bench.store.appendBlock(to: build.cache, rows: rows, bytes: $0) }
        }
        try bench.store.finishCache(build.cache)
        #expect(try cache.find(in: bench.store, network.trained) == nil)
        #expect(refusal(of: "dense-float32").contains("/gradients"))
    }

    @Test("a damaged cache is found out, and named")
    func damage() throws {
        let record = try bench.build("dense-float32")
        let path = bench.path
        try withExtendedLifetime(bench) {
            try bench.store.pool.writeWithoutTransaction { db in
                try db.execute(
                    sql: "UPDATE cache_block SET sha256 = zeroblob(32) WHERE owner = ? AND first_row = 0", arguments: [record.id])
            }
            // The store remembers what it has read; another does not.
            let store = try CacheBench.open(path)
            let engine = Engine(store: store, parallel: Parallel(threads: 2), memoryBytes: 64 << 20)
            let shown = try CacheBench.shown(engine, [CacheBench.request([0], ["gradients": "dense-float32"])])[0]
            #expect(shown.contains("failed") && shown.contains("SHA-256"), "\(shown)")
        }
    }

    @Test("a name that is no cache's is refused with what there is")
    func unknown() throws {
        try bench.build("dense-int8")
        for name in ["dense-int7", "dense-float16", "", "exact "] {
            let refusal = refusal(of: name)
            #expect(refusal.contains("/gradients") && refusal.contains("exact, dense-int8;"), "\(refusal)")
        }
    }

    @Test("the catalogue says of each cache what it is and how near it comes")
    func catalogue() throws {
        for name in ["factored", "dense-int8", "projected-sjlt-64-seed1-float16"] { try bench.build(name) }
        let engine = bench.engine()
        let factored = try listed(engine, "factored")
        #expect(factored["kind"] == "factored" && factored["relative_score_error"] == nil && factored["proj_type"] == nil)
        let dense = try listed(engine, "dense-int8")
        #expect(dense["kind"] == "dense" && dense["dtype"] == "int8" && dense["proj_dim"] == nil)
        #expect(try #require(dense["relative_score_error"]?.doubleValue) > 0)
        let projected = try listed(engine, "projected-sjlt-64-seed1-float16")
        #expect(projected["proj_type"] == "sjlt" && projected["proj_dim"] == 64 && projected["proj_seed"] == 1)
        #expect(projected["dtype"] == "float16" && projected["bytes"] == .integer(CacheBench.count * 64 * 2))
        #expect(try #require(projected["rank_correlation"]?.doubleValue) <= 1)
    }
}
