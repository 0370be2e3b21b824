import JSON
import TestSupport
import Testing

/// The ways to say what is to be explained: rows, inputs, gradients, one or several.
@Suite("Tests in a request about influence")
struct InfluenceSubjectTests {
    private let server: InfluencedServer

    init() throws { server = try Demo.server() }

    private func results(of tests: JSON, _ more: JSONObject = [:]) throws -> [JSON] {
        try server.influence(Demo.question(0, more).with("tests", tests)).results
    }

    private func scores(_ tests: JSON, _ more: JSONObject = [:]) throws -> [[Float]] {
        try results(of: tests, more).map { try $0.tensor("all_scores") }
    }

    /// A row of the tests: its input nested, the same flat, and its target.
    private func example(_ index: Int) throws -> (nested: JSON, flat: [Float], target: JSON) {
        let example = try server.get("/datasets/digits-test/examples/\(index)").json
        let nested = try example.member("input")
        let flat = try (nested.arrayValue ?? []).flatMap { row in try #require(row.numbersValue).map { Float($0) } }
        try #require(flat.count == 64)
        return (nested, flat, try example.member("target"))
    }

    @Test("an input nested, flat or in base64 gives what the same row of a dataset gives")
    func inputForms() throws {
        let (nested, flat, target) = try example(3)
        let expected = try results(of: [Demo.test(3)])[0]
        let forms: [JSON] = [
            nested, .numbers(flat.map(Double.init)), base64Tensor(flat, shape: [64]), base64Tensor(flat, shape: [8, 8]),
        ]
        for form in forms {
            let result = try results(of: [["input": form, "target": target]])[0]
            #expect(result["proponents"] == expected["proponents"])
            #expect(result["opponents"] == expected["opponents"])
            let test = try result.member("test")
            #expect(test["target_source"] == "request")
            #expect(test["target"] == target)
            #expect(try test["loss"] == expected.member("test")["loss"])
            #expect(test["dataset"] == nil)
        }
    }

    @Test("an input without a target is judged by the predicted label, and the answer says so")
    func predictedTarget() throws {
        let (nested, _, _) = try example(3)
        let test = try results(of: [["input": nested]])[0].member("test")
        #expect(test["target_source"] == "predicted")
        #expect(try test["target"] == test.member("prediction")["label"])
    }

    @Test("a target in the request goes before the dataset's")
    func requestedTarget() throws {
        let own = try results(of: [Demo.test(3)])[0]
        let target = (try own.member("test").integer("target") + 1) % 10
        let other = try results(of: [Demo.test(3).with("target", .integer(target))])[0]
        #expect(try other.member("test")["target"]?.integerValue == target)
        #expect(try other.member("test")["target_source"] == "request")
        #expect(try other.member("test").number("loss") != own.member("test").number("loss"))
        #expect(other["proponents"] != own["proponents"])
    }

    @Test("a gradient stands for the loss that it is of")
    func gradient() throws {
        let (_, input, target) = try example(3)
        let result = try results(of: [Demo.test(3)], ["include": ["all_scores"]])[0]
        let probabilities = try #require(result.member("test").member("prediction")["probabilities"]?.numbersValue)
        // ∇ℓ = (p − onehot(y)) ⊗ (x, 1): the weight row by row, then the bias.
        let residual = probabilities.enumerated().map { Float($1) - ($0 == target.integerValue ? 1 : 0) }
        let gradient = residual.flatMap { r in input.map { r * $0 } } + residual
        for form in [JSON.numbers(gradient.map(Double.init)), base64Tensor(gradient, shape: [650])] {
            let given = try results(of: [["gradient": form]], ["include": ["all_scores"]])[0]
            #expect(try Closeness.relativeDistance(given.tensor("all_scores"), result.tensor("all_scores")) < 1e-5)
            let test = try given.member("test")
            #expect(test["target"] == nil && test["prediction"] == nil && test["loss"] == nil)
        }
    }

    @Test("several tests in one request are answered as if each had been asked alone")
    func severalTests() throws {
        let indices = [3, 17, 3, 399]
        for solver: JSON in [["name": "exact"], ["name": "lissa"]] {
            let more: JSONObject = ["solver": solver, "include": ["all_scores"]]
            let together = try results(of: .array(indices.map(Demo.test)), more)
            #expect(together.count == indices.count)
            for (index, result) in zip(indices, together) {
                #expect(try result.member("test")["index"]?.integerValue == index)
                let alone = try results(of: [Demo.test(index)], more)[0]
                #expect(try Closeness.relativeDistance(result.tensor("all_scores"), alone.tensor("all_scores")) < 1e-4)
            }
            #expect(together[0]["proponents"] == together[2]["proponents"])
        }
    }

    @Test("a sum or mean of tests is one answer, with the sum or mean of their scores")
    func aggregates() throws {
        let tests: JSON = [Demo.test(3), Demo.test(17), Demo.test(80)]
        let single = try scores(tests, ["include": ["all_scores"]])
        let sum = single[0].indices.map { i in single.reduce(0.0) { $0 + Double($1[i]) } }
        for (aggregate, divisor) in [("sum", 1.0), ("mean", 3.0)] {
            let answer = try results(of: tests, ["aggregate": .string(aggregate), "include": ["all_scores"]])
            #expect(answer.count == 1)
            let scores = try answer[0].tensor("all_scores")
            #expect(Closeness.relativeDistance(scores.map { Double($0) * divisor }, sum) < 1e-4)
            let test = try answer[0].member("test")
            #expect(test["aggregate"]?.stringValue == aggregate)
            #expect(try test.list("tests").map { $0["index"] } == [3, 17, 80])
        }
        #expect(try results(of: tests, ["aggregate": "none"]).count == 3)
    }

    @Test("rows, inputs and gradients go together in one request")
    func mixture() throws {
        let (nested, _, _) = try example(5)
        let tests: JSON = [
            Demo.test(3), ["input": nested], ["gradient": .numbers([Double](repeating: 0.5, count: 650))],
            ["dataset": "digits-train", "index": 0],
        ]
        let sources = try results(of: tests).map { try $0.member("test")["target_source"]?.stringValue }
        #expect(sources == ["dataset", "predicted", nil, "dataset"])
    }

    @Test("a gradient of zeros has no influence to explain: both lists are empty")
    func zeroGradient() throws {
        for solver: JSON in [["name": "exact"], ["name": "lissa"]] {
            let zeros: JSON = .numbers([Double](repeating: 0, count: 650))
            let result = try results(of: [["gradient": zeros]], ["solver": solver])[0]
            #expect(try result.listed.isEmpty)
            #expect(try result.member("diagnostics").number("residual") == 0)
        }
    }

    @Test("a training example that is its own test is its own strongest proponent, or near it")
    func selfInfluence() throws {
        let result = try results(of: [["dataset": "digits-train", "index": 7]], ["include": ["all_scores"]])[0]
        // gᵀ(C + λI)⁻¹g of a positive definite matrix is positive.
        #expect(try result.tensor("all_scores")[7] > 0)
    }
}
