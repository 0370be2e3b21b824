import Formats
import Foundation
import JSON
import LinearAlgebra
import TestSupport

@testable import Networks

/// A small trained network with PyTorch's numbers for it, in double precision: see the fixtures' own description.
struct ModelFixture {
    static let names = [
        "iris-softmax", "iris-mlp", "iris-logistic", "iris-smooth-hinge", "diabetes-mlp", "digits-mlp", "digits-cnn",
        "digits-residual", "tokens-embedding",
    ]

    let name: String
    let network: Network
    let parameters: [Double]
    let fixed: [Double]
    let training: LabeledExamples
    let tests: LabeledExamples
    let curvature: CurvatureKind

    init(_ name: String) throws {
        let folder = "fixtures/models/\(name)/"
        self.name = name
        let spec = try ModelSpec(JSON(parsing: String(contentsOfFile: Fixtures.path(folder + "spec.json"), encoding: .utf8)))
        network = try Network(spec)
        let file = try SafetensorsFile(path: Fixtures.path(folder + "model.safetensors"))
        var (parameters, fixed): ([Double], [Double]) = ([], [])
        for tensor in network.tensors {
            let values = try file.tensor(named: tensor.name).doubles()
            if tensor.isTrained { parameters += values } else { fixed += values }
        }
        (self.parameters, self.fixed) = (parameters, fixed)
        let network = network
        func examples(_ kind: String) throws -> LabeledExamples {
            let inputs = try TensorFile.read(path: Fixtures.path(folder + kind + "_inputs.npy"))
            let targets = try TensorFile.read(path: Fixtures.path(folder + kind + "_targets.npy"))
            let isLabeled = if case .crossEntropy = spec.loss { true } else { false }
            return LabeledExamples(
                features: FeatureRows(try inputs.floats(), width: network.inputWidth),
                targets: isLabeled ? .labels(try targets.integers().map { Int32($0) }) : .values(try targets.floats()))
        }
        training = try examples("train")
        tests = try examples("test")
        let reference = try JSON(parsing: String(contentsOfFile: Fixtures.path(folder + "reference.json"), encoding: .utf8))
        curvature = CurvatureKind(rawValue: reference["curvature"]?.stringValue ?? "") ?? .empiricalFisher
    }

    /// PyTorch's numbers.
    func numbers(_ file: String) throws -> [Double] {
        try TensorFile.read(path: Fixtures.path("fixtures/models/\(name)/\(file).npy")).doubles()
    }

    var trained: TrainedNetwork {
        TrainedNetwork(network, parameters: parameters.map { Float($0) }, fixed: fixed.map { Float($0) })
    }

    var inDouble: Computation<Double> { Computation(network, parameters: parameters, fixed: fixed) }
}
