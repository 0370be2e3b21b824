import Foundation
import HTTPTypes
import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

/// One query under several methods.
@Suite("Comparing methods")
struct ComparisonMethodTests {
    private static let cache = "projected-normal-8-seed5-float32"
    /// What single requests of a method take of the members below.
    private static let taken: [String: [String]] = [
        "influence": ["solver", "measurement", "damping"], "relatif": ["solver", "relatif_method", "measurement", "damping"],
        "tracin_cp": ["contributions", "measurement"], "representer_point": ["l2"], "gradient_dot": ["measurement"],
        "gradient_cosine": ["measurement"],
    ]
    private static let members: JSONObject = [
        "solver": ["name": "exact"], "relatif_method": "l", "contributions": true, "l2": 0.3, "measurement": "logit",
        "damping": 0.01,
    ]

    private let bench: MethodBench

    init() throws { bench = try MethodBench([.net]) }

    @Test("each method's block has the bytes of its single answer, whatever else is compared", arguments: [true, false])
    func single(isWhole: Bool) throws {
        let names = Self.taken.keys.sorted()
        let common: JSONObject = [
            "k": 3, "include": isWhole ? ["all_scores", "metadata"] : ["metadata"],
            "groups": [["name": "g", "indices": [1, 2, 2]]],
            "tests": [
                ["dataset": "classes-test", "index": 4, "target": 2, "versus": 0], ["dataset": "classes-test", "index": 1],
            ],
        ]
        // A test's contrast is nothing to methods that measure nothing.
        let plain = common.merging([
            "tests": [["dataset": "classes-test", "index": 4], ["dataset": "classes-test", "index": 1]]
        ])
        let contrasting = names.filter { $0 != "representer_point" }
        for (compared, shared) in [(names, plain), (contrasting, common), (["gradient_dot", "influence"], plain)] {
            let used = Self.members.filter { member in compared.contains { Self.taken[$0]?.contains(member.key) == true } }
            let body = MethodBench.body(.net, JSONObject(used.map { ($0.key, $0.value) }).merging(shared))
            let answer = try bench.posted(body.merging(["compare": .array(compared.map { .string($0) })]))
            for (place, name) in compared.enumerated() {
                let own = Self.members.filter { Self.taken[name]?.contains($0.key) == true }
                let alone = try bench.posted(
                    MethodBench.body(
                        .net, JSONObject(own.map { ($0.key, $0.value) }).merging(shared).merging(["method": .string(name)])))
                for (test, result) in answer.shownResults.enumerated() {
                    var block = try #require(result["methods"]?[place]?.objectValue)
                    #expect(block["method"]?.stringValue == name && block["orientation"] == alone["orientation"])
                    (block["method"], block["orientation"]) = (nil, nil)
                    var expected = try #require(alone.shownResults[test].objectValue)
                    #expect(expected["test"]?.text == result["test"]?.text || name == "representer_point")
                    expected["test"] = nil
                    #expect(JSON.object(block).text == JSON.object(expected).text, "\(name)")
                }
            }
        }
    }

    /// Kendall's τ-b and Spearman's ρ by definition, all pairs one by one.
    private static func correlations(_ a: [Float], _ b: [Float]) -> (kendall: Double, spearman: Double) {
        var (sum, untiedA, untiedB) = (0.0, 0.0, 0.0)
        func sign(_ x: Float) -> Double { x > 0 ? 1 : x < 0 ? -1 : 0 }
        for i in a.indices {
            for j in a.indices where j < i {
                let (p, q) = (sign(a[i] - a[j]), sign(b[i] - b[j]))
                sum += p * q
                untiedA += p * p
                untiedB += q * q
            }
        }
        func ranks(_ x: [Float]) -> [Double] {
            x.map { value in Double(x.count { $0 < value }) + Double(x.count { $0 == value } + 1) / 2 }
        }
        return (sum / (untiedA * untiedB).squareRoot(), Closeness.pearson(ranks(a), ranks(b)))
    }

    @Test("agreement is that of all pairs of scores, and of the ends that are listed", arguments: [1, 3, 40])
    func agreement(k: Int) throws {
        let names = ["influence", "gradient_dot", "gradient_cosine", "tracin_cp", "representer_point"]
        for candidates: JSON in [.null, ["indices": [0, 36, 5, 9, 12, 33, 37, 1]]] {
            let answer = try bench.posted(
                MethodBench.body(
                    .net,
                    [
                        "compare": .array(names.map { .string($0) }), "k": .integer(k), "solver": ["name": "exact"],
                        "candidates": candidates,
                    ]))
            for result in answer.shownResults {
                let blocks = try #require(result["methods"]?.arrayValue)
                let scores = blocks.map { $0["all_scores"]?.tensor ?? [] }
                let pairs = names.indices.flatMap { a in (a + 1..<names.count).map { (a, $0) } }
                let agreements = try #require(result["agreement"]?.arrayValue)
                #expect(agreements.count == pairs.count)
                for ((a, b), agreement) in zip(pairs, agreements) {
                    #expect(agreement["methods"]?.arrayValue?.compactMap(\.stringValue) == [names[a], names[b]])
                    let (kendall, spearman) = Self.correlations(scores[a], scores[b])
                    #expect(abs(try #require(agreement["kendall_tau"]?.doubleValue) - kendall) < 1e-9)
                    #expect(abs(try #require(agreement["spearman"]?.doubleValue) - spearman) < 1e-9)
                    for end in ["proponents", "opponents"] {
                        func listed(_ block: JSON) -> Set<Int> {
                            Set((block[end]?.arrayValue ?? []).compactMap { $0["index"]?.integerValue })
                        }
                        let (one, other) = (listed(blocks[a]), listed(blocks[b]))
                        guard !one.isEmpty || !other.isEmpty else {
                            #expect(agreement["\(end)_shared"] == nil)
                            continue
                        }
                        let shared = one.intersection(other).count
                        #expect(agreement["\(end)_shared"]?.integerValue == shared)
                        let fraction = Double(shared) / Double(max(one.count, other.count))
                        #expect(abs(try #require(agreement["\(end)_overlap"]?.doubleValue) - fraction) < 1e-12)
                    }
                }
            }
        }
    }

    @Test("aggregates are compared as one, and s_test is for those that solve")
    func aggregate() throws {
        let answer = try bench.posted(
            MethodBench.body(
                .net,
                [
                    "compare": ["influence", "gradient_dot"], "aggregate": "mean", "include": ["s_test"],
                    "solver": ["name": "exact"],
                ]))
        #expect(answer.shownResults.count == 1)
        let blocks = try #require(answer.shownResults[0]["methods"]?.arrayValue)
        #expect(blocks[0]["s_test"] != nil && blocks[1]["s_test"] == nil && blocks[0]["all_scores"] == nil)
    }

    @Test("trak is compared by the cache that the others are scored by too")
    func trak() throws {
        try bench.build(Self.cache, .net, "c")
        let names: JSON = ["trak", "gradient_dot"]
        let answer = try bench.posted(MethodBench.body(.net, ["compare": names, "gradients": .string(Self.cache)]))
        for result in answer.shownResults {
            let blocks = try #require(result["methods"]?.arrayValue)
            #expect(blocks.allSatisfy { $0["diagnostics"]?["gradients"]?.stringValue == Self.cache })
        }
    }

    @Test("what names no two methods, or a method twice, is refused, and so are members that no method takes")
    func refusals() throws {
        func refused(_ members: JSONObject, _ pointer: String, _ words: String...) throws {
            let problem = try #require(bench.refusal(MethodBench.body(.net, members)), "\(members)")
            #expect(problem.status == .unprocessableContent && problem.errors.map(\.pointer) == [pointer], "\(problem)")
            for word in words { #expect(problem.detail.contains(word), "\(problem.detail)") }
        }
        try refused(["compare": ["influence", "influence"]], "/compare", "twice")
        try refused(["compare": ["influence"]], "/compare", "2")
        try refused(["compare": []], "/compare")
        try refused(["compare": ["influence", "guess"]], "/compare/1", "gradient_dot")
        try refused(["compare": ["influence", "gradient_dot"], "method": "influence"], "/method", "compare")
        try refused(["compare": ["tracin_cp", "gradient_dot"], "solver": ["name": "cg"]], "/solver", "influence")
        try refused(["compare": ["tracin_cp", "gradient_dot"], "relatif_method": "l"], "/relatif_method", "relatif")
        try refused(["compare": ["gradient_cosine", "gradient_dot"], "checkpoints": "all"], "/checkpoints", "tracin_cp", "trak")
        try refused(["compare": ["gradient_cosine", "gradient_dot"], "include": ["s_test"]], "/include", "influence")
    }
}
