import Foundation
import JSON
import LinearAlgebra
import Networks
import Store
import TestSupport

@testable import Service

/// A store with a small dataset, and a network for it that is not convex.
struct TrainingBench {
    static let (count, width, classes) = (61, 4, 3)

    /// A training ended in another way than it was to.
    struct Unexpected: Error {}

    let folder: TemporaryDirectory
    let path: String

    init() throws {
        folder = try TemporaryDirectory()
        path = folder.path("s.sqlite")
        var numbers = SeededNumbers(11)
        let labels = numbers.integers(Self.count, below: Self.classes)
        let inputs = labels.flatMap { label in
            (0..<Self.width).map { Float(numbers.normal() + ($0 == label ? 1.2 : 0)) }
        }
        try ArrayFile.npy(inputs, shape: [Self.count, Self.width]).write(to: folder.url.appendingPathComponent("x.npy"))
        try ArrayFile.npy(labels, shape: [Self.count]).write(to: folder.url.appendingPathComponent("y.npy"))
        let data = try DatasetImport(inputs: .init(path: folder.path("x.npy")), targets: .init(path: folder.path("y.npy")))
        try engine().store.importDataset(named: "small", inputs: data.inputs, targets: data.targets)
        try Data(Self.spec.utf8).write(to: folder.url.appendingPathComponent("spec.json"))
    }

    private static let spec = """
        {"layers": [{"type": "linear", "name": "first", "in_features": \(width), "out_features": 5}, {"type": "tanh"},
                    {"type": "linear", "name": "last", "in_features": 5, "out_features": \(classes)}],
         "loss": {"type": "cross_entropy"}, "weight_decay": 0.01}
        """

    /// Stochastic steps, in batches of which the last is shorter.
    static func settings(epochs: Int = 6, batchSize: Int? = 7, checkpoints: CheckpointPolicy = .every(2)) -> TrainingSettings {
        TrainingSettings(
            optimizer: .sgd(SGD(learningRate: 0.1, momentum: 0.9)), epochs: epochs, batchSize: batchSize, seed: 2,
            checkpoints: checkpoints)
    }

    /// An engine on a connection of its own, which does not wait for other writers.
    func engine() throws -> Engine {
        let store = try Store.open(at: path, access: .readWrite, createIfMissing: true, busyTimeout: 0.05)
        return Engine(store: store, parallel: Parallel(threads: 2), memoryBytes: 64 << 20)
    }

    func request(_ name: String, _ settings: TrainingSettings = settings()) -> ModelTraining.Request {
        var request = ModelTraining.Request(
            name: name, specFile: folder.path("spec.json"), dataset: "small", settings: settings)
        // As often as can be.
        (request.saveInterval, request.savingShare) = (0, .infinity)
        return request
    }

    /// Names and digests of a model's checkpoints, in order.
    func checkpoints(_ name: String) throws -> [String] {
        let store = try engine().store
        guard try store.models().contains(where: { $0.name == name }) else { return [] }
        return try store.checkpoints(of: store.model(named: name)).map {
            "\($0.name) \($0.training.step ?? -1) \($0.training.epoch ?? -1) \($0.sha256)"
        }
    }

    /// The checkpoints of a run that nothing disturbs.
    func undisturbed(_ settings: TrainingSettings = settings()) throws -> [String] {
        var training = try ModelTraining(request("undisturbed", settings), in: engine())
        _ = try training.run()
        return try checkpoints("undisturbed")
    }

    func statePath(_ name: String) -> String { "\(path).\(name).training" }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}
