import Foundation
import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

/// What all methods have in common: lists, ties, groups, candidates, aggregates.
@Suite("Lists, groups, candidates and aggregates of every method")
struct MethodSelectionTests {
    private func posted(_ bench: MethodBench, _ method: MethodCase, _ members: JSONObject = [:]) throws -> JSON {
        try bench.posted(MethodBench.body(.net, method.members.merging(members)))
    }

    private static func listed(_ result: JSON, _ end: String) -> [(index: Int, score: Double)] {
        (result[end]?.arrayValue ?? []).map { ($0["index"]?.integerValue ?? -1, $0["score"]?.doubleValue ?? .nan) }
    }

    @Test(
        "lists are the strongest of all scores of their sign, ties by lower index, none of zero", arguments: MethodCase.all,
        [false, true])
    func lists(method: MethodCase, weighted: Bool) throws {
        let bench = try MethodCase.sharedBench(weighted: weighted)
        for k in [1, 5, 100] {
            let answer = try posted(bench, method, ["k": .integer(k)])
            for result in answer.shownResults {
                let scores = try #require(result["all_scores"]?.tensor)
                #expect(scores.count == MethodBench.count && result["all_scores_indices"] == nil)
                for (end, sign) in [("proponents", Float(1)), ("opponents", -1)] {
                    let expected = scores.indices.filter { scores[$0] * sign > 0 }
                        .sorted { (-scores[$0] * sign, $0) < (-scores[$1] * sign, $1) }.prefix(k)
                    let listed = Self.listed(result, end)
                    #expect(listed.map(\.index) == Array(expected), "k \(k), \(end)")
                    #expect(listed.map { Float($0.score) } == expected.map { scores[$0] })
                }
                // What is there twice scores twice the same.
                if !weighted {
                    for row in 0..<MethodBench.copies {
                        #expect(scores[row] == scores[MethodBench.count - MethodBench.copies + row], "row \(row)")
                    }
                }
            }
        }
    }

    @Test("candidates score as they do among all, to the last bit, and groups are their members' sum", arguments: MethodCase.all)
    func candidates(method: MethodCase) throws {
        let bench = try MethodCase.sharedBench()
        let groups: JSON = [
            ["name": "two", "indices": [3, 17]], ["name": "double", "indices": [5, 5, 39]], ["name": "one", "indices": [8]],
        ]
        let members = [[3, 17], [5, 5, 39], [8]]
        let all = try posted(bench, method, ["groups": groups])
        let indices = [39, 3, 0, 17, 3, 38, 21]
        let some = try posted(
            bench, method, ["groups": groups, "candidates": ["indices": .array(indices.map { .integer($0) })], "k": 2])
        for (test, result) in all.shownResults.enumerated() {
            let scores = try #require(result["all_scores"]?.tensor)
            let largest = scores.map { abs(Double($0)) }.max() ?? 0
            for answer in [all, some] {
                for (place, group) in (answer.shownResults[test]["groups"]?.arrayValue ?? []).enumerated() {
                    let sum = members[place].reduce(0) { $0 + Double(scores[$1]) }
                    #expect(abs(try #require(group["score"]?.doubleValue) - sum) < 1e-5 * largest)
                    #expect(group["size"]?.integerValue == members[place].count)
                }
                #expect(answer.shownResults[test]["groups"]?.arrayValue?.count == 3)
            }
            let part = some.shownResults[test]
            let chosen = Set(indices).sorted()
            #expect(part["all_scores_indices"]?.numbersValue == chosen.map(Double.init))
            #expect(part["n_candidates"]?.integerValue == chosen.count)
            #expect(part["all_scores"]?.tensor == chosen.map { scores[$0] })
            let expected = chosen.filter { scores[$0] > 0 }.sorted { (-scores[$0], $0) < (-scores[$1], $1) }.prefix(2)
            #expect(Self.listed(part, "proponents").map(\.index) == Array(expected))
        }
    }

    @Test("the sum and the mean over tests are those of scores where a method is linear in the test", arguments: MethodCase.all)
    func aggregates(method: MethodCase) throws {
        let bench = try MethodCase.sharedBench()
        let singles = try posted(bench, method).shownResults.map { $0["all_scores"]?.tensor ?? [] }
        let plain = singles[0].indices.map { i in singles.reduce(0.0) { $0 + Double($1[i]) } }
        for (name, factor) in [("sum", 1.0), ("mean", 1 / 3.0)] {
            let answer = try posted(bench, method, ["aggregate": .string(name)])
            #expect(answer.shownResults.count == 1)
            let scores = try #require(answer.shownResults[0]["all_scores"]?.tensor)
            if method.isLinear {
                // LiSSA's steps are the same for all right-hand sides.
                #expect(Closeness.largestError(scores, plain.map { $0 * factor }) < 1e-4, "\(name)")
            } else {
                // A cosine is with the gradient of the tests as one: the same for their sum and their mean.
                let other = try posted(bench, method, ["aggregate": name == "sum" ? "mean" : "sum"])
                #expect(Closeness.largestError(scores, other.shownResults[0]["all_scores"]?.tensor ?? []) < 1e-5)
                #expect(scores.allSatisfy { abs($0) < 1 + 1e-4 })
            }
        }
        // One test as one is that test.
        let one: JSON = [["dataset": "classes-test", "index": 1]]
        let alone = try posted(bench, method, ["aggregate": "mean", "tests": one])
        #expect(Closeness.largestError(alone.shownResults[0]["all_scores"]?.tensor ?? [], singles[1]) < 1e-5)
    }

    @Test("of the sum of gradients the cosine is that of plainly computed ones")
    func cosineOfSum() throws {
        let bench = try MethodBench([.net])
        let model = try #require(bench.models[.net])
        let scores = try bench.scores(.net, ["method": "gradient_cosine", "aggregate": "sum"])[0]
        var sum = [Double](repeating: 0, count: model.network.theta.count)
        for test in 0..<3 { for (i, g) in model.tests.gradient(test, model.network).enumerated() { sum[i] += g } }
        let expected = model.data.gradients(model.network).map { $0.dot(sum) / $0.norm / sum.norm }
        #expect(Closeness.largestError(scores, expected) < 1e-5)
    }
}
