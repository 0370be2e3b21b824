import Formats
import Foundation
import JSON
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// A small trained network with what PyTorch and NumPy make of it in double precision, down to scores.
struct InfluenceFixture {
    static let names = [
        "iris-softmax", "iris-mlp", "iris-logistic", "iris-smooth-hinge", "diabetes-mlp", "digits-mlp", "digits-cnn",
        "digits-residual", "tokens-embedding",
    ]

    private let name: String
    let network: TrainedNetwork
    let training, tests: LabeledExamples
    /// The curvature that the references are of, and their damping.
    let kind: CurvatureKind
    let damping: Double

    init(_ name: String) throws {
        self.name = name
        func json(_ file: String) throws -> JSON {
            try JSON(parsing: String(contentsOfFile: Fixtures.path("fixtures/models/\(name)/\(file).json"), encoding: .utf8))
        }
        let network = try Network(ModelSpec(json("spec")))
        let file = try SafetensorsFile(path: Fixtures.path("fixtures/models/\(name)/model.safetensors"))
        func numbers(isTrained: Bool) throws -> [Float] {
            try network.tensors.filter { $0.isTrained == isTrained }.flatMap { try file.tensor(named: $0.name).floats() }
        }
        self.network = TrainedNetwork(network, parameters: try numbers(isTrained: true), fixed: try numbers(isTrained: false))
        func examples(_ kind: String) throws -> LabeledExamples {
            let folder = "fixtures/models/\(name)/\(kind)"
            let inputs = try TensorFile.read(path: Fixtures.path(folder + "_inputs.npy")).floats()
            let targets = try TensorFile.read(path: Fixtures.path(folder + "_targets.npy"))
            let isLabeled = if case .crossEntropy = network.loss { true } else { false }
            return LabeledExamples(
                features: FeatureRows(inputs, width: network.inputWidth),
                targets: isLabeled ? .labels(try targets.integers().map { Int32($0) }) : .values(try targets.floats()))
        }
        training = try examples("train")
        tests = try examples("test")
        let reference = try json("reference")
        kind = try #require(CurvatureKind(rawValue: reference["curvature"]?.stringValue ?? ""))
        damping = try #require(reference["damping"]?.doubleValue)
    }

    func numbers(_ file: String) throws -> [Double] {
        try TensorFile.read(path: Fixtures.path("fixtures/models/\(name)/\(file).npy")).doubles()
    }
}
