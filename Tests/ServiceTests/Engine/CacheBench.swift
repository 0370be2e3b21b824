import Formats
import Foundation
import JSON
import LinearAlgebra
import Networks
import TestSupport

@testable import Service
@testable import Store

/// A store with a small network of layers of many kinds, or one of the fixtures' networks, in blocks so small that little makes many.
struct CacheBench {
    static let count = 60

    private let folder: TemporaryDirectory
    let store: Store
    /// Where the store is.
    var path: String { folder.path("s.sqlite") }

    /// The network that is made up, by parameters of a seed.
    init(seed: UInt64 = 21, scale: Double = 1, spec: String = spec, weights: [Float]? = nil) throws {
        folder = try TemporaryDirectory()
        store = try Self.open(folder.path("s.sqlite"))
        var numbers = SeededNumbers(5)
        let labels = numbers.integers(Self.count, below: 3)
        try importData(
            numbers.floats(Self.count * 25, scale: scale), shape: [Self.count, 1, 5, 5], labels: labels, weights: weights,
            named: "small")
        try addCheckpoint("first", seed: seed, spec: spec)
    }

    /// One of the fixtures' networks.
    init(fixture name: String) throws {
        folder = try TemporaryDirectory()
        store = try Self.open(folder.path("s.sqlite"))
        func path(_ file: String) -> String { Fixtures.path("fixtures/models/\(name)/\(file)") }
        let data = try DatasetImport(
            inputs: .init(path: path("train_inputs.npy")), targets: .init(path: path("train_targets.npy")), rows: 0..<120)
        try store.importDataset(named: "small", inputs: data.inputs, targets: data.targets)
        try ModelImport(
            name: "net", specFile: path("spec.json"), parametersFile: path("model.safetensors"), dataset: "small", store: store
        ).write(checkpoint: "first", training: TrainingState(), to: store)
    }

    /// Opens the store once more.
    static func open(_ path: String, blockByteCount: Int = 800) throws -> Store {
        try Store.open(
            at: path, access: .readWrite, createIfMissing: true, busyTimeout: 5, blockByteCount: blockByteCount)
    }

    private func importData(
        _ inputs: [Float], shape: [Int], labels: [Int], weights: [Float]?, named name: String
    ) throws {
        try ArrayFile.npy(inputs, shape: shape).write(to: folder.url.appendingPathComponent("x.npy"))
        try ArrayFile.npy(labels, shape: [labels.count]).write(to: folder.url.appendingPathComponent("y.npy"))
        let data = try DatasetImport(inputs: .init(path: folder.path("x.npy")), targets: .init(path: folder.path("y.npy")))
        let weights = weights.flatMap { numbers in
            Tensor(elementType: .float32, shape: [numbers.count], bytes: numbers.withUnsafeBytes { Data($0) })
        }
        try store.importDataset(named: name, inputs: data.inputs, targets: data.targets, weights: weights)
    }

    /// Adds a checkpoint of the network that is made up, and the model with the first.
    func addCheckpoint(_ name: String, of model: String = "net", seed: UInt64, spec: String = spec) throws {
        var numbers = SeededNumbers(seed)
        let count = try Network(ModelSpec(JSON(parsing: spec))).parameterCount
        try engine().importCheckpoint(
            parameters: numbers.floats(count, scale: 0.3), model: model, spec: spec, dataset: "small", checkpoint: name,
            training: TrainingState())
    }

    static let spec = """
        {"input_shape": [1, 5, 5],
         "layers": [{"type": "conv2d", "in_channels": 1, "out_channels": 3, "kernel_size": 3, "padding": 1}, {"type": "tanh"},
                    {"type": "flatten"}, {"type": "linear", "in_features": 75, "out_features": 8},
                    {"type": "layer_norm", "normalized_shape": [8]}, {"type": "gelu"},
                    {"type": "linear", "in_features": 8, "out_features": 3}],
         "loss": {"type": "cross_entropy"}, "weight_decay": 0.05}
        """

    /// A network whose gradients are as large as its inputs.
    static let linear = """
        {"input_shape": [1, 5, 5], "layers": [{"type": "flatten"}, {"type": "linear", "in_features": 25, "out_features": 3}],
         "loss": {"type": "cross_entropy"}}
        """

    /// An engine that knows nothing yet. By default everything fits into its memory.
    func engine(memoryBytes: Int = 64 << 20, threads: Int = 2) -> Engine {
        Engine(store: store, parallel: Parallel(threads: threads), memoryBytes: memoryBytes)
    }

    private struct UnknownKind: Error { let name: String }

    /// A kind by its name.
    static func kind(_ name: String) throws -> GradientCacheKind {
        guard let kind = GradientCacheKind(name: name) else { throw UnknownKind(name: name) }
        return kind
    }

    static let encodings = ["float32", "float16", "bfloat16", "int8"]

    /// The name of every kind.
    static let names =
        ["factored"] + encodings.map { "dense-\($0)" }
        + ["normal-64", "rademacher-64", "sjlt-64", "rank1-64"].flatMap { type in
            encodings.map { "projected-\(type)-seed1-\($0)" }
        }

    /// A cache of a kind, and the model it is of.
    func cache(_ name: String, checkpoint: String? = nil) throws -> (cache: GradientCache, network: NetworkModel) {
        let model = try engine().model("net", checkpoint: checkpoint)
        let cache = GradientCache(
            kind: try Self.kind(name), model: model.record, checkpoint: model.checkpoint, dataset: model.training.record)
        return (cache, try model.network(at: ""))
    }

    /// Builds a cache, in groups of a block each where there is no memory.
    @discardableResult
    func build(
        _ name: String, threads: Int = 2, memoryBytes: Int = 64 << 20, interruption: Interruption = .never,
        progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> CacheRecord {
        let (cache, network) = try cache(name)
        return try cache.build(
            of: network, in: store, parallel: Parallel(threads: threads), budget: GradientCacheBudget(memoryBytes: memoryBytes),
            interruption: interruption, progress: progress)
    }

    /// A cache's rows as they are stored.
    func bytes(_ record: CacheRecord) throws -> Data {
        var bytes = Data(count: record.layout.byteCount)
        try bytes.withUnsafeMutableBytes { try store.readCache(record, rows: 0..<record.layout.rowCount, into: $0) }
        return bytes
    }

    /// A request on rows of the data, with further members.
    static func request(_ rows: [Int] = [0], _ members: JSONObject = [:]) throws -> InfluenceRequest {
        var body: JSONObject = [
            "model": "net", "k": 4, "damping": 20,
            "solver": ["name": "lissa", "recursion_depth": 20, "num_repeat": 2, "batch_size": 16, "scale": 200],
        ]
        body["tests"] = .array(rows.map { ["dataset": "small", "index": .integer($0)] })
        for (key, value) in members { body[key] = value }
        return try InfluenceRequest(.object(body), limits: Question.limits)
    }

    /// The results of a request as the interface shows them, or what failed.
    static func shown(_ engine: Engine, _ requests: [InfluenceRequest]) -> [String] {
        engine.influence(requests.map { .init(request: $0, interruption: .never) }).map(EngineBench.shown)
    }
}
