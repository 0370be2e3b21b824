import Foundation
import LinearAlgebra
import Networks
import TestSupport

func exponential(_ x: Double) -> Double { exp(x) }
func naturalLogarithm(_ x: Double) -> Double { log(x) }

/// A model, its data stored as bytes or floats, and the reference of the same numbers.
struct SoftmaxProblem: Sendable, CustomStringConvertible {
    let model: SoftmaxRegression
    let features: FeatureRows
    let parameters: [Float]
    let targets: [Int32]

    var description: String {
        let stored = if case .uint8 = features.storage { "bytes" } else { "floats" }
        return "n = \(features.count), D = \(model.inputWidth), C = \(model.classCount), bias \(model.hasBias), \(stored)"
    }

    init(count: Int, width: Int, classes: Int, bias: Bool, bytes: Bool, seed: UInt64 = 1, parameterScale: Double = 1) {
        var numbers = SeededNumbers(seed)
        model = SoftmaxRegression(inputWidth: width, classCount: classes, hasBias: bias)
        if bytes {
            let memory = AlignedMemory<UInt8>(uninitialized: count * width)
            _ = memory.elements.initialize(from: numbers.bytes(count * width))
            features = FeatureRows(.uint8(memory), count: count, width: width, multiplier: 1 / 255)
        } else {
            features = FeatureRows(numbers.floats(count * width), width: width, multiplier: 0.5)
        }
        parameters = numbers.floats(model.parameterCount, scale: parameterScale)
        targets = numbers.integers(count, below: classes).map { Int32($0) }
    }

    /// Both storages, with and without bias, for 2, 3 and 10 classes; even and odd numbers of parameters.
    static func all(count: Int, width: Int, parameterScale: Double = 1) -> [SoftmaxProblem] {
        [2, 3, 10].flatMap { classes in
            [false, true].flatMap { bias in
                [false, true].map { bytes in
                    SoftmaxProblem(
                        count: count, width: width, classes: classes, bias: bias, bytes: bytes, parameterScale: parameterScale)
                }
            }
        }
    }

    var theta: [Double] { parameters.map { Double($0) } }

    var reference: SoftmaxReference {
        let inputs = (0..<features.count).map { features.values(of: $0).map { Double($0) } }
        return SoftmaxReference(model: model, inputs: inputs, targets: targets.map { Int($0) })
    }

    var examples: LabeledExamples { LabeledExamples(features: features, targets: .labels(targets)) }

    /// The same model as a network at its parameters.
    var trained: TrainedNetwork { TrainedNetwork(model.network(), parameters: parameters) }

    func objective(weightDecay: Double) -> NetworkObjective {
        NetworkObjective(model.network(weightDecay: weightDecay), on: examples)
    }

    func curvature(_ kind: SoftmaxCurvature.Kind) throws -> SoftmaxCurvature {
        let residuals = try trained.factors(of: examples)
        return SoftmaxCurvature(kind, model: model, features: features, residuals: residuals, targets: targets)
    }
}

extension SoftmaxRegression {
    /// The network that it is.
    func network(weightDecay: Double = 0) -> Network {
        let layer = LayerSpec(.linear(inFeatures: inputWidth, outFeatures: classCount, bias: hasBias))
        let spec = ModelSpec(layers: [layer], loss: .crossEntropy(labelSmoothing: 0), weightDecay: weightDecay)
        guard let network = try? Network(spec) else { preconditionFailure("a linear layer composes") }
        return network
    }
}

extension TrainedNetwork {
    /// The gradient factors of all examples.
    func factors(of examples: LabeledExamples, threads: Int = 1) throws -> [Float] {
        let factors = AlignedMemory<Float>(repeating: .nan, count: examples.count * factorWidth)
        try self.factors(of: 0..<examples.count, in: examples, into: factors.start, parallel: Parallel(threads: threads))
        return factors.copy
    }

    /// The gradient of one example.
    func gradient(of example: Int, in examples: LabeledExamples) throws -> [Float] {
        try gradients(of: example..<example + 1, in: examples)
    }
}
