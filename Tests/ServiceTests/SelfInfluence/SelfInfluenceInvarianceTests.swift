import Formats
import Foundation
import JSON
import LinearAlgebra
import Store
import Synchronization
import TestSupport
import Testing

@testable import Service

@Suite("Self-influence, however it is computed")
struct SelfInfluenceInvarianceTests {
    static let requests: [JSONObject] = [
        ["damping": 1, "solver": ["name": "exact"]], ["damping": 1, "solver": ["name": "ekfac"]],
        ["damping": 1, "solver": ["name": "exact"], "curvature": "empirical_fisher"],
        ["method": "gradient_dot", "include": ["all_scores", "inputs"]], ["method": "representer_point"],
        ["method": "tracin_cp", "contributions": true],
    ]

    /// The made-up network, its checkpoint with a learning rate.
    private static func bench() throws -> CacheBench {
        let bench = try CacheBench()
        var numbers = SeededNumbers(77)
        let count = try bench.engine().model("net", checkpoint: nil).dimension
        for name in ["early", "late"] {
            try bench.engine().importCheckpoint(
                parameters: numbers.floats(count, scale: 0.3), model: "path", spec: CacheBench.spec, dataset: "small",
                checkpoint: name, training: TrainingState(learningRate: 0.1))
        }
        return bench
    }

    @Test("an answer has the same bytes on any number of threads, and from what an earlier one has kept", arguments: requests)
    func threads(members: JSONObject) throws {
        let bench = try Self.bench()
        let first = try bench.engine(threads: 1).selfInfluence("path", members).lasting
        for threads in [2, 3, 8] { #expect(try bench.engine(threads: threads).selfInfluence("path", members).lasting == first) }
        let engine = bench.engine()
        for _ in 0..<2 { #expect(try engine.selfInfluence("path", members).lasting == first) }
    }

    @Test("more examples listed change nothing of the others")
    func prefixes() throws {
        let bench = try Self.bench()
        defer { withExtendedLifetime(bench) {} }
        let engine = bench.engine()
        let all = try #require(engine.selfInfluence("path", ["method": "gradient_dot"]).shown["examples"]?.arrayValue)
        #expect(all.count == CacheBench.count)
        for k in [1, 7, 59] {
            let some = try engine.selfInfluence("path", ["method": "gradient_dot", "k": .integer(k)]).shown["examples"]
            #expect(some?.arrayValue == Array(all.prefix(k)))
        }
    }

    @Test("factors in a cache give the same bits, in memory or read from the disk; written-out gradients nearly the same")
    func caches() throws {
        let bench = try CacheBench()
        let plain = try bench.engine().selfInfluence("net", ["method": "gradient_dot"])
        try bench.build("factored")
        // So little memory that a cache streams.
        for memory in [64 << 20, 1 << 18] {
            let answer = try bench.engine(memoryBytes: memory).selfInfluence("net", ["method": "gradient_dot"])
            #expect(Closeness.largestError(answer.scores, plain.scores) < 1e-5)
        }
        for (name, tolerance) in [("dense-float32", 1e-5), ("dense-bfloat16", 0.01), ("dense-int8", 0.02)] {
            try bench.build(name)
            let answer = try bench.engine().selfInfluence("net", ["method": "gradient_dot", "gradients": .string(name)])
            #expect(Closeness.largestError(answer.scores, plain.scores) < tolerance)
            #expect(answer.shown["diagnostics"]?["gradients"]?.stringValue == name)
        }
        let name = "projected-normal-64-seed1-float32"
        try bench.build(name)
        let projected = try bench.engine().selfInfluence("net", ["method": "gradient_dot", "gradients": .string(name)])
        #expect(Closeness.relativeDistance(projected.scores, plain.scores) < 0.5)
        #expect(projected.shown["diagnostics"]?["relative_score_error"]?.doubleValue ?? 0 > 0)
    }

    @Test("an example that counts w times as much has a gradient w times as long, and its own loss changes as w times that")
    func weights() throws {
        var weights = [Float](repeating: 1, count: CacheBench.count)
        (weights[7], weights[9]) = (3, 0)
        let benches = (try CacheBench(), try CacheBench(weights: weights))
        defer { withExtendedLifetime(benches) {} }
        let (plain, weighted) = (benches.0.engine(), benches.1.engine())
        func norms(_ engine: Engine) throws -> [Double] { try engine.selfInfluence("net", ["method": "gradient_dot"]).scores }
        let expected = zip(try norms(plain), weights).map { $0 * Double($1 * $1) }
        #expect(Closeness.largestError(try norms(weighted), expected) < 1e-5)
        let answer = try weighted.selfInfluence("net", ["damping": 1, "solver": ["name": "exact"]])
        let examples = try #require(answer.shown["examples"]?.arrayValue)
        let example = try #require(examples.first { $0["index"] == 7 })
        #expect(example["weight"] == 3)
        #expect(example["predicted_loss_change_if_removed"]?.doubleValue == answer.scores[7] / Double(CacheBench.count) / 3)
        let silent = try #require(examples.first { $0["index"] == 9 })
        #expect(silent["score"] == 0 && silent["predicted_loss_change_if_removed"] == nil)
    }

    @Test("a single training example is its own distribution", arguments: ["influence", "gradient_dot", "representer_point"])
    func single(method: String) throws {
        let folder = try TemporaryDirectory()
        let store = try Store.open(at: folder.path("s.sqlite"), access: .readWrite, createIfMissing: true)
        try ArrayFile.npy([1, 2] as [Float], shape: [1, 2]).write(to: folder.url.appendingPathComponent("x.npy"))
        try ArrayFile.npy([1], shape: [1]).write(to: folder.url.appendingPathComponent("y.npy"))
        let data = try DatasetImport(inputs: .init(path: folder.path("x.npy")), targets: .init(path: folder.path("y.npy")))
        try store.importDataset(named: "one", inputs: data.inputs, targets: data.targets)
        defer { withExtendedLifetime(folder) {} }
        let engine = Engine(store: store, parallel: Parallel(threads: 2), memoryBytes: 64 << 20)
        let spec = """
            {"layers": [{"type": "linear", "in_features": 2, "out_features": 2}], "loss": {"type": "cross_entropy"}, "weight_decay": 0.1}
            """
        try engine.importCheckpoint(
            parameters: [0.1, 0.2, 0.3, 0.4, 0, 0], model: "one", spec: spec, dataset: "one", checkpoint: "c",
            training: TrainingState())
        let shown = try engine.selfInfluence("one", ["method": .string(method)]).shown
        let score = try #require(shown["examples"]?[0]?["score"]?.doubleValue)
        #expect(score > 0 && shown["examples"]?.arrayValue?.count == 1 && shown["mean"]?.doubleValue == score)
        #expect(shown["quantiles"]?.arrayValue?.allSatisfy { $0["score"]?.doubleValue == score } == true)
    }

    @Test("whoever does not want an answer any more ends its computation, whenever that is", arguments: requests)
    func interruption(members: JSONObject) throws {
        let bench = try Self.bench()
        #expect(throws: Interrupted.self) {
            try bench.engine().selfInfluence("path", members, interruption: Interruption { true })
        }
        // Later: after as many questions as a whole answer asks, and some before that.
        let questions = Mutex(0)
        _ = try bench.engine(threads: 1).selfInfluence(
            "path", members,
            interruption: Interruption {
                questions.withLock { $0 += 1 }
                return false
            })
        let all = questions.withLock { $0 }
        #expect(all > 2)
        for limit in Set([all / 2, all - 1]) where limit > 0 {
            let asked = Mutex(0)
            let interruption = Interruption {
                asked.withLock { asked in
                    asked += 1
                    return asked > limit
                }
            }
            // What the first has kept in the store takes fewer questions.
            let fresh = try Self.bench()
            #expect(throws: Interrupted.self) {
                try fresh.engine(threads: 1).selfInfluence("path", members, interruption: interruption)
            }
            withExtendedLifetime(fresh) {}
        }
    }
}
