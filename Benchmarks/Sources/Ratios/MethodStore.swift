import Formats
import Foundation
import JSON
import LinearAlgebra
import Service
import Store

/// MNIST and the fixtures' models in a store, and an engine on it that answers requests as the service does.
struct MethodStore {
    let engine: Engine
    /// Bytes of each cache, by model: of all its checkpoints together.
    private(set) var cacheBytes: [String: Int] = [:]
    private let settings = ServiceConfiguration()

    /// The models: softmax regression, the network at its end, and on its way there.
    static let (softmax, network, path) = ("softmax", "mlp", "path")

    /// Makes a store of the datasets and models.
    static func make(at path: String, shared: String) throws {
        let store = try Store.open(at: path, access: .readWrite, createIfMissing: true)
        for (name, file, rows) in [("train", "train", 5_000..<60_000), ("test", "t10k", nil)] as [(String, String, Range<Int>?)] {
            let files = "\(shared)/data/mnist/\(file)"
            let data = try DatasetImport(
                inputs: .init(path: files + "-images-idx3-ubyte.gz"), targets: .init(path: files + "-labels-idx1-ubyte.gz"),
                rows: rows, divisor: 255)
            _ = try store.importDataset(named: name, inputs: data.inputs, divisor: 255, targets: data.targets)
        }
        let checkpoints = (0...2).map { (Self.path, "mnist-mlp", "ckpt_\($0)") }
        for (model, fixture, file) in [(softmax, "mnist-softmax", "model"), (network, "mnist-mlp", "model")] + checkpoints {
            try ModelImport(
                name: model, specFile: "\(shared)/fixtures/\(fixture)/spec.json",
                parametersFile: "\(shared)/fixtures/\(fixture)/\(file).safetensors", dataset: "train", store: store
            ).write(checkpoint: file, training: TrainingState(learningRate: 0.001), to: store)
        }
    }

    /// Opens a store that was made.
    init(at path: String, parallel: Parallel) throws {
        let store = try Store.open(at: path, access: .readWrite)
        engine = Engine(
            store: store, parallel: parallel, memoryBytes: settings.memoryBytes, solutionCacheBytes: settings.solutionCacheBytes)
    }

    /// Builds a cache of all checkpoints of a model.
    /// - Returns: what requests call it.
    mutating func cache(_ model: String, _ kind: GradientCacheKind) throws -> String {
        var (name, bytes) = ("", 0)
        for checkpoint in try engine.checkpointNames(ofModel: model) {
            let built = try engine.buildCache(model: model, checkpoint: checkpoint, kind: kind)
            (name, bytes) = (built.name, bytes + built.byteCount)
        }
        cacheBytes["\(model) \(name)"] = bytes
        return name
    }

    /// The answer on one test.
    @discardableResult
    func ask(_ model: String, test: Int, _ fields: String) throws -> JSON {
        let request = #"{"model": "\#(model)", "tests": [{"dataset": "test", "index": \#(test)}], \#(fields)}"#
        return try engine.answer(
            Array(request.utf8), limits: settings.requestLimits, defaultDeadlineMilliseconds: settings.maximumDeadlineMilliseconds
        )
    }

    /// The scores of all examples for one test.
    func scores(_ model: String, test: Int, _ fields: String) throws -> [Float] {
        let answer = try ask(model, test: test, fields + #", "include": ["all_scores"]"#)
        guard let text = answer["results"]?[0]?["all_scores"]?["base64"]?.stringValue, let data = Data(base64Encoded: text) else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }
}
