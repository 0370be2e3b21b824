import Foundation
import JSON
import TestSupport
import Testing

/// Weights of examples: wᵢ multiplies ℓᵢ in the objective, and so ∇ℓᵢ in gᵢ.
@Suite("Datasets with weights")
struct WeightedImportTests {
    private let bench: Workbench
    private let problem = SmallProblem()
    /// Examples that count twice.
    private static let doubled = [2, 11, 30, 31, 59]
    private static let all = Array(0..<SmallProblem.count)

    init() throws { bench = try Workbench() }

    /// Imports the rows as a dataset, with weights or without, and a model of it.
    private func store(
        _ name: String, rows: [Int], weights: [Float]?, theta: [Double], weightDecay: Double, hidden: Bool = false
    ) throws {
        let inputs = rows.flatMap { problem.inputs[$0].map { Float($0) } }
        try bench.write("\(name)-x.npy", ArrayFile.npy(inputs, shape: [rows.count, SmallProblem.width]))
        try bench.write("\(name)-y.npy", ArrayFile.npy(rows.map { problem.targets[$0] }, shape: [rows.count]))
        var options: [String] = []
        if let weights {
            try bench.write(
                "\(name)-w.npz",
                ArrayFile.npz([
                    ("v", ArrayFile.npy([1 as Float], shape: [1])), ("w", ArrayFile.npy(weights, shape: [rows.count, 1])),
                ]))
            options = ["--weights", "@\(name)-w.npz", "--weights-part", "w"]
        }
        let result = try bench.run(
            ["import", "dataset", "--name", name, "--inputs", "@\(name)-x.npy", "--targets", "@\(name)-y.npy"] + options)
        try #require(result.ending == .exited(0), "\(result.standardError)")
        #expect(result.standardOutput.contains("with weights") == (weights != nil))
        try importModel(name, theta: theta, weightDecay: weightDecay, hidden: hidden)
    }

    /// A softmax regression, or one behind a layer that passes everything on and is trained too.
    private func importModel(_ name: String, theta: [Double], weightDecay: Double, hidden: Bool) throws {
        let (classes, width) = (SmallProblem.classes, SmallProblem.width)
        let layer = #"{"type": "linear", "in_features": \#(width), "out_features": \#(width)}, "#
        try bench.write(
            "\(name).json",
            """
            {"layers": [\(hidden ? layer : ""){"type": "linear", "in_features": \(width), "out_features": \(classes)}],
             "loss": {"type": "cross_entropy"}, "weight_decay": \(weightDecay)}
            """)
        let floats = theta.map { Float($0) }
        let last = hidden ? "1" : "0"
        var tensors = [
            (name: "\(last).weight", values: Array(floats[..<(classes * width)]), shape: [classes, width]),
            (name: "\(last).bias", values: Array(floats[(classes * width)...]), shape: [classes]),
        ]
        if hidden {
            let identity = (0..<width * width).map { $0 % (width + 1) == 0 ? 1 as Float : 0 }
            tensors += [("0.weight", identity, [width, width]), ("0.bias", [0, 0, 0], [width])]
        }
        try bench.write("\(name).safetensors", ArrayFile.safetensors(tensors))
        try bench.succeed(
            "import", "model", "--name", name, "--dataset", name, "--spec", "@\(name).json", "--parameters",
            "@\(name).safetensors")
    }

    private func tests() -> JSON {
        .array(
            problem.testInputs.indices.map {
                ["input": .numbers(problem.testInputs[$0]), "target": .integer(problem.testTargets[$0])]
            })
    }

    private func predicted(_ server: InfluencedServer, _ model: String, _ more: JSONObject) throws -> [[Double]] {
        let request: JSON = ["model": .string(model), "tests": tests(), "include": ["all_scores"]]
        return try server.influence(request.with(more)).results.map { result in
            let scores = try result.tensor("all_scores")
            return scores.map { Double($0) / Double(scores.count) }
        }
    }

    /// With n examples of which m count twice F is, up to a factor of (n + m)/n, that of n + m examples with smaller weight decay.
    @Test("an example of weight 2 has the influence of two examples", arguments: [false, true])
    func twice(hidden: Bool) throws {
        let rows = Self.all + Self.doubled
        let theta = problem.trained(on: rows)
        let decay = SmallProblem.weightDecay
        let weights = Self.all.map { Self.doubled.contains($0) ? 2 as Float : 1 }
        try store("repeated", rows: rows, weights: nil, theta: theta, weightDecay: decay, hidden: hidden)
        let factor = Double(rows.count) / Double(Self.all.count)
        try store("weighted", rows: Self.all, weights: weights, theta: theta, weightDecay: decay * factor, hidden: hidden)
        // From their factors the scores are the same as without.
        if hidden { try bench.succeed("cache", "--model", "weighted") }
        let server = try bench.serve()
        // LiSSA on whole batches is as exact as its depth.
        func lissa(_ count: Int) -> JSON {
            ["name": "lissa", "batch_size": .integer(count), "recursion_depth": 3_000, "num_repeat": 1]
        }
        let exact: JSON = ["name": "exact"]
        for (curvature, solvers): (JSON, [(JSON, JSON)]) in [
            ("gauss_newton", [(exact, exact), (lissa(rows.count), lissa(Self.all.count))]), ("hessian", [(exact, exact)]),
        ] where !hidden || curvature == "gauss_newton" {
            for (solver, own) in solvers {
                let repeated = try predicted(server, "repeated", ["solver": solver, "curvature": curvature])
                let weighted = try predicted(server, "weighted", ["solver": own, "curvature": curvature])
                for (repeated, weighted) in zip(repeated, weighted) {
                    let expected = Self.all.map { row in
                        zip(rows, repeated).reduce(0) { $0 + ($1.0 == row ? $1.1 : 0) }
                    }
                    #expect(Closeness.relativeDistance(weighted, expected) < 1e-3, "\(curvature.text) \(solver.text)")
                }
            }
        }
    }

    @Test("what an example's removal is predicted to do is what retraining without it does")
    func retraining() throws {
        let rows = Self.all + Self.doubled
        let theta = problem.trained(on: rows)
        let weights = Self.all.map { Self.doubled.contains($0) ? 2 as Float : 1 }
        let factor = Double(rows.count) / Double(Self.all.count)
        try store(
            "weighted", rows: Self.all, weights: weights, theta: theta, weightDecay: SmallProblem.weightDecay * factor)
        let retrained = Self.all.map { left in problem.trained(on: rows.filter { $0 != left }, from: theta) }
        for (index, predicted) in try predicted(bench.serve(), "weighted", ["solver": ["name": "exact"]]).enumerated() {
            let (x, y) = (problem.testInputs[index], problem.testTargets[index])
            let change = retrained.map { SmallProblem.loss($0, x, y) - SmallProblem.loss(theta, x, y) }
            #expect(Closeness.pearson(predicted, change) > 0.95)
            // The first order of changes that are not small, those of examples that count twice least of all.
            #expect(Closeness.relativeDistance(predicted, change) < 0.45)
        }
    }

    @Test("weights are shown with their dataset, examples and rankings, and are part of the dataset's identity")
    func shown() throws {
        let weights = Self.all.map { $0 == 7 ? 0 : Float($0) / 4 }
        let theta = problem.trained(on: Self.all)
        try store("weighted", rows: Self.all, weights: weights, theta: theta, weightDecay: 0.05)
        try store("plain", rows: Self.all, weights: nil, theta: theta, weightDecay: 0.05)
        let server = try bench.serve()
        let (weighted, plain) = (try server.get("/datasets/weighted").json, try server.get("/datasets/plain").json)
        #expect(weighted["weighted"] == true && plain["weighted"] == false && weighted["sha256"] != plain["sha256"])
        #expect(try server.get("/datasets/weighted/examples/6").json["weight"] == 1.5)
        #expect(try server.get("/datasets/weighted/examples/7").json["weight"] == 0)
        #expect(try server.get("/datasets/plain/examples/6").json["weight"] == nil)
        for name in ["weighted", "plain"] {
            let request: JSON = ["model": .string(name), "tests": [["dataset": "plain", "index": 3]], "k": 60]
            let listed = try server.influence(request).result.listed
            #expect(listed.count >= 50)
            for example in listed {
                let index = try example.integer("index")
                #expect(example["weight"] == (name == "weighted" ? .float(weights[index]) : nil))
                // What doesn't count has no influence.
                #expect(name == "plain" || index != 7)
            }
        }
        #expect(try bench.succeed("check").contains("whole"))
    }
}
