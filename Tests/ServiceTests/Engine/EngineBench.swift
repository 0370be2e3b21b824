import Foundation
import InverseCurvature
import JSON
import LinearAlgebra
import Store
import TestSupport

@testable import Service

/// A store with a small softmax regression, and engines on it.
struct EngineBench {
    static let (count, width, classes) = (90, 4, 3)
    static let parameterCount = classes * (width + 1)

    private let folder: TemporaryDirectory
    let store: Store

    init() throws {
        folder = try TemporaryDirectory()
        store = try Store.open(at: folder.path("s.sqlite"), access: .readWrite, createIfMissing: true)
        var numbers = SeededNumbers(11)
        let labels = numbers.integers(Self.count, below: Self.classes)
        let inputs = labels.flatMap { label in
            (0..<Self.width).map { Float(numbers.normal() + ($0 == label ? 1.2 : 0)) }
        }
        try ArrayFile.npy(inputs, shape: [Self.count, Self.width]).write(to: folder.url.appendingPathComponent("x.npy"))
        try ArrayFile.npy(labels, shape: [Self.count]).write(to: folder.url.appendingPathComponent("y.npy"))
        let data = try DatasetImport(inputs: .init(path: folder.path("x.npy")), targets: .init(path: folder.path("y.npy")))
        let names = (0..<Self.count).map { ExampleAnnotation(index: $0, id: "example-\($0)") }
        try store.importDataset(named: "small", inputs: data.inputs, targets: data.targets, annotations: names)
        let engine = engine()
        for model in ["small", "other"] {
            try engine.importCheckpoint(
                parameters: numbers.floats(Self.parameterCount, scale: 0.5), model: model, spec: Self.spec, dataset: "small",
                checkpoint: "last", training: TrainingState())
        }
    }

    static let spec = """
        {"layers": [{"type": "linear", "in_features": \(width), "out_features": \(classes), "bias": true}],
         "loss": {"type": "cross_entropy"}, "weight_decay": 0.05}
        """

    /// An engine that knows nothing yet.
    func engine(solutionCacheBytes: Int = 0, threads: Int = 2) -> Engine {
        Engine(
            store: store, parallel: Parallel(threads: threads), memoryBytes: 64 << 20, solutionCacheBytes: solutionCacheBytes)
    }

    /// A request on rows of the data, with further members.
    static func request(_ rows: [Int] = [0], _ members: JSONObject = [:]) throws -> InfluenceRequest {
        var body: JSONObject = ["model": "small", "k": 4]
        body["tests"] = .array(rows.map { ["dataset": "small", "index": .integer($0)] })
        for (key, value) in members { body[key] = value }
        return try InfluenceRequest(.object(body), limits: Question.limits)
    }

    /// The fields of LiSSA's settings, so small that it takes no time.
    static func lissa(_ members: JSONObject = [:]) -> JSON {
        var solver: JSONObject = ["name": "lissa", "recursion_depth": 60, "num_repeat": 2, "batch_size": 16]
        for (key, value) in members { solver[key] = value }
        return .object(solver)
    }

    /// Requests of every kind, those that fail among them.
    static func requests() throws -> [InfluenceRequest] {
        let (plain, exact) = (lissa(), JSON.object(["name": "exact"]))
        let everything: JSON = ["inputs", "metadata", "all_scores", "s_test"]
        let gradient = JSON.array((0..<parameterCount).map { .double(Double($0) * 0.25 - 1) })
        // Whose solution is beyond single precision, though others of its system are not.
        let huge = JSON.array((0..<parameterCount).map { .double($0 % 2 == 0 ? 3e38 : -3e38) })
        return [
            try request([0], ["solver": plain]),
            try request([1, 2, 3], ["solver": plain, "include": everything]),
            try request([0], ["solver": plain, "k": 9, "groups": [["name": "g", "indices": [3, 5, 7, 7]]]]),
            try request([4], ["solver": lissa(["seed": 5])]),
            try request([4], ["solver": lissa(["recursion_depth": 30])]),
            try request([4, 5], ["solver": lissa(["num_repeat": 1]), "include": everything]),
            try request([2, 6], ["solver": plain, "aggregate": "sum"]),
            try request([2, 6], ["solver": plain, "aggregate": "mean", "candidates": ["nearest_neighbors": 6]]),
            try request([7, 0], ["solver": plain, "candidates": ["indices": [8, 1, 60, 33, 1]], "include": everything]),
            try request([8, 9], ["solver": plain, "candidates": ["nearest_neighbors": 5], "include": everything]),
            try request([0, 10], ["solver": exact, "include": everything]),
            try request([11], ["solver": exact, "damping": 0.3, "damping_mode": "relative"]),
            try request([0], ["solver": exact, "curvature": "empirical_fisher", "groups": [["name": "h", "indices": [1]]]]),
            try request([0], ["solver": plain, "curvature": "empirical_fisher"]),
            try request([0], ["model": "other", "solver": plain, "include": everything]),
            try request(
                [0], ["solver": plain, "tests": [["gradient": gradient], ["dataset": "small", "index": 3, "target": 0]]]),
            try request([0], ["solver": plain, "tests": [["input": [1, -1, 0.5, 2]]]]),
            try request([0, 1], ["solver": plain, "damping": 0.7]),
            // These fail.
            try request([12, 13], ["solver": lissa(["scale": 1e-3])]),
            try request([0, 500], ["solver": plain]),
            try request([0], ["solver": plain, "groups": [["name": "g", "indices": [90]]]]),
            try request([0], ["model": "none", "solver": plain]),
            try request([0], ["solver": plain, "candidates": ["nearest_neighbors": 3], "tests": [["gradient": gradient]]]),
            try request([0], ["solver": plain, "tests": [["gradient": huge]]]),
            try request([0], ["solver": exact, "tests": [["gradient": huge]]]),
        ]
    }

    static let failing = 18..<25

    /// The results as the interface shows them, or what failed.
    static func shown(_ outcome: Result<InfluenceAnswer, any Error>) -> String {
        switch outcome {
        case .success(let answer):
            answer.json(id: "a", queueMilliseconds: 0, totalMilliseconds: 0)["results"]?.text ?? "no results"
        case .failure(let error): "failed: \(error)"
        }
    }
}

// What is known of a solution, where there must be one.
extension InfluenceAnswer {
    var curvature: InfluenceRequest.Curvature? { scoring.solving?.system.curvature }
    var shift: Double { scoring.solving?.system.damped.shift ?? .nan }
}

extension InfluenceAnswer.Result {
    var residual: Double { solved?.residual ?? Double.nan }
    var converged: Bool { solved?.isConverged ?? false }
    var accuracy: SolutionAccuracy? { solved?.accuracy }
}
