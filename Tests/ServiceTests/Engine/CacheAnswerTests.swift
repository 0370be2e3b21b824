import Attribution
import JSON
import LinearAlgebra
import Networks
import TestSupport
import Testing

@testable import Service
@testable import Store

/// What requests get that score with a cache.
@Suite("Answers by gradient caches")
struct CacheAnswerTests {
    /// Relative score errors that no cache of a kind may exceed.
    private static func bound(_ name: String) -> Double {
        if name.hasPrefix("projected") { return name.contains("rank1") ? 3 : 1 }
        let bounds = ["float32": 1e-5, "float16": 1e-3, "bfloat16": 8e-3, "int8": 2e-2]
        return bounds[String(name.dropFirst("dense-".count))] ?? 0
    }

    /// ‖ŝ − s‖ / ‖s‖ of a cache along gradients, by definition, for all rows but the directions' own.
    private func error(of gradients: any TrainingGradients, _ network: NetworkModel) throws -> Double {
        let sample = AccuracySample(of: network.examples.count)
        let directions = try sample.directions.flatMap { try network.trained.gradients(of: $0..<$0 + 1, in: network.examples) }
        let (length, n) = (network.trained.network.parameterCount, network.examples.count)
        let all = try network.trained.gradients(of: 0..<n, in: network.examples)
        let scores = try gradients.scores(of: .all, along: directions, parallel: Parallel(threads: 2))
        var (difference, size) = (0.0, 0.0)
        for (index, direction) in sample.directions.enumerated() {
            let vector = Array(directions[index * length..<(index + 1) * length])
            for row in 0..<n where row != direction {
                let exact = Vectors.dot(vector, Array(all[row * length..<(row + 1) * length]))
                difference += (Double(scores[index][row]) - exact) * (Double(scores[index][row]) - exact)
                size += exact * exact
            }
        }
        return (difference / size).squareRoot()
    }

    private func check(_ bench: CacheBench, _ name: String) throws {
        let record = try bench.build(name)
        let model = try bench.engine().model("net", checkpoint: nil)
        let chosen = try bench.engine().gradients(of: model, named: name, interruption: .never)
        #expect(chosen.name == name && chosen.source == .cache(record))
        let measured = try error(of: chosen.gradients, model.network(at: ""))
        guard name != "factored" else {
            #expect(measured < 1e-5 && chosen.accuracy == GradientCache.Summary())
            return
        }
        let stated = try #require(chosen.accuracy.relativeScoreError)
        #expect(abs(measured - stated) < 1e-3 * stated + 3e-7, "measured \(measured), stated \(stated)")
        #expect(stated < Self.bound(name))
        let correlation = try #require(chosen.accuracy.rankCorrelation)
        #expect(correlation <= 1 && correlation > (stated < 1e-2 ? 0.9 : 0), "\(name): \(correlation)")
    }

    @Test("scores have the error that the cache states, within what its numbers can hold", arguments: CacheBench.names)
    func statedError(name: String) throws { try check(CacheBench(), name) }

    @Test(
        "so they have on trained networks", .enabled(if: Fixtures.isAvailable, Fixtures.absence),
        arguments: ["digits-mlp", "digits-cnn", "digits-residual", "tokens-embedding", "diabetes-mlp", "iris-smooth-hinge"])
    func statedErrorOfFixtures(fixture: String) throws {
        let bench = try CacheBench(fixture: fixture)
        for name in CacheBench.names where name == "factored" || name.hasSuffix("-int8") || name.hasPrefix("dense") {
            try check(bench, name)
        }
    }

    @Test("what streams within a tiny memory gives the answers of what is resident, bit for bit", arguments: CacheBench.names)
    func streaming(name: String) throws {
        let bench = try CacheBench()
        let record = try bench.build(name)
        let requests = try [
            CacheBench.request([0], ["gradients": .string(name), "include": ["all_scores"]]),
            CacheBench.request([1, 2], ["gradients": .string(name), "groups": [["name": "g", "indices": [59, 3, 3, 17]]]]),
            CacheBench.request([3], ["gradients": .string(name), "candidates": ["indices": [40, 2, 41, 9]]]),
            CacheBench.request([4], ["gradients": .string(name), "candidates": ["nearest_neighbors": 7]]),
        ]
        let resident = CacheBench.shown(bench.engine(), requests)
        #expect(resident.allSatisfy { $0.hasPrefix("[") && $0.contains("\"gradients\":\"\(name)\"") }, "\(resident)")
        for threads in 1...3 {
            let tiny = bench.engine(memoryBytes: 100_000, threads: threads)
            let budget = GradientCacheBudget(memoryBytes: tiny.memoryBytes)
            if record.layout.byteCount > budget.resident {
                #expect(tiny.cachedGradients.totalCost < record.layout.byteCount)
            }
            #expect(CacheBench.shown(tiny, requests) == resident)
        }
        let model = try bench.engine().model("net", checkpoint: nil)
        let streamed = try bench.engine(memoryBytes: 4).gradients(of: model, named: name, interruption: .never).gradients
        if name != "factored" { #expect((streamed as? RowGradients)?.rows.isResident == false) }
        #expect(throws: Interrupted()) {
            try streamed.scores(
                of: .all, along: [Float](repeating: 1, count: model.dimension), parallel: Parallel(threads: 2),
                interruption: Interruption { true })
        }
    }

    @Test("each gets to the last bit what it gets alone, beside requests for other gradients")
    func companions() throws {
        let bench = try CacheBench()
        let names = ["dense-int8", "projected-rank1-64-seed1-float16", "dense-float32", "factored"]
        for name in names { try bench.build(name) }
        var requests = try ([nil, "exact"] + names).flatMap { name in
            try [[5], [5, 6]].map { rows in
                try CacheBench.request(rows, name.map { ["gradients": .string($0), "include": ["all_scores"]] } ?? [:])
            }
        }
        requests.append(try CacheBench.request([5], ["gradients": "dense-bfloat16"]))
        let alone = requests.map { CacheBench.shown(bench.engine(), [$0])[0] }
        #expect(alone.last?.hasPrefix("failed") == true)
        for seed in 0..<4 {
            var numbers = SeededNumbers(UInt64(seed))
            let order = Array(requests.indices).shuffled(using: &numbers)
            let engine = bench.engine(threads: 1 + seed % 3)
            #expect(CacheBench.shown(engine, order.map { requests[$0] }) == order.map { alone[$0] })
        }
    }

    @Test("exact gradients come from the factored cache as soon as it is there, and scans of both are one")
    func exact() throws {
        let bench = try CacheBench()
        let engine = bench.engine()
        let model = try engine.model("net", checkpoint: nil)
        #expect(try engine.gradients(of: model, named: nil, interruption: .never).source == .model(model.identity))
        let record = try bench.build("factored")
        for name in [nil, "exact", "factored"] {
            #expect(try engine.gradients(of: model, named: name, interruption: .never).source == .cache(record))
        }
        #expect(engine.cachedGradients.totalCost == record.layout.byteCount)
    }

    @Test("a request without gradients, with null or with exact asks the same; with a cache's name, something else")
    func questions() throws {
        let plain = Question(try CacheBench.request())
        #expect(try Question(CacheBench.request([0], ["gradients": "exact"])) == plain)
        #expect(try Question(CacheBench.request([0], ["gradients": .null])) == plain)
        let other = try Question(CacheBench.request([0], ["gradients": "dense-int8"]))
        #expect(other != plain)
        #expect(try other != Question(CacheBench.request([0], ["gradients": "dense-float16"])))
        // Their right-hand sides are solved together all the same.
        #expect(other.companion == plain.companion)
    }
}
