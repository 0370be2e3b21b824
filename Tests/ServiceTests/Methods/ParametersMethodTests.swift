import Foundation
import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

/// What removals are predicted to do to θ, against (C + λI)⁻¹g computed plainly.
@Suite("Influence on the parameters")
struct ParametersMethodTests {
    private static func asked(
        _ bench: MethodBench, _ kind: MethodBench.Kind, _ members: JSONObject, threads: Int = 2
    ) throws -> JSON {
        let body: JSONObject = ["model": .string(kind.rawValue), "solver": ["name": "exact"], "include": ["influence"]]
        let request = try ParametersRequest(.object(body.merging(members)), limits: Question.limits)
        return try bench.engine(threads: threads).parameters(request, interruption: .never).json(id: "a")
    }

    private static func refusal(_ bench: MethodBench, _ members: JSONObject) -> Problem? {
        do {
            _ = try asked(bench, .soft, members)
            return nil
        } catch { return Problem(describing: error) }
    }

    @Test(
        "it is −(C + λI)⁻¹ of each gradient, and of a group's sum",
        arguments: [MethodBench.Kind.soft, .net, .logistic, .hinge, .squared], [false, true])
    func reference(kind: MethodBench.Kind, weighted: Bool) throws {
        let bench = try MethodBench([kind], weighted: weighted)
        let model = try #require(bench.models[kind])
        let (network, data) = (model.network, model.data)
        let gradients = data.gradients(network)
        for curvature in ["gauss_newton", "empirical_fisher"] {
            let lambda = MethodBench.decay + 0.1
            let matrix =
                curvature == "gauss_newton"
                ? network.gaussNewton(data, lambda: lambda) : network.empiricalFisher(data, lambda: lambda)
            let groups = [[2, 3], [7, 7, 30], Array(0..<40)]
            let answer = try Self.asked(
                bench, kind,
                [
                    "examples": [0, 4, 39], "curvature": .string(curvature), "damping": 0.1, "k": 4,
                    "groups": .array(
                        groups.enumerated().map { ["name": .string("g\($0)"), "indices": .array($1.map { .integer($0) })] }),
                ])
            let removals = [[0], [4], [39]] + groups
            #expect(answer["n_train"] == 40 && answer.shownResults.count == removals.count)
            for (removed, result) in zip(removals, answer.shownResults) {
                var sum = [Double](repeating: 0, count: network.theta.count)
                for i in removed { for (j, g) in gradients[i].enumerated() { sum[j] += g } }
                let step = matrix.solved(for: sum)
                let size = step.norm
                let influence = try #require(result["influence"]?.tensor)
                #expect(Closeness.relativeDistance(influence, step.map { -$0 }) < 1e-3, "\(curvature), \(removed)")
                func near(_ key: String, _ expected: Double) throws {
                    let value = try #require(result[key]?.doubleValue)
                    #expect(abs(value - expected) < 1e-3 * expected + 1e-9, "\(key), \(removed)")
                }
                try near("influence_norm", size)
                try near("change_norm_if_removed", size / 40)
                try near("relative_change_if_removed", size / 40 / network.theta.norm)
                try Self.check(result, network, step, kind)
                #expect(result["diagnostics"]?["lambda_effective"]?.doubleValue == lambda)
                #expect(result["diagnostics"]?["curvature"]?.stringValue == curvature)
            }
            #expect(answer.shownResults[1]["removed"]?["index"] == 4)
            #expect(answer.shownResults[4]["removed"] == ["name": "g1", "size": 3])
        }
    }

    /// Tensors with their largest entries.
    private static func check(_ result: JSON, _ network: PlainNetwork, _ step: [Double], _ kind: MethodBench.Kind) throws {
        let tensors = try #require(result["tensors"]?.arrayValue)
        var next = 0
        #expect(tensors.count == 2 * (network.widths.count - 1))
        for (place, tensor) in tensors.enumerated() {
            let (inputs, outputs) = (network.widths[place / 2], network.widths[place / 2 + 1])
            let shape = place % 2 == 0 ? [outputs, inputs] : [outputs]
            // Between layers stands a tanh.
            #expect(tensor["name"]?.stringValue == "\(place / 2 * 2).\(place % 2 == 0 ? "weight" : "bias")")
            #expect(tensor["shape"]?.numbersValue == shape.map(Double.init))
            let part = Array(step[next..<next + shape.reduce(1, *)])
            #expect(abs(try #require(tensor["change_norm_if_removed"]?.doubleValue) - part.norm / 40) <= 1e-3 * step.norm / 40)
            let largest = try #require(tensor["largest"]?.arrayValue)
            #expect(largest.count <= 4 && (part.norm == 0 || !largest.isEmpty))
            var before = Double.infinity
            for entry in largest {
                let index = try #require(entry["index"]?.numbersValue).map { Int($0) }
                let flat = shape.count == 2 ? index[0] * inputs + index[1] : index[0]
                let change = try #require(entry["change_if_removed"]?.doubleValue)
                #expect(abs(change - part[flat] / 40) <= 1e-3 * step.norm / 40)
                #expect(entry["parameter"]?.doubleValue == network.theta[next + flat])
                #expect(abs(change) <= before)
                before = abs(change)
            }
            if let least = largest.last?["change_if_removed"]?.doubleValue {
                #expect(part.count { abs($0) / 40 > abs(least) + 1e-3 * step.norm / 40 } < largest.count)
            }
            next += part.count
        }
    }

    @Test("training anew without an example or a few moves θ as predicted")
    func retraining() throws {
        let bench = try MethodBench([.soft])
        let model = try #require(bench.models[.soft])
        let trained = model.data.trained(model.network, lambda: MethodBench.decay, of: model.data.count)
        try bench.add(trained.theta.map { Float($0) }, "trained", to: .soft, rate: nil)
        let removals = [[1], [12], [25], [6, 20, 31]]
        let answer = try Self.asked(
            bench, .soft,
            ["checkpoint": "trained", "examples": [1, 12, 25], "groups": [["name": "few", "indices": [6, 20, 31]]]])
        for (removed, result) in zip(removals, answer.shownResults) {
            let without = model.data.without(Set(removed)).trained(trained, lambda: MethodBench.decay, of: model.data.count)
            let change = zip(without.theta, trained.theta).map { $0 - $1 }
            let predicted = try #require(result["influence"]?.tensor).map { -Double($0) / 40 }
            #expect(Closeness.cosine(predicted, change) > 0.97, "\(removed)")
            // One of forty is not little, and three are less so.
            #expect(abs(predicted.norm / change.norm - 1) < 0.5, "\(removed): \(predicted.norm) \(change.norm)")
        }
    }

    @Test("bits are the same alone, beside others and on any number of threads")
    func companions() throws {
        let bench = try MethodBench([.net])
        for solver: JSON in [
            ["name": "exact"], ["name": "cg"], ["name": "lissa", "recursion_depth": 30, "num_repeat": 2, "scale": 40],
        ] {
            func results(_ members: JSONObject, _ threads: Int) throws -> [String] {
                try Self.asked(bench, .net, members.merging(["solver": solver]), threads: threads).shownResults.map(\.text)
            }
            let group: JSON = [["name": "g", "indices": [3, 9, 14]]]
            let first = try results(["examples": [2]], 1) + results(["examples": [30]], 1) + results(["groups": group], 1)
            for threads in 1...3 {
                #expect(try results(["examples": [2, 30], "groups": group], threads) == first, "\(solver) \(threads)")
            }
        }
    }

    @Test("what is wrong is refused where it stands")
    func refusals() throws {
        let bench = try MethodBench([.soft])
        let cases: [(JSONObject, String, String)] = [
            ([:], "", "examples, groups"), (["examples": []], "/examples", "1"), (["examples": [40]], "/examples/0", "0 to 39"),
            (["examples": [1, 99]], "/examples/1", "0 to 39"), (["examples": [-1]], "/examples/0", "0"),
            (["groups": [["name": "g", "indices": [1, 40]]]], "/groups/0/indices/1", "0 to 39"),
            (["groups": [["name": "g", "indices": []]]], "/groups/0/indices", "1"),
            (["groups": [["name": "g", "indices": [1]], ["name": "g", "indices": [2]]]], "/groups", "twice"),
            (["examples": [1], "measurement": "logit"], "/measurement", "known"),
            (["examples": [1], "tests": []], "/tests", "known"),
            (["examples": [1], "solver": ["name": "guess"]], "/solver/name", "exact"), (["examples": [1], "k": 0], "/k", "1"),
            (["examples": [1], "include": ["all_scores"]], "/include/0", "influence"),
            (["examples": [1], "damping": -1], "/damping", "0"),
            (["examples": [1], "curvature": "fisher"], "/curvature", "hessian"),
            (["examples": [1], "checkpoint": "z"], "/checkpoint", "a, b, c"),
            (["examples": [1], "model": "z"], "/model", "soft"),
        ]
        for (members, pointer, word) in cases {
            let problem = try #require(Self.refusal(bench, members), "\(members)")
            #expect(
                problem.errors.contains { $0.pointer == pointer && $0.detail.contains(word) }, "\(members): \(problem.errors)")
        }
    }
}
