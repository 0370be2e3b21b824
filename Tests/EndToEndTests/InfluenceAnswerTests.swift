import Foundation
import JSON
import TestSupport
import Testing

/// What `POST /influence` says of the demo's digits, field by field.
@Suite("An answer about influence")
struct InfluenceAnswerTests {
    private let server: InfluencedServer

    init() throws { server = try Demo.server() }

    @Test("the shortest request has a default for everything")
    func defaults() throws {
        let answer = try server.influence(["model": "digits", "tests": [["dataset": "digits-test", "index": 3]]])
        #expect(answer["model"] == "digits")
        #expect(answer["checkpoint"] == "final")
        #expect(answer["method"] == "influence")
        #expect(answer["n_train"] == 1_397)
        #expect(
            answer["orientation"]
                == "score > 0: proponent (including it lowered the test loss); score < 0: opponent")
        let diagnostics = try answer.result.member("diagnostics")
        #expect(diagnostics["solver"] == "lissa")
        #expect(diagnostics["curvature"] == "hessian")
        #expect(diagnostics["seed"] == 0)
        #expect(try diagnostics.number("lambda_effective") == 0.01)
        #expect(diagnostics["converged"] == true)
        #expect(try answer.result.list("proponents").count == 10)
        #expect(try answer.result.list("opponents").count == 10)
    }

    @Test("the test says what it is, what the model says of it, and where its target is from")
    func testMembers() throws {
        let test = try server.influence(Demo.question(3)).result.member("test")
        #expect(test["dataset"] == "digits-test")
        #expect(test["index"] == 3)
        #expect(test["target_source"] == "dataset")
        let example = try server.get("/datasets/digits-test/examples/3").json
        #expect(try test.integer("target") == example.integer("target"))
        let prediction = try test.member("prediction")
        let probabilities = try #require(prediction["probabilities"]?.numbersValue)
        #expect(probabilities.count == 10)
        #expect(abs(probabilities.reduce(0, +) - 1) < 1e-5)
        let label = try prediction.integer("label")
        #expect(probabilities[label] == probabilities.max())
        #expect(try abs(test.number("loss") + log(probabilities[test.integer("target")])) < 1e-5)
    }

    @Test("proponents have positive scores, opponents negative ones, each the strongest first", arguments: [0, 3, 17, 399])
    func order(index: Int) throws {
        let result = try server.influence(Demo.question(index, ["k": 50])).result
        let proponents = try result.list("proponents").map { try $0.number("score") }
        let opponents = try result.list("opponents").map { try $0.number("score") }
        #expect(proponents.count == 50 && opponents.count == 50)
        #expect(proponents.allSatisfy { $0 > 0 } && proponents == proponents.sorted(by: >))
        #expect(opponents.allSatisfy { $0 < 0 } && opponents == opponents.sorted())
    }

    @Test("a listed example says who it is, and by how much the loss is predicted to change without it")
    func listedExamples() throws {
        let listed = try server.influence(Demo.question(3, ["k": 5])).result.listed
        #expect(listed.count == 10)
        for example in listed {
            let stored = try server.get("/datasets/digits-train/examples/\(try example.integer("index"))").json
            #expect(example["id"] == stored["id"])
            #expect(example["target"] == stored["target"])
            #expect(example["metadata"] == stored["metadata"])
            #expect(example["input"] == nil)
            let (score, change) = (try example.number("score"), try example.number("predicted_loss_change_if_removed"))
            #expect(abs(change - score / 1_397) < 1e-6 * abs(change))
        }
    }

    @Test("LiSSA says with which settings it ran, and how far off it is")
    func lissaDiagnostics() throws {
        let settings: JSON = ["name": "lissa", "recursion_depth": 40, "num_repeat": 3, "batch_size": 16, "scale": 4, "seed": 7]
        let result = try server.influence(Demo.question(3, ["solver": settings])).result
        let diagnostics = try result.member("diagnostics")
        for key in ["recursion_depth", "num_repeat", "batch_size", "scale", "seed"] {
            #expect(diagnostics[key] == settings[key], "\(key)")
        }
        // Forty steps of this length do not go all the way, and the answer must not claim that they do.
        #expect(diagnostics["converged"] == false)
        #expect(try diagnostics.number("residual") > 0.05)
        #expect(diagnostics["rank_stable"]?.boolValue != nil)
        for example in try result.listed { #expect(try example.number("standard_error") > 0) }
    }

    @Test("an exact answer has next to no residual, is stable, and has no standard errors")
    func exactDiagnostics() throws {
        let result = try server.influence(Demo.question(3)).result
        let diagnostics = try result.member("diagnostics")
        #expect(diagnostics["solver"] == "exact")
        #expect(try diagnostics.number("residual") < 1e-4)
        #expect(diagnostics["converged"] == true)
        #expect(diagnostics["rank_stable"] == true)
        #expect(diagnostics["recursion_depth"] == nil)
        for example in try result.listed { #expect(example["standard_error"] == nil) }
    }

    @Test("a single repeat leaves the errors unknown, and the answer does not make them up")
    func singleRepeat() throws {
        let result = try server.influence(Demo.question(3, ["solver": ["name": "lissa", "num_repeat": 1]])).result
        for example in try result.listed { #expect(example["standard_error"] == nil) }
        #expect(try result.member("diagnostics")["rank_stable"] == nil)
    }

    @Test("an id comes back; without one the server makes one, another each time")
    func ids() throws {
        #expect(try server.influence(Demo.question(3, ["id": "mine/1 ä"]))["id"] == "mine/1 ä")
        let made = try (0..<2).map { _ in try #require(server.influence(Demo.question(3))["id"]?.stringValue) }
        #expect(made.allSatisfy { !$0.isEmpty } && made[0] != made[1])
    }

    @Test("the timing adds up")
    func timing() throws {
        // A question of its own: who shares one that is under way waits less long than it takes.
        let timing = try server.influence(Demo.question(3, ["solver": ["name": "lissa", "seed": 4711]])).member("timing")
        let parts = try ["queue_ms", "s_test_ms", "score_ms"].map { try timing.number($0) }
        #expect(parts.allSatisfy { $0 >= 0 })
        #expect(try timing.number("total_ms") >= parts.reduce(0, +) - 0.01)
    }

    @Test("each checkpoint has its own answer, and the latest is the default")
    func checkpoints() throws {
        let names = try server.get("/models/digits").json.list("checkpoints").map { $0["name"]?.stringValue ?? "" }
        #expect(names.last == "final" && names.count > 2)
        var scores: Set<Double> = []
        for name in names {
            let answer = try server.influence(Demo.question(3, ["checkpoint": .string(name), "k": 1]))
            #expect(answer["checkpoint"]?.stringValue == name)
            scores.insert(try #require(answer.result.listed.first).number("score"))
        }
        #expect(scores.count == names.count)
        let latest = try server.post("/influence", Demo.question(3))
        let final = try server.post("/influence", Demo.question(3, ["checkpoint": "final"]))
        #expect(latest.resultsText == final.resultsText && !final.resultsText.isEmpty)
    }
}
