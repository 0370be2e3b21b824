import Foundation
import JSON
import LinearAlgebra
import Networks
import Store
import TestSupport

@testable import Service

/// A store with a small softmax regression at two checkpoints, whose training examples have metadata, and more tests than one scan serves.
struct SlicesBench {
    static let (count, testCount, width, classes) = (90, 150, 4, 3)
    static let sources = ["scanner-1", "scanner-2", "hand"]

    private let folder: TemporaryDirectory
    let store: Store

    init(hasLearningRates: Bool = true) throws {
        folder = try TemporaryDirectory()
        store = try Store.open(at: folder.path("s.sqlite"), access: .readWrite, createIfMissing: true)
        var numbers = SeededNumbers(31)
        for (name, count) in [("train", Self.count), ("tests", Self.testCount)] {
            let labels = numbers.integers(count, below: Self.classes)
            let inputs = labels.flatMap { label in
                (0..<Self.width).map { Float(numbers.normal() + ($0 == label ? 1.2 : 0)) }
            }
            try ArrayFile.npy(inputs, shape: [count, Self.width]).write(to: folder.url.appendingPathComponent("x.npy"))
            try ArrayFile.npy(labels, shape: [count]).write(to: folder.url.appendingPathComponent("y.npy"))
            let data = try DatasetImport(
                inputs: .init(path: folder.path("x.npy")), targets: .init(path: folder.path("y.npy")))
            let annotations = (0..<count).map {
                ExampleAnnotation(index: $0, id: "\(name)-\($0)", metadata: #"{"source": "\#(Self.sources[$0 % 3])"}"#)
            }
            try store.importDataset(named: name, inputs: data.inputs, targets: data.targets, annotations: annotations)
        }
        for (checkpoint, rate) in [("early", 0.5), ("last", 0.25)] {
            try engine().importCheckpoint(
                parameters: numbers.floats(Self.classes * (Self.width + 1), scale: 0.5), model: "small", spec: Self.spec,
                dataset: "train", checkpoint: checkpoint,
                training: hasLearningRates ? TrainingState(learningRate: rate) : TrainingState())
        }
    }

    private static let spec = """
        {"layers": [{"type": "linear", "in_features": \(width), "out_features": \(classes), "bias": true}],
         "loss": {"type": "cross_entropy"}, "weight_decay": 0.05}
        """

    /// An engine that knows nothing yet. One of little memory takes few tests at a time.
    func engine(threads: Int = 2, memoryBytes: Int = 64 << 20) -> Engine {
        Engine(store: store, parallel: Parallel(threads: threads), memoryBytes: memoryBytes)
    }

    static let limits = RequestLimits(
        maximumTests: 200, maximumK: 100, maximumGroups: 10, maximumSlices: 4, maximumSliceTests: 140,
        maximumDeadlineMilliseconds: 1_000_000)

    /// Slices that overlap in the training data, and are apart in the tests.
    static let training: [(name: String, indices: [Int])] = [
        ("low", Array(0..<40)), ("all", Array(0..<90)), ("few", [7, 3, 89]),
    ]
    static let tests: [(name: String, indices: [Int])] = [
        ("first", Array(0..<70)), ("one", [149]), ("rest", Array(stride(from: 71, to: 149, by: 2))),
    ]

    static func slices(_ slices: [(name: String, indices: [Int])]) -> JSON {
        .array(slices.map { ["name": .string($0.name), "indices": .numbers($0.indices.map(Double.init))] })
    }

    static let exact: JSON = ["name": "exact"]

    /// The slices' question, with further members or others in their place.
    static func body(_ members: JSONObject = [:]) -> JSON {
        var body: JSONObject = ["model": "small", "training_slices": slices(training)]
        body["test_slices"] = ["dataset": "tests", "slices": slices(tests)]
        for (key, value) in members { body[key] = value }
        return .object(body)
    }

    static func request(_ members: JSONObject = [:]) throws(JSONIssues) -> SlicesRequest {
        try SlicesRequest(body(members), limits: limits)
    }

    /// The answer as the interface shows it, without its timing.
    func answer(
        _ members: JSONObject = [:], by engine: Engine? = nil, interruption: Interruption = .never
    ) throws -> JSON {
        let answer = try (engine ?? self.engine()).slices(Self.request(members), interruption: interruption)
        var shown = answer.json(id: "a", queueMilliseconds: 0, totalMilliseconds: 0).objectValue ?? [:]
        shown["timing"] = nil
        return .object(shown)
    }

    /// What is wrong with a request, where it says so.
    func problem(_ members: JSONObject, by engine: Engine? = nil) -> Problem? {
        do {
            _ = try answer(members, by: engine)
            return nil
        } catch {
            return Problem(describing: error)
        }
    }

    /// The answer to `POST /influence` for one test, which has the scores of all training examples.
    func single(_ test: Int, _ members: JSONObject) throws -> InfluenceAnswer {
        var body: JSONObject = ["model": "small", "include": ["all_scores"]]
        body["tests"] = [["dataset": "tests", "index": .integer(test)]]
        for (key, value) in members { body[key] = value }
        return try engine().influence(InfluenceRequest(.object(body), limits: Self.limits), interruption: .never)
    }
}
