import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

/// The same question on the same store has the same answer to the last bit.
@Suite("Every method, asked in other ways")
struct MethodInvarianceTests {
    private static let everything: JSON = ["inputs", "metadata", "all_scores"]

    private static func requests() throws -> [InfluenceRequest] {
        try MethodCase.all.flatMap { method in
            try [[0], [1, 2]].map { rows in
                try MethodBench.request(
                    .net, method.members.merging(["include": everything, "groups": [["name": "g", "indices": [4, 9]]]]),
                    rows: rows)
            } + [
                MethodBench.request(.net, method.members.merging(["candidates": ["indices": [3, 30, 12]]]), rows: [3, 0]),
                MethodBench.request(.net, method.members.merging(["candidates": ["nearest_neighbors": 9]]), rows: [4]),
                MethodBench.request(.net, method.members.merging(["aggregate": "mean"]), rows: [5, 0, 1]),
            ]
        }
    }

    private static func shown(_ engine: Engine, _ requests: [InfluenceRequest]) -> [String] {
        engine.influence(requests.map { .init(request: $0, interruption: .never) }).map(EngineBench.shown)
    }

    @Test("whatever the number of threads and whoever else asks, in whatever order")
    func companions() throws {
        let bench = try MethodCase.bench(weighted: true)
        let requests = try Self.requests()
        // Once before, so that all find the same in the store.
        _ = Self.shown(bench.engine(), requests)
        let engine = bench.engine(threads: 1)
        let alone = requests.map { Self.shown(engine, [$0])[0] }
        #expect(alone.allSatisfy { $0.hasPrefix("[") }, "\(alone.filter { !$0.hasPrefix("[") })")
        for seed in 0..<4 {
            var numbers = SeededNumbers(UInt64(seed))
            let order = Array(requests.indices).shuffled(using: &numbers)
            let some = seed == 0 ? order : Array(order.prefix(23))
            let together = Self.shown(bench.engine(threads: 1 + seed % 3), some.map { requests[$0] })
            for (index, text) in zip(some, together) { #expect(text == alone[index], "request \(index)") }
        }
    }

    @Test("within any memory it is the same, or refused with what it takes", arguments: [true, false])
    func memory(isWarm: Bool) throws {
        let bench = try MethodCase.bench()
        let requests = try Self.requests()
        if isWarm { _ = Self.shown(bench.engine(), requests) }
        let plenty = requests.map { Self.shown(bench.engine(), [$0])[0] }
        var (answered, refused) = (0, 0)
        for memory in [1_000, 10_000, 20_000, 30_000, 50_000, 100_000, 300_000] {
            let engine = bench.engine(memoryBytes: memory, threads: 2)
            for (index, text) in Self.shown(engine, requests).enumerated() {
                if text.hasPrefix("[") {
                    #expect(text == plenty[index], "\(memory) bytes, request \(index)")
                    answered += 1
                } else {
                    #expect(text.contains("memory") || text.contains("bytes"), "\(memory): \(text)")
                    refused += 1
                }
            }
        }
        #expect(answered > requests.count && refused > 0, "\(answered) of \(7 * requests.count)")
    }
}
