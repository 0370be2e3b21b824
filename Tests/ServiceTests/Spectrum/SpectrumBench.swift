import Formats
import Foundation
import InverseCurvature
import JSON
import LinearAlgebra
import Networks
import TestSupport
import Testing

@testable import Service
@testable import Store

/// Stores with models whose spectra are asked for, and references that are computed densely.
struct SpectrumBench {
    private let folder: TemporaryDirectory
    let store: Store
    static let parallel = Parallel(threads: 2)

    init() throws {
        folder = try TemporaryDirectory()
        store = try Store.open(at: folder.path("s.sqlite"), access: .readWrite, createIfMissing: true)
    }

    /// Opens the store once more, for reading alone.
    func readOnly() throws -> Store { try Store.open(at: folder.path("s.sqlite"), access: .readOnly) }

    /// An engine that knows nothing yet.
    func engine(threads: Int = 2, memoryBytes: Int = 64 << 20, store: Store? = nil) -> Engine {
        Engine(store: store ?? self.store, parallel: Parallel(threads: threads), memoryBytes: memoryBytes)
    }

    /// One of the fixtures' models, with all of its training examples.
    static func fixture(_ name: String) throws -> SpectrumBench {
        let bench = try SpectrumBench()
        func path(_ file: String) -> String { Fixtures.path("fixtures/models/\(name)/\(file)") }
        let data = try DatasetImport(
            inputs: .init(path: path("train_inputs.npy")), targets: .init(path: path("train_targets.npy")))
        try bench.store.importDataset(named: "train", inputs: data.inputs, targets: data.targets)
        try ModelImport(
            name: "net", specFile: path("spec.json"), parametersFile: path("model.safetensors"), dataset: "train",
            store: bench.store
        ).write(checkpoint: "final", training: TrainingState(), to: bench.store)
        return bench
    }

    /// A network of tanh units at random parameters, whose Hessian is indefinite as a rule, or another spec of four inputs.
    static func network(
        _ spec: String = tanh, seed: UInt64 = 3, count: Int = 40, scale: Double = 1.5
    ) throws -> SpectrumBench {
        let bench = try SpectrumBench()
        var numbers = SeededNumbers(seed)
        let (inputs, labels) = (numbers.floats(count * 4), numbers.integers(count, below: 3))
        let data = try DatasetImport(
            inputs: .init(path: try bench.write("x.npy", ArrayFile.npy(inputs, shape: [count, 4]))),
            targets: .init(path: try bench.write("y.npy", ArrayFile.npy(labels, shape: [count]))))
        try bench.store.importDataset(named: "train", inputs: data.inputs, targets: data.targets)
        let parameters = numbers.floats(try Network(ModelSpec(JSON(parsing: spec))).parameterCount, scale: scale)
        try bench.engine().importCheckpoint(
            parameters: parameters, model: "net", spec: spec, dataset: "train", checkpoint: "final", training: TrainingState())
        return bench
    }

    static let tanh = """
        {"layers": [{"type": "linear", "in_features": 4, "out_features": 6}, {"type": "tanh"},
                    {"type": "linear", "in_features": 6, "out_features": 3}],
         "loss": {"type": "cross_entropy"}, "weight_decay": 0.001}
        """

    /// So wide that a recursion does not find every eigenvalue.
    static let wide = """
        {"layers": [{"type": "linear", "in_features": 4, "out_features": 40}, {"type": "tanh"},
                    {"type": "linear", "in_features": 40, "out_features": 3}],
         "loss": {"type": "cross_entropy"}, "weight_decay": 0.002}
        """

    static func softmax(weightDecay: Double = 0.05) -> String {
        """
        {"layers": [{"type": "linear", "in_features": 4, "out_features": 3}], "loss": {"type": "cross_entropy"},
         "weight_decay": \(weightDecay)}
        """
    }

    /// A model that is known by gradients alone.
    static func gradients(_ rows: [Float], width: Int, weightDecay: Double) throws -> SpectrumBench {
        let bench = try SpectrumBench()
        let path = try bench.write("g.npy", ArrayFile.npy(rows, shape: [rows.count / width, width]))
        try GradientImport(gradients: .init(path: path)).write(
            .init(model: "net", checkpoint: "final", weightDecay: weightDecay), to: bench.store)
        return bench
    }

    private func write(_ name: String, _ data: Data) throws -> String {
        try data.write(to: folder.url.appendingPathComponent(name))
        return folder.path(name)
    }

    static let limits = RequestLimits(maximumTests: 9, maximumK: 9, maximumGroups: 9, maximumDeadlineMilliseconds: 600_000)

    static func request(_ parameters: (name: String, value: String)..., checkpoint: String? = "final") throws -> SpectrumRequest {
        try SpectrumRequest(model: "net", checkpoint: checkpoint, parameters: parameters, limits: limits)
    }

    /// An answer of an engine that knows nothing yet.
    func answer(_ parameters: (name: String, value: String)...) throws -> JSON {
        try engine().spectrum(
            SpectrumRequest(model: "net", checkpoint: "final", parameters: parameters, limits: Self.limits), interruption: .never
        ).json
    }

    /// The eigenvalues of C, ascending, by LAPACK from every element of it.
    func eigenvalues(_ curvature: InfluenceRequest.Curvature?) throws -> [Double] {
        let engine = engine()
        let model = try engine.model("net", checkpoint: nil)
        let space = InfluenceSpace(model, try engine.gradients(of: model, named: nil, interruption: .never))
        let kind = try space.curvatureKind(curvature, of: model).substance
        let operation = try space.curvature(
            kind, of: model, activationLimit: 0, parallel: Self.parallel, interruption: .never)
        let matrix = PackedSymmetricMatrix(uninitializedOrder: operation.dimension)
        try operation.write(plus: model.weightDecay, to: matrix, parallel: Self.parallel, interruption: .never)
        let order = operation.dimension
        let dense = AlignedMemory<Double>(repeating: 0, count: order * order)
        for row in 0..<order { for column in 0...row { dense.start[row * order + column] = Double(matrix[row, column]) } }
        return try SymmetricEigen(lower: dense, order: order).values.copy
    }
}

extension JSON {
    /// A number at a path of members.
    func number(_ path: String...) throws -> Double {
        let value = path.reduce(Optional(self)) { $0?[$1] }
        return try #require(value?.doubleValue, "\(path)")
    }

    /// Numbers at a path of members.
    func numbers(_ path: String...) throws -> [Double] {
        let value = path.reduce(Optional(self)) { $0?[$1] }
        return try #require(value?.numbersValue, "\(path)")
    }

    /// The listed eigenvalues.
    var eigenvalues: [Double] { (self["eigenvalues"]?.arrayValue ?? []).compactMap { $0["value"]?.doubleValue } }
}
