import Attribution
import Formats
import Foundation
import HTTPTypes
import JSON
import LinearAlgebra
import TestSupport

@testable import Service
@testable import Store

/// A store with small networks whose gradients can be computed plainly, and what that gives.
struct MethodBench {
    static let (count, width, testCount) = (40, 4, 6)
    /// Examples at the end that are those at the beginning again.
    static let copies = 4
    static let decay = 0.05
    /// η of the checkpoints a, b, c.
    static let rates = [0.1, 0.03, 0.5]

    /// A model in the store with the same in double precision, checkpoint by checkpoint.
    struct Model: Sendable {
        let name: String
        let checkpoints: [PlainNetwork]
        let data, tests: PlainData

        /// The latest.
        var network: PlainNetwork { checkpoints[checkpoints.count - 1] }
    }

    /// Which models there are.
    enum Kind: String, CaseIterable {
        /// A softmax regression and a network with a hidden layer, of three checkpoints each.
        case soft, net
        /// One output each.
        case logistic, hinge, squared
        /// A softmax regression with smoothed labels.
        case smoothed

        var widths: [Int] {
            switch self {
            case .soft, .smoothed: [4, 3]
            case .net: [4, 5, 3]
            case .logistic, .hinge: [4, 1]
            case .squared: [4, 5, 1]
            }
        }

        var loss: PlainNetwork.Loss {
            switch self {
            case .soft, .net: .crossEntropy(smoothing: 0)
            case .smoothed: .crossEntropy(smoothing: 0.2)
            case .logistic: .binaryCrossEntropy
            case .hinge: .smoothHinge(temperature: 0.25)
            case .squared: .squaredError
            }
        }

        var lossText: String {
            switch self {
            case .soft, .net: #""type": "cross_entropy""#
            case .smoothed: #""type": "cross_entropy", "label_smoothing": 0.2"#
            case .logistic: #""type": "binary_cross_entropy""#
            case .hinge: #""type": "smooth_hinge", "temperature": 0.25"#
            case .squared: #""type": "mean_squared_error""#
            }
        }

        var dataset: String {
            switch self {
            case .soft, .net, .smoothed: "classes"
            case .logistic: "labels"
            case .hinge: "signs"
            case .squared: "values"
            }
        }

        func target(_ label: Int) -> Double {
            switch self {
            case .soft, .net, .smoothed: Double(label)
            case .logistic: label == 0 ? 1 : 0
            case .hinge: label == 0 ? 1 : -1
            case .squared: Double(label) * 0.75 - 0.5
            }
        }

        var spec: String {
            let layers = zip(widths, widths.dropFirst()).map {
                #"{"type": "linear", "in_features": \#($0), "out_features": \#($1)}"#
            }.joined(separator: #", {"type": "tanh"}, "#)
            return #"{"layers": [\#(layers)], "loss": {\#(lossText)}, "weight_decay": \#(MethodBench.decay)}"#
        }
    }

    private let folder: TemporaryDirectory
    let store: Store
    private(set) var models: [Kind: Model] = [:]

    /// - Parameter weighted: whether training examples have weights, some of them zero.
    init(_ kinds: [Kind], weighted: Bool = false) throws {
        folder = try TemporaryDirectory()
        store = try Store.open(
            at: folder.path("s.sqlite"), access: .readWrite, createIfMissing: true, busyTimeout: 5, blockByteCount: 2_000)
        var numbers = SeededNumbers(31)
        func examples(_ count: Int) -> ([[Double]], [Int]) {
            let labels = numbers.integers(count, below: 3)
            let inputs = labels.map { label in
                (0..<Self.width).map { Double(Float(numbers.normal() + ($0 == label ? 1.5 : 0))) }
            }
            return (inputs, labels)
        }
        var (inputs, labels) = examples(Self.count)
        // The last few are the first ones again.
        for row in 0..<Self.copies {
            (inputs[Self.count - Self.copies + row], labels[Self.count - Self.copies + row]) = (inputs[row], labels[row])
        }
        let (testInputs, testLabels) = examples(Self.testCount)
        let weights = weighted ? (0..<Self.count).map { $0 % 9 == 4 ? 0 : Double(Float(0.25 + numbers.uniform() * 2)) } : nil
        var known: Set<String> = []
        for kind in kinds {
            let data = PlainData(inputs: inputs, targets: labels.map(kind.target), weights: weights)
            let tests = PlainData(inputs: testInputs, targets: testLabels.map(kind.target), weights: nil)
            if known.insert(kind.dataset).inserted {
                try write(data, as: kind.dataset)
                try write(tests, as: kind.dataset + "-test")
            }
            let names = kind == .soft || kind == .net ? ["a", "b", "c"] : ["a"]
            let checkpoints = try names.enumerated().map { place, name in
                let theta = numbers.floats(PlainNetwork.parameterCount(kind.widths), scale: 0.6)
                try add(theta, name, to: kind, rate: Self.rates[place])
                return PlainNetwork(kind.widths, kind.loss, theta)
            }
            models[kind] = Model(name: kind.rawValue, checkpoints: checkpoints, data: data, tests: tests)
        }
    }

    private func write(_ data: PlainData, as name: String) throws {
        func tensor(_ values: [Float], _ shape: [Int]) -> Tensor {
            Tensor(elementType: .float32, shape: shape, bytes: values.withUnsafeBytes { Data($0) })!
        }
        let isLabeled = data.targets.allSatisfy { $0 == $0.rounded() }
        let targets =
            isLabeled
            ? Tensor(
                elementType: .int32, shape: [data.count],
                bytes: data.targets.map { Int32($0) }.withUnsafeBytes { Data($0) })!
            : tensor(data.targets.map { Float($0) }, [data.count])
        try store.importDataset(
            named: name, inputs: tensor(data.inputs.joined().map { Float($0) }, [data.count, Self.width]), targets: targets,
            weights: data.weights.map { tensor($0.map { Float($0) }, [data.count]) })
    }

    /// Adds a checkpoint, and its model with the first.
    func add(_ theta: [Float], _ checkpoint: String, to kind: Kind, named model: String? = nil, rate: Double?) throws {
        try engine().importCheckpoint(
            parameters: theta, model: model ?? kind.rawValue, spec: kind.spec, dataset: kind.dataset, checkpoint: checkpoint,
            training: TrainingState(learningRate: rate))
    }

    /// An engine that knows nothing yet.
    func engine(memoryBytes: Int = 64 << 20, threads: Int = 2) -> Engine {
        Engine(store: store, parallel: Parallel(threads: threads), memoryBytes: memoryBytes)
    }

    /// Builds a cache of a model's checkpoint.
    @discardableResult
    func build(_ name: String, _ kind: Kind, _ checkpoint: String = "a", model: String? = nil) throws -> CacheRecord {
        let loaded = try engine().model(model ?? kind.rawValue, checkpoint: checkpoint)
        let cache = GradientCache(
            kind: try CacheBench.kind(name), model: loaded.record, checkpoint: loaded.checkpoint, dataset: loaded.training.record)
        return try cache.build(
            of: loaded.network(at: ""), in: store, parallel: Parallel(threads: 2),
            budget: GradientCacheBudget(memoryBytes: 64 << 20))
    }

    // MARK: Asking

    static func body(_ kind: Kind, _ members: JSONObject = [:], rows: [Int] = [0, 1, 2]) -> JSONObject {
        var body: JSONObject = ["model": .string(kind.rawValue), "k": 5, "include": ["all_scores"]]
        body["tests"] = .array(rows.map { ["dataset": .string(kind.dataset + "-test"), "index": .integer($0)] })
        for (key, value) in members { body[key] = value }
        return body
    }

    static func request(_ kind: Kind, _ members: JSONObject = [:], rows: [Int] = [0, 1, 2]) throws -> InfluenceRequest {
        try InfluenceRequest(.object(body(kind, members, rows: rows)), limits: Question.limits)
    }

    func answer(
        _ kind: Kind, _ members: JSONObject = [:], rows: [Int] = [0, 1, 2], _ engine: Engine? = nil
    ) throws -> InfluenceAnswer {
        try (engine ?? self.engine()).influence(Self.request(kind, members, rows: rows), interruption: .never)
    }

    /// All scores for each test.
    func scores(_ kind: Kind, _ members: JSONObject = [:], rows: [Int] = [0, 1, 2]) throws -> [[Float]] {
        try answer(kind, members, rows: rows).results.map { $0.allScores ?? [] }
    }

    /// What `POST /influence` answers, or its refusal.
    func posted(_ body: JSONObject, _ engine: Engine? = nil) throws(Problem) -> JSON {
        do {
            return try (engine ?? self.engine()).answer(
                JSON.object(body).serialized(), limits: Question.limits, defaultDeadlineMilliseconds: 600_000)
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(.internalServerError, "unexpected", "\(error)")
        }
    }

    /// What a request is refused for.
    func refusal(_ body: JSONObject) -> Problem? {
        do throws(Problem) {
            _ = try posted(body)
            return nil
        } catch { return error }
    }
}

extension JSON {
    /// All results of an answer as they are shown.
    var shownResults: [JSON] { self["results"]?.arrayValue ?? [] }

    /// Numbers of a tensor in an answer.
    var tensor: [Float] {
        let data = self["base64"]?.stringValue.flatMap { Data(base64Encoded: $0) } ?? Data()
        return data.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
    }
}
