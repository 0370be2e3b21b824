import Attribution
import Foundation
import HTTPTypes
import JSON
import LinearAlgebra
import Networks
import TestSupport
import Testing

@testable import Service
@testable import Store

/// Questions whose tests are given as a cache has projected gradients.
@Suite("Tests in a cache's projected space")
struct ProjectedSpaceTests {
    private static let name = "projected-normal-64-seed1-float32"
    private static let width = 64

    private let bench: CacheBench

    init() throws { bench = try CacheBench() }

    private static func gradient(_ count: Int = width, seed: UInt64 = 3) -> JSON {
        var numbers = SeededNumbers(seed)
        return ["gradient": .array(numbers.floats(count).map { .float($0) })]
    }

    private static func values(_ test: JSON) -> [Float] { test["gradient"]?.numbersValue?.map { Float($0) } ?? [] }

    /// A question in a cache's space, by the exact solver.
    private static func request(_ tests: [JSON], of name: String = name, _ members: JSONObject = [:]) throws -> InfluenceRequest {
        var body: JSONObject = [
            "tests": .array(tests), "gradients": .string(name), "solver": ["name": "exact"], "damping": 0.25,
            "include": ["all_scores", "s_test"],
        ]
        for (key, value) in members { body[key] = value }
        return try CacheBench.request([], body)
    }

    private func answer(_ request: InfluenceRequest, _ engine: Engine? = nil) throws -> InfluenceAnswer {
        try (engine ?? bench.engine()).influence(request, interruption: .never)
    }

    private func refusal(_ request: InfluenceRequest, _ engine: Engine? = nil) throws -> Problem {
        try #require(throws: Problem.self) { try answer(request, engine) }
    }

    /// The rows of a cache as numbers, [n, d].
    private func rows(_ name: String, of bench: CacheBench) throws -> DenseMatrix {
        let record = try bench.build(name)
        let encoding = try CacheBench.kind(name).encoding
        let floats = AlignedMemory<Float>(uninitialized: CacheBench.count * Self.width)
        try bench.bytes(record).withUnsafeBytes { bytes in
            try EncodedRows(bytes, count: CacheBench.count, width: Self.width, encoding: encoding)
                .decode(0..<CacheBench.count, into: floats.start)
        }
        return DenseMatrix(rows: CacheBench.count, columns: Self.width, elements: floats.copy.map(Double.init))
    }

    /// (1/n) Σ gᵢgᵢᵀ/wᵢ + λI.
    private static func system(_ rows: DenseMatrix, weights: [Float]? = nil, lambda: Double) -> DenseMatrix {
        var weighted = rows
        for i in 0..<rows.rows {
            let weight = Double(weights?[i] ?? 1)
            for j in 0..<rows.columns { weighted[i, j] = weight == 0 ? 0 : rows[i, j] / (weight * Double(rows.rows)) }
        }
        return (rows.transposed * weighted).plus(diagonal: lambda)
    }

    @Test(
        "s_test and scores are those of the rows' empirical Fisher matrix, computed plainly",
        arguments: ["projected-rank1-64-seed1-float16", "projected-sjlt-64-seed1-int8", name])
    func reference(name: String) throws {
        let rows = try rows(name, of: bench)
        let test = Self.gradient()
        let answer = try answer(Self.request([test], of: name, ["groups": [["name": "g", "indices": [5, 9, 9]]]]))
        let expected = Self.system(rows, lambda: 0.3).solved(for: Self.values(test))
        let scores = rows.times(expected)
        let result = try #require(answer.results.first)
        #expect(Closeness.relativeDistance(try #require(result.sTest), expected) < 1e-4)
        #expect(Closeness.relativeDistance(try #require(result.allScores), scores) < 1e-4)
        let sum = scores[5] + 2 * scores[9]
        #expect(result.groups[0].size == 3)
        #expect(abs(Double(result.groups[0].score.score) - sum) < 1e-4 * abs(sum) + 1e-6)
        #expect(result.residual < 1e-4 && result.converged)
        let shown = answer.json(id: "a", queueMilliseconds: 0, totalMilliseconds: 0)["results"]?[0]
        let diagnostics = try #require(shown?["diagnostics"])
        #expect(diagnostics["curvature"] == "empirical_fisher" && diagnostics["space"] == "projected")
        #expect(diagnostics["gradients"]?.stringValue == name && diagnostics["relative_score_error"] != nil)
        #expect(diagnostics["lambda_effective"] == 0.3)
        #expect(shown?["s_test"]?["shape"] == [64] && shown?["test"] == ["gradient": "request"])
    }

    @Test("so they are where examples have weights: (1/n) Σ gᵢgᵢᵀ/wᵢ of the rows, which have the weights in them")
    func weights() throws {
        var numbers = SeededNumbers(8)
        let weights = (0..<CacheBench.count).map { $0 % 7 == 0 ? 0 : Float(numbers.uniform() * 3) }
        let bench = try CacheBench(weights: weights)
        let rows = try rows(Self.name, of: bench)
        let test = Self.gradient()
        let result = try answer(Self.request([test]), bench.engine()).results[0]
        let expected = Self.system(rows, weights: weights, lambda: 0.3).solved(for: Self.values(test))
        #expect(Closeness.relativeDistance(try #require(result.sTest), expected) < 1e-4)
        #expect(result.residual < 1e-4)
    }

    @Test("relative damping is in units of the trace of the rows' matrix by their width")
    func relativeDamping() throws {
        let rows = try rows(Self.name, of: bench)
        let answer = try answer(Self.request([Self.gradient()], ["damping_mode": "relative"]))
        let trace = rows.elements.reduce(0) { $0 + $1 * $1 } / Double(CacheBench.count)
        #expect(abs(answer.shift / (0.05 + 0.25 * (trace / 64 + 0.05)) - 1) < 1e-5)
    }

    @Test("tests of other kinds beside it are projected, and to the last bit what their projections are when given")
    func mixed() throws {
        try bench.build(Self.name)
        let model = try bench.engine().model("net", checkpoint: nil)
        let whole = Self.gradient(model.dimension, seed: 4)
        let network = try model.network(at: "")
        let projection = try #require(try CacheBench.kind(Self.name).projection).directions(
            of: network.network, memoryBudget: 1 << 20, parallel: Parallel(threads: 1))
        let gradients = try [network.trained.gradients(of: 7..<8, in: network.examples), Self.values(whole)]
        let projected = try gradients.map {
            try projection.project($0, count: 1, parallel: Parallel(threads: 1), interruption: .never)
        }
        let tests = [["dataset": "small", "index": 7], Self.gradient(), whole]
        let mixed = try answer(Self.request(tests)).results
        let given = try answer(
            Self.request(projected.map { ["gradient": .array($0.map { .float($0) })] } + [Self.gradient()])
        ).results
        for (mixed, given) in [(mixed[0], given[0]), (mixed[2], given[1]), (mixed[1], given[2])] {
            #expect(mixed.sTest == given.sTest && mixed.allScores == given.allScores)
        }
        #expect(mixed[0].tests[0].loss != nil && mixed[0].sTest?.count == 64)
        // Neighbours are found by inputs, which tests of datasets have.
        let near: JSONObject = ["candidates": ["nearest_neighbors": 5]]
        #expect(try refusal(Self.request(tests, near)).errors[0].pointer == "/candidates/nearest_neighbors")
        let sum = try answer(Self.request(tests, ["aggregate": "sum", "candidates": ["indices": [4, 2]]])).results
        #expect(sum.count == 1 && sum[0].allScores?.count == 2)
        let total = try (0..<64).map { index in try mixed.reduce(0) { try $0 + #require($1.sTest)[index] } }
        #expect(Closeness.relativeDistance(try #require(sum[0].sTest), total) < 1e-4)
    }

    @Test("what streams gives the bits of what is resident, by any number of threads; lissa needs rows in memory and says so")
    func streaming() throws {
        let record = try bench.build(Self.name)
        let requests = try [
            Self.request([Self.gradient(), ["dataset": "small", "index": 7]]),
            Self.request([Self.gradient()], ["candidates": ["indices": [3, 50, 4]]]),
        ]
        let resident = CacheBench.shown(bench.engine(), requests)
        #expect(resident.allSatisfy { $0.hasPrefix("[") }, "\(resident)")
        let lissa = try Self.request([Self.gradient()], ["solver": ["name": "lissa", "recursion_depth": 10]])
        #expect(CacheBench.shown(bench.engine(), [lissa])[0].hasPrefix("["))
        for threads in 1...3 {
            let tiny = bench.engine(memoryBytes: 4 * record.layout.byteCount - 4, threads: threads)
            let model = try tiny.model("net", checkpoint: nil)
            let space = try tiny.space(of: requests[0], model, interruption: .never)
            #expect(space.rows?.isResident == false)
            #expect(CacheBench.shown(tiny, requests) == resident)
            let refusal = try refusal(lissa, tiny)
            #expect(refusal.errors[0].pointer == "/solver/name")
            #expect(refusal.detail.contains("exact") && refusal.detail.contains("\(record.layout.byteCount)"))
        }
    }

    @Test("each gets to the last bit what it gets alone, beside questions in θ and in other caches' spaces")
    func companions() throws {
        let names = [Self.name, "projected-normal-64-seed1-int8", "projected-rank1-64-seed1-float32"]
        for name in names { try bench.build(name) }
        let lissa: JSONObject = ["solver": ["name": "lissa", "recursion_depth": 20, "scale": 4_000, "num_repeat": 2]]
        let requests = try names.flatMap { name in
            try [
                Self.request([Self.gradient()], of: name), Self.request([["dataset": "small", "index": 1]], of: name, lissa),
                Self.request([Self.gradient(), ["dataset": "small", "index": 1]], of: name, lissa),
            ]
        }
        let alone = requests.map { CacheBench.shown(bench.engine(), [$0])[0] }
        #expect(alone.allSatisfy { $0.hasPrefix("[") } && Set(alone).count == alone.count, "\(alone)")
        for seed in 0..<3 {
            var numbers = SeededNumbers(UInt64(seed))
            let order = Array(requests.indices).shuffled(using: &numbers)
            let engine = bench.engine(threads: 1 + seed)
            for _ in 0..<2 { #expect(CacheBench.shown(engine, order.map { requests[$0] }) == order.map { alone[$0] }) }
        }
    }

    @Test("where a cache is as wide as θ, gradients are in θ")
    func equalWidths() throws {
        let p = try bench.engine().model("net", checkpoint: nil).dimension
        let name = "projected-normal-\(p)-seed1-float32"
        try bench.build(name)
        let answer = try answer(Self.request([Self.gradient(p)], of: name, ["curvature": "gauss_newton"]))
        #expect(answer.curvature == .gaussNewton && answer.gradients.source != .model(answer.model.identity))
        let shown = answer.json(id: "a", queueMilliseconds: 0, totalMilliseconds: 0)["results"]?[0]?["diagnostics"]
        #expect(shown?["space"] == nil && shown?["gradients"]?.stringValue == name)
    }

    @Test("another curvature than the empirical Fisher is refused, with what would work", arguments: ["hessian", "gauss_newton"])
    func curvatures(name: String) throws {
        try bench.build(Self.name)
        let refusal = try refusal(Self.request([Self.gradient()], ["curvature": .string(name)]))
        #expect(refusal.status == .unprocessableContent && refusal.errors[0].pointer == "/curvature")
        for part in ["empirical_fisher", Self.name, name, "681"] { #expect(refusal.detail.contains(part), "\(refusal.detail)") }
        #expect(try answer(Self.request([Self.gradient()], ["curvature": "empirical_fisher"])).curvature == .empiricalFisher)
    }

    @Test("a gradient of a wrong length is told the right ones, and where they come from")
    func lengths() throws {
        try bench.build(Self.name)
        try bench.build("dense-int8")
        func refused(_ count: Int, _ gradients: JSON) throws -> String {
            let request = try Self.request([Self.gradient(), Self.gradient(count)], ["gradients": gradients])
            let refusal = try refusal(request)
            #expect(refusal.errors[0].pointer == (gradients == .string(Self.name) ? "/tests/1/gradient" : "/tests/0/gradient"))
            return refusal.detail
        }
        let named = try refused(63, .string(Self.name))
        #expect(named.contains("has 63") && named.contains("681") && named.contains("64, as many as the rows"), "\(named)")
        for gradients in [JSON.null, "exact", "dense-int8"] {
            let unnamed = try refused(681, gradients)
            #expect(unnamed.contains("has 64") && unnamed.contains("681"), "\(unnamed)")
            #expect(unnamed.contains("64, with \"gradients\": \"\(Self.name)\"") && !unnamed.contains("dense"), "\(unnamed)")
        }
    }
}
