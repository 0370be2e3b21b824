import Foundation
import JSON
import TestSupport
import Testing

/// Answers against plain arithmetic in double precision: matrices by their definitions, Gaussian elimination, retraining.
@Suite("Answers against arithmetic by definition")
struct ReferenceTests {
    private let problem = SmallProblem()
    private let folder: TemporaryDirectory
    private let theta: [Double]
    private let server: InfluencedServer

    init() throws {
        folder = try TemporaryDirectory()
        theta = problem.trained(on: Array(0..<SmallProblem.count))
        server = try InfluencedServer(store: problem.store(theta, in: folder))
    }

    private func test(_ index: Int) -> JSON {
        ["input": .numbers(problem.testInputs[index]), "target": .integer(problem.testTargets[index])]
    }

    private func answer(_ more: JSONObject = [:]) throws -> [JSON] {
        let request: JSON = [
            "model": "small", "tests": .array(problem.testInputs.indices.map(test)), "solver": ["name": "exact"],
            "include": ["all_scores", "s_test"],
        ]
        return try server.influence(request.with(more)).results
    }

    /// Checks an answer against (C + λI)⁻¹∇ℓ and its products with all gradients.
    private func compare(_ results: [JSON], _ curvature: DenseMatrix, lambda: Double) throws {
        #expect(results.count == problem.testInputs.count)
        let gradients = problem.inputs.indices.map { SmallProblem.gradient(theta, problem.inputs[$0], problem.targets[$0]) }
        for (index, result) in results.enumerated() {
            let v = SmallProblem.gradient(theta, problem.testInputs[index], problem.testTargets[index])
            let sTest = curvature.plus(diagonal: lambda).solved(for: v)
            let scores = gradients.map { zip($0, sTest).reduce(0) { $0 + $1.0 * $1.1 } }
            #expect(try Closeness.relativeDistance(result.tensor("s_test"), sTest) < 1e-3)
            #expect(try Closeness.relativeDistance(result.tensor("all_scores"), scores) < 1e-3)
            #expect(try abs(result.member("diagnostics").number("lambda_effective") - lambda) < 1e-6 * lambda)
            let loss = SmallProblem.loss(theta, problem.testInputs[index], problem.testTargets[index])
            #expect(try abs(result.member("test").number("loss") - loss) < 1e-4)
            let strongest = scores.indices.max { scores[$0] < scores[$1] }
            #expect(try result.list("proponents")[0]["index"]?.integerValue == strongest)
        }
    }

    @Test("exact influence with the Hessian, with and without damping")
    func hessian() throws {
        let hessian = problem.hessian(theta, Array(0..<SmallProblem.count))
        try compare(answer(), hessian, lambda: 0.05)
        try compare(answer(["damping": 0.3]), hessian, lambda: 0.35)
    }

    @Test("exact influence with damping relative to the mean eigenvalue of the whole curvature")
    func relativeDamping() throws {
        let hessian = problem.hessian(theta, Array(0..<SmallProblem.count))
        let trace = (0..<hessian.rows).reduce(0) { $0 + hessian[$1, $1] + 0.05 }
        let lambda = 0.05 + 0.2 * trace / Double(SmallProblem.parameterCount)
        try compare(answer(["damping": 0.2, "damping_mode": "relative"]), hessian, lambda: lambda)
    }

    @Test("exact influence with the empirical Fisher matrix")
    func empiricalFisher() throws {
        try compare(answer(["curvature": "empirical_fisher"]), problem.empiricalFisher(theta), lambda: 0.05)
    }

    @Test("LiSSA on whole batches is deterministic, and as exact as its depth")
    func lissa() throws {
        let solver: JSON = [
            "name": "lissa", "batch_size": .integer(SmallProblem.count), "recursion_depth": 2_000, "num_repeat": 1,
        ]
        try compare(answer(["solver": solver]), problem.hessian(theta, Array(0..<SmallProblem.count)), lambda: 0.05)
    }

    @Test("without an example the test loss changes as its score predicts: up without a proponent, down without an opponent")
    func leaveOneOut() throws {
        let results = try answer(["k": 3])
        let all = Array(0..<SmallProblem.count)
        let retrained = all.map { left in problem.trained(on: all.filter { $0 != left }, from: theta) }
        for (index, result) in results.enumerated() {
            let (x, y) = (problem.testInputs[index], problem.testTargets[index])
            let change = all.map { SmallProblem.loss(retrained[$0], x, y) - SmallProblem.loss(theta, x, y) }
            let predicted = try result.tensor("all_scores").map { Double($0) / Double(SmallProblem.count) }
            // Influence is the first order of a change that is not small with sixty examples.
            #expect(Closeness.pearson(predicted, change) > 0.95)
            #expect(Closeness.relativeDistance(predicted, change) < 0.35)
            for proponent in try result.list("proponents") { #expect(try change[proponent.integer("index")] > 0) }
            for opponent in try result.list("opponents") { #expect(try change[opponent.integer("index")] < 0) }
        }
    }

    @Test("the digits' s_test solves the system that their inputs and probabilities make")
    func digits() throws {
        let server = try Demo.server()
        let request = Demo.question(3, ["k": 1_000, "include": ["inputs", "s_test", "all_scores"]])
        let result = try server.influence(request).result
        var inputs: [Int: [Double]] = [:]
        for example in try result.listed { inputs[try example.integer("index")] = try example.member("input").flattened + [1] }
        try #require(inputs.count == 1_397)
        let sTest = try result.tensor("s_test").map { Double($0) }
        // s for each class: its weights, then its bias.
        let rows = (0..<10).map { c in Array(sTest[c * 64..<(c + 1) * 64]) + [sTest[640 + c]] }
        var product = [[Double]](repeating: [Double](repeating: 0, count: 65), count: 10)
        var scores = [Double](repeating: 0, count: 1_397)
        for start in stride(from: 0, to: 1_397, by: 32) {
            let indices = start..<min(start + 32, 1_397)
            let tests = indices.map { JSON.object(["dataset": "digits-train", "index": .integer($0)]) }
            let predictions = try server.predict(["model": "digits", "tests": .array(tests)]).results
            for (index, prediction) in zip(indices, predictions) {
                let x = try #require(inputs[index])
                let p = try #require(prediction["probabilities"]?.numbersValue)
                let u = rows.map { row in zip(row, x).reduce(0) { $0 + $1.0 * $1.1 } }
                let mean = zip(p, u).reduce(0) { $0 + $1.0 * $1.1 }
                scores[index] = try mean - u[prediction.integer("target")]
                for c in 0..<10 {
                    let weight = p[c] * (u[c] - mean) / 1_397
                    for j in 0..<65 { product[c][j] += weight * x[j] }
                }
            }
        }
        #expect(try Closeness.relativeDistance(result.tensor("all_scores"), scores) < 1e-4)

        let test = try result.member("test")
        let x = try server.get("/datasets/digits-test/examples/3").json.member("input").flattened + [1]
        let p = try #require(test.member("prediction")["probabilities"]?.numbersValue)
        var remainder = 0.0, size = 0.0
        for c in 0..<10 {
            let residual = try p[c] - (c == test.integer("target") ? 1 : 0)
            for j in 0..<65 {
                let v = residual * x[j]
                let difference = v - product[c][j] - 0.01 * rows[c][j]
                remainder += difference * difference
                size += v * v
            }
        }
        #expect((remainder / size).squareRoot() < 1e-3)
    }
}
