import Foundation
import JSON
import TestSupport
import Testing

/// Every method over HTTP, against plain computations of a small problem.
@Suite("Methods over HTTP")
struct MethodAnswerTests {
    private let problem = SmallProblem()
    private let theta: [Double]
    private let bench: Workbench
    private let server: InfluencedServer

    init() throws {
        theta = problem.trained(on: Array(0..<SmallProblem.count)).map { Double(Float($0)) }
        let folder = try TemporaryDirectory()
        bench = Workbench(folder: folder, store: try problem.store(theta, in: folder))
        try bench.succeed(
            "import", "model", "--name", "small", "--dataset", "small", "--spec", "@spec.json", "--parameters",
            "@model.safetensors", "--checkpoint", "again", "--learning-rate", "0.5")
        try bench.succeed(
            "cache", "--model", "small", "--checkpoint", "again", "--kind", "projected", "--projection-dim", "6")
        server = try bench.serve()
    }

    private static let cache = "projected-normal-6-seed0-float32"

    private func question(_ members: JSONObject) -> JSON {
        let test: JSON = ["input": .numbers(problem.testInputs[0]), "target": .integer(problem.testTargets[0])]
        return JSON.object(["model": "small", "tests": [test], "include": ["all_scores"], "k": 4]).with(members)
    }

    private var gradients: [[Double]] {
        zip(problem.inputs, problem.targets).map { SmallProblem.gradient(theta, $0, $1) }
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    @Test("scores are those of their definitions, and the command line gives the same results")
    func scores() throws {
        let direction = SmallProblem.gradient(theta, problem.testInputs[0], problem.testTargets[0])
        let all = Array(0..<SmallProblem.count)
        let curvature = problem.hessian(theta, all).plus(diagonal: SmallProblem.weightDecay)
        let solved = curvature.solved(for: direction)
        let products = gradients.map { Self.dot($0, direction) }
        let norms = gradients.map { Self.dot($0, $0).squareRoot() }
        let steps = gradients.map { curvature.solved(for: $0) }
        let influences = gradients.map { Self.dot($0, solved) }
        let exact: JSON = ["name": "exact"]
        let cases: [(JSONObject, [Double])] = [
            (["solver": exact], influences),
            (
                ["method": "relatif", "solver": exact],
                zip(influences, steps).map { $0 / Self.dot($1, $1).squareRoot() }
            ),
            (
                ["method": "relatif", "relatif_method": "l", "solver": exact],
                all.map { influences[$0] / Self.dot(steps[$0], gradients[$0]).squareRoot() }
            ),
            (["method": "gradient_dot"], products),
            (
                ["method": "gradient_cosine"],
                zip(products, norms).map { $0 / $1 / Self.dot(direction, direction).squareRoot() }
            ),
            (["method": "tracin_cp", "checkpoints": ["again"]], products.map { $0 * 0.5 }),
        ]
        for (members, expected) in cases {
            let question = question(members)
            let answer = try server.influence(question)
            #expect(try Closeness.largestError(answer.result.tensor("all_scores"), expected) < 1e-3, "\(question.text)")
            let printed = try bench.run(["query", "-"], stdin: question.text)
            #expect(try JSON(parsing: Data(printed.standardOutput.utf8).map { $0 })["results"]?.text == answer["results"]?.text)
        }
    }

    @Test("representer values of all examples add up to the output of the label; trak answers by the cache of its checkpoint")
    func others() throws {
        let points = try server.influence(question(["method": "representer_point"])).result
        let sum = try points.tensor("all_scores").reduce(0.0) { $0 + Double($1) }
        // At its minimum the model's last layer is stationary already.
        let output = SmallProblem.outputs(theta, problem.testInputs[0])[problem.testTargets[0]]
        #expect(abs(sum - output) < 2e-3 * abs(output) + 1e-3, "\(sum), \(output)")
        #expect(try points.member("diagnostics").number("largest_output_change") < 1e-3)
        let trak = try server.influence(question(["method": "trak", "gradients": .string(Self.cache)])).result
        #expect(try trak.tensor("all_scores").contains { $0 != 0 })
        #expect(try trak.member("diagnostics")["method"] == "trak")
    }

    @Test("comparisons and parameters are answered, and what is wrong is a problem that points at it")
    func siblings() throws {
        let compared = try server.influence(question(["compare": ["influence", "gradient_dot"], "solver": ["name": "exact"]]))
            .result
        #expect(try compared.list("methods").count == 2 && compared.list("agreement").count == 1)
        let asked: JSON = ["model": "small", "examples": [3], "solver": ["name": "exact"], "include": ["influence"]]
        let answer = try server.post("/influence/parameters", asked)
        #expect(answer.status == 200)
        let curvature = problem.hessian(theta, Array(0..<SmallProblem.count)).plus(diagonal: SmallProblem.weightDecay)
        let expected = curvature.solved(for: gradients[3]).map { -$0 }
        #expect(try Closeness.relativeDistance(answer.json.result.tensor("influence"), expected) < 1e-3)

        let refusals: [(String, JSON, String)] = [
            ("/influence", question(["method": "tracin_cp"]), "/checkpoints"),
            ("/influence", question(["method": "gradient_dot", "solver": ["name": "exact"]]), "/solver"),
            ("/influence", question(["method": "trak"]), "/gradients"),
            ("/influence", question(["compare": ["trak", "trak"]]), "/compare"),
            ("/influence", question(["l2": 1]), "/l2"),
            ("/influence/parameters", ["model": "small", "examples": [60]], "/examples/0"),
        ]
        for (path, body, pointer) in refusals {
            let problem = try server.post(path, body).expectProblem(422, "invalid-request", instance: path)
            let pointers = (problem["errors"]?.arrayValue ?? []).compactMap { $0["pointer"]?.stringValue }
            #expect(pointers == [pointer], "\(problem.text)")
        }
    }
}
