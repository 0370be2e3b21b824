import Foundation
import HTTPTypes
import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

/// What is asked about of a test: its loss, or a logit, margin or probability, or one label against another.
@Suite("Measurements and contrasts")
struct MeasurementMethodTests {
    /// A measurement with its slope by the outputs, by definition.
    private static func measured(
        _ name: String, _ network: PlainNetwork, _ x: [Double], _ y: Double
    ) -> (value: Double, gradient: [Double]) {
        let f = network.outputs(x)
        if name == "loss" { return (network.value(f, y), network.gradient(x, y)) }
        guard case .crossEntropy = network.loss else {
            let side: Double = y == 0 ? -1 : y
            let p = PlainNetwork.sigmoid(side * f[0])
            return name == "probability"
                ? (p, network.pullback(x, [side * p * (1 - p)])) : (side * f[0], network.pullback(x, [side]))
        }
        let (p, label) = (PlainNetwork.softmax(f), Int(y))
        switch name {
        case "logit": return (f[label], network.pullback(x, p.indices.map { $0 == label ? 1 : 0 }))
        case "margin":
            return (
                log(p[label] / (1 - p[label])),
                network.pullback(x, p.indices.map { $0 == label ? 1 : -p[$0] / (1 - p[label]) })
            )
        default:
            return (p[label], network.pullback(x, p.indices.map { p[label] * (($0 == label ? 1 : 0) - p[$0]) }))
        }
    }

    /// The direction that scores are products with, before anything is solved: the loss's gradient, or minus that of what is to rise.
    private static func direction(
        _ name: String, _ network: PlainNetwork, _ x: [Double], _ y: Double, versus: Double?
    ) -> (value: Double, direction: [Double]) {
        var (value, gradient) = measured(name, network, x, y)
        if let versus {
            let other = measured(name, network, x, versus)
            value -= other.value
            gradient = zip(gradient, other.gradient).map { $0 - $1 }
        }
        return (value, name == "loss" ? gradient : gradient.map { -$0 })
    }

    private static func names(_ kind: MethodBench.Kind) -> [String] {
        kind == .hinge ? ["loss", "logit", "margin"] : ["loss", "logit", "margin", "probability"]
    }

    @Test(
        "scores are products with the gradient of what is asked about, in all methods that take it",
        arguments: [MethodBench.Kind.soft, .net, .smoothed, .logistic, .hinge], [false, true])
    func reference(kind: MethodBench.Kind, isContrast: Bool) throws {
        let bench = try MethodBench([kind])
        let model = try #require(bench.models[kind])
        let (network, data) = (model.network, model.data)
        let curvature = network.gaussNewton(data, lambda: MethodBench.decay)
        let everywhere = model.checkpoints.map { data.gradients($0) }
        let gradients = data.gradients(network)
        for name in Self.names(kind) {
            let tests = (0..<3).map { row -> (x: [Double], y: Double, versus: Double?) in
                let y = model.tests.targets[row]
                let other: Double = kind == .hinge ? -y : kind == .logistic ? 1 - y : Double((Int(y) + 1) % 3)
                return (model.tests.inputs[row], y, isContrast ? other : nil)
            }
            let asked = JSON.array(
                tests.map { test in
                    var members: JSONObject = ["input": .numbers(test.x), "target": .double(test.y)]
                    if let versus = test.versus { members["versus"] = .double(versus) }
                    return .object(members)
                })
            func answer(_ members: JSONObject) throws -> JSON {
                try bench.posted(
                    MethodBench.body(
                        kind, members.merging(["measurement": .string(name), "tests": asked, "include": ["all_scores"]])))
            }
            let influence = try answer(["solver": ["name": "exact"], "curvature": "gauss_newton"])
            let products = try answer(["method": "gradient_dot"])
            let cosines = try answer(["method": "gradient_cosine"])
            let traces = try answer(["method": "tracin_cp"])
            for (test, (x, y, versus)) in tests.enumerated() {
                let (value, direction) = Self.direction(name, network, x, y, versus: versus)
                let what = "\(name), test \(test)"
                func near(_ answer: JSON, _ expected: [Double], _ tolerance: Double = 2e-4) {
                    let scores = answer.shownResults[test]["all_scores"]?.tensor ?? []
                    #expect(Closeness.largestError(scores, expected) < tolerance, "\(what)")
                }
                let solved = curvature.solved(for: direction)
                near(influence, gradients.map { $0.dot(solved) }, 1e-3)
                near(products, gradients.map { $0.dot(direction) })
                near(cosines, gradients.map { $0.dot(direction) / $0.norm / direction.norm })
                let steps = zip(model.checkpoints, MethodBench.rates).map {
                    ($1, Self.direction(name, $0, x, y, versus: versus).direction)
                }
                near(
                    traces,
                    data.inputs.indices.map { i in
                        zip(steps, everywhere).reduce(0) { $0 + $1.0.0 * $1.1[i].dot($1.0.1) }
                    })
                let shown = try #require(influence.shownResults[test]["test"])
                #expect(abs(try #require(shown["loss"]?.doubleValue) - network.value(network.outputs(x), y)) < 1e-4)
                if name == "loss", versus == nil {
                    #expect(shown["measured"] == nil)
                } else {
                    #expect(abs(try #require(shown["measured"]?.doubleValue) - value) < 1e-4 * (1 + abs(value)), "\(what)")
                }
                #expect(shown["versus"]?.doubleValue == versus)
                let isPlain = name == "loss" && versus == nil
                let change = isPlain ? "predicted_loss_change_if_removed" : "predicted_measurement_change_if_removed"
                for example in influence.shownResults[test]["proponents"]?.arrayValue ?? [] {
                    let score = try #require(example["score"]?.doubleValue)
                    let predicted = try #require(example[change]?.doubleValue)
                    #expect(abs(predicted * Double(data.count) - (name == "loss" ? score : -score)) < 1e-6 * score, "\(what)")
                }
            }
            let orientation = try #require(influence["orientation"]?.stringValue)
            #expect(orientation.contains(name) && orientation.contains("versus") == isContrast, "\(orientation)")
            #expect(orientation.contains(name == "loss" ? "lowered" : "raised"))
        }
    }

    @Test("removing an example and training anew changes what is asked about as predicted, in sign and in proportion")
    func retraining() throws {
        let bench = try MethodBench([.soft])
        let model = try #require(bench.models[.soft])
        let trained = model.data.trained(model.network, lambda: MethodBench.decay, of: model.data.count)
        try bench.add(trained.theta.map { Float($0) }, "trained", to: .soft, rate: nil)
        let (x, y) = (model.tests.inputs[0], model.tests.targets[0])
        var retrained: [Int: PlainNetwork] = [:]
        for name in ["loss", "logit", "margin", "probability"] {
            for versus in [nil, Double((Int(y) + 2) % 3)] {
                var test: JSONObject = ["input": .numbers(x), "target": .double(y)]
                if let versus { test["versus"] = .double(versus) }
                let answer = try bench.posted(
                    MethodBench.body(
                        .soft,
                        [
                            "solver": ["name": "exact"], "measurement": .string(name), "tests": [.object(test)], "k": 2,
                            "checkpoint": "trained",
                        ]))
                let result = answer.shownResults[0]
                let before = Self.direction(name, trained, x, y, versus: versus).value
                let key = name == "loss" && versus == nil ? "loss" : "measurement"
                var (all, changes): ([Double], [Double]) = ([], [])
                for example in ["proponents", "opponents"].flatMap({ result[$0]?.arrayValue ?? [] }) {
                    let index = try #require(example["index"]?.integerValue)
                    let predicted = try #require(example["predicted_\(key)_change_if_removed"]?.doubleValue)
                    let without =
                        retrained[index]
                        ?? model.data.without([index]).trained(trained, lambda: MethodBench.decay, of: model.data.count)
                    retrained[index] = without
                    let change = Self.direction(name, without, x, y, versus: versus).value - before
                    #expect(change * predicted > 0, "\(name), \(index): \(predicted), \(change)")
                    all.append(predicted)
                    changes.append(change)
                }
                // One of forty is not little: sizes are nearly in proportion.
                #expect(all.count == 4 && Closeness.pearson(all, changes) > 0.97, "\(name): \(all) \(changes)")
            }
        }
    }

    @Test("what can't be measured or contrasted is refused where it stands, and what can is named")
    func refusals() throws {
        let bench = try MethodBench([.soft, .logistic, .hinge, .squared])
        func refused(
            _ kind: MethodBench.Kind, _ members: JSONObject, test: JSONObject = [:], _ pointer: String, _ words: String...
        ) throws {
            let input: JSONObject = ["input": [1, 2, 3, 4], "target": kind == .squared ? 0.5 : 1]
            for method: JSON in ["influence", "gradient_dot", "gradient_cosine", "tracin_cp", "relatif"] {
                let body = MethodBench.body(kind, members.merging(["method": method, "tests": [.object(input.merging(test))]]))
                let problem = try #require(bench.refusal(body), "\(kind) \(members) \(test)")
                #expect(problem.status == .unprocessableContent && problem.errors.map(\.pointer) == [pointer], "\(problem)")
                for word in words { #expect(problem.detail.contains(word), "\(problem.detail)") }
            }
        }
        for name in ["logit", "margin", "probability"] {
            try refused(.squared, ["measurement": .string(name)], "/measurement", "mean_squared_error", "loss")
        }
        try refused(.hinge, ["measurement": "probability"], "/measurement", "loss, logit or margin")
        try refused(.soft, ["measurement": "entropy"], "/measurement", "loss", "logit", "margin", "probability")
        try refused(.soft, [:], test: ["versus": 1], "/tests/0/versus", "another label")
        try refused(.soft, [:], test: ["versus": 3], "/tests/0/versus", "2")
        try refused(.soft, [:], test: ["versus": 0.5], "/tests/0/versus")
        try refused(.logistic, ["measurement": "logit"], test: ["versus": 2], "/tests/0/versus", "0")
        try refused(.logistic, ["measurement": "margin"], test: ["target": 0.5], "/tests/0/target", "0 or 1")
        try refused(.hinge, [:], test: ["versus": 1], "/tests/0/versus", "another label")
        try refused(.soft, ["measurement": "logit"], test: ["target": 7], "/tests/0/target")
    }
}
