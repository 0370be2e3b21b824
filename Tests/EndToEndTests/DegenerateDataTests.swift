import Foundation
import JSON
import TestSupport
import Testing

/// Data and models that are valid and hard to compute with: an answer has finite numbers, or there is none.
@Suite("Degenerate data")
struct DegenerateDataTests {
    /// Three examples of two features, of which one is as given; a model of them with its own weight decay.
    private func server(feature: Float, weightDecay: Double) throws -> InfluencedServer {
        let bench = try Workbench()
        try bench.writeGoodFiles()
        try bench.write("x.npy", ArrayFile.npy([0, 1, feature, -feature, 4, 5], shape: [3, 2]))
        try bench.write("spec.json", Workbench.spec.replacing("0.1", with: "\(weightDecay)"))
        for command in [Workbench.importGoodDataset, Workbench.importGoodModel] {
            let result = try bench.run(command)
            try #require(result.ending == .exited(0), "\(result.standardError)")
        }
        return try bench.serve()
    }

    private static let solvers: [JSON] = [["name": "exact"], ["name": "lissa"]]

    private func request(_ solver: JSON) -> JSON {
        ["model": "good", "tests": [["dataset": "good", "index": 0]], "solver": solver, "include": ["all_scores", "s_test"]]
    }

    @Test("features that overflow single precision are refused with 422, never answered with numbers that are none")
    func overflow() throws {
        let server = try server(feature: 3e38, weightDecay: 0.1)
        for solver in Self.solvers {
            let problem = try server.post("/influence", request(solver)).expectProblem(422, instance: "/influence")
            #expect(problem.text.contains("good") || problem.text.contains("single precision"))
        }
    }

    @Test("large features give finite answers", arguments: [1e6, 1e12] as [Float])
    func large(feature: Float) throws {
        let server = try server(feature: feature, weightDecay: 0.1)
        for solver in Self.solvers {
            let answer = try server.post("/influence", request(solver))
            guard answer.status == 200 else {
                try answer.expectProblem(422)
                continue
            }
            let result = try answer.json.result
            #expect(try result.tensor("all_scores").allSatisfy(\.isFinite))
            #expect(try result.tensor("s_test").allSatisfy(\.isFinite))
            #expect(try result.member("diagnostics")["residual"]?.doubleValue != nil)
        }
    }

    @Test("without weight decay and damping the curvature is singular: exact says so, LiSSA claims no more than it found")
    func singular() throws {
        let server = try server(feature: 1, weightDecay: 0)
        let problem = try server.post("/influence", request(["name": "exact"])).expectProblem(422)
        #expect(try problem.list("errors").contains { $0["pointer"] == "/damping" })
        // What lies in the curvature's range has a solution all the same, and LiSSA tells by the residual whether it found it.
        let diagnostics = try server.influence(request(["name": "lissa"])).result.member("diagnostics")
        #expect(try diagnostics.number("lambda_effective") == 0)
        #expect(try diagnostics["converged"]?.boolValue == (diagnostics.number("residual") <= 0.1))
        // A little damping mends both.
        for solver in Self.solvers {
            let damped = try server.influence(request(solver).with("damping", 0.1)).result
            #expect(try damped.member("diagnostics")["converged"] == true)
            #expect(try damped.member("diagnostics").number("lambda_effective") == 0.1)
        }
    }

    @Test("a dataset whose targets are values has no labels, but its inputs can be tests of a target in the request")
    func valuesAsTargets() throws {
        let bench = try Workbench.prepared()
        try bench.write("values.npy", ArrayFile.npy([0.5, 1.5, 2.5] as [Float], shape: [3]))
        try bench.succeed("import", "dataset", "--name", "values", "--inputs", "@x.npy", "--targets", "@values.npy")
        try bench.refuse(
            [
                "import", "model", "--name", "m", "--dataset", "values", "--spec", "@spec.json", "--parameters",
                "@model.safetensors",
            ], ["values", "labels"])
        let server = try bench.serve()
        let test: JSON = ["dataset": "values", "index": 1]
        let problem = try server.post("/influence", ["model": "good", "tests": [test]]).expectProblem(422)
        #expect(problem.text.contains("values"))
        let answer = try server.influence(["model": "good", "tests": [test.with("target", 1)]])
        #expect(try answer.result.member("test")["target_source"] == "request")
        #expect(try server.get("/datasets/values/examples/1").status == 200)
    }
}
