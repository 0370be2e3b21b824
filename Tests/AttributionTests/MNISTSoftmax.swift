import Attribution
import Formats
import Foundation
import InverseCurvature
import LinearAlgebra
import Networks
import TestSupport

/// Softmax regression on MNIST: Koh & Liang's split and settings, with reference numbers in double precision.
struct MNISTSoftmax: Sendable {
    static let parallel = Parallel(threads: 2)
    static let weightDecay = 0.01
    static let testCount = 10
    /// Training rows 5000…59999 of the idx file, in file order.
    static let trainingRows = 5000..<60_000

    let model = SoftmaxRegression(inputWidth: 784, classCount: 10, hasBias: false, layerName: "linear")
    let gradients: FactoredGradients
    let system: DampedCurvature
    let spectrum: SpectrumEstimate
    /// Losses of the ten tests, and their gradients, stacked.
    let testLosses: [Double], testGradients: [Float]
    /// What the labels' file says of the ten tests.
    let testLabels: [Int]

    /// Read once for all tests.
    static let shared = Result { try MNISTSoftmax() }

    static func fixture(_ name: String) throws -> Tensor {
        try TensorFile.read(path: Fixtures.path("fixtures/mnist-softmax/\(name).npy"))
    }

    private static func mnist(_ name: String) throws -> Tensor {
        try TensorFile.read(path: Fixtures.path("data/mnist/\(name)-ubyte.gz"))
    }

    private static func pixels(_ images: Tensor) -> FeatureRows {
        let memory = AlignedMemory<UInt8>(uninitialized: images.count)
        _ = images.bytes.copyBytes(to: memory.elements)
        return FeatureRows(.uint8(memory), count: images.rowCount, width: images.rowWidth, multiplier: 1 / 255)
    }

    private init() throws {
        let parameters = try SafetensorsFile(path: Fixtures.path("fixtures/mnist-softmax/model.safetensors"))
            .tensor(named: model.tensors[0].name).floats()
        let features = Self.pixels(try Self.mnist("train-images-idx3").rows(Self.trainingRows))
        let targets = try Self.mnist("train-labels-idx1").rows(Self.trainingRows).integers().map { Int32($0) }
        let probabilities = try model.evaluate(parameters, on: features, parallel: Self.parallel).probabilities
        gradients = FactoredGradients(
            model: model, features: features, residuals: model.residuals(probabilities: probabilities, targets: targets))
        system = DampedCurvature(
            SoftmaxCurvature(.hessian, model: model, features: features, outputFactors: probabilities), shift: Self.weightDecay)
        spectrum = try SpectrumEstimate(of: system.data, parallel: Self.parallel)

        let chosen = try Self.fixture("test_idx").integers()
        let tests = Self.pixels(try Self.mnist("t10k-images-idx3"))
        let labels = try Self.mnist("t10k-labels-idx1").integers()
        testLabels = chosen.map { labels[$0] }
        let values = chosen.map { tests.values(of: $0) }
        let evaluation = try model.evaluate(parameters, on: FeatureRows(values.flatMap { $0 }, width: 784))
        var losses: [Double] = []
        var gradients: [Float] = []
        for test in 0..<Self.testCount {
            let row = test * 10..<(test + 1) * 10
            losses.append(model.loss(outputs: evaluation.outputs[row], target: testLabels[test]))
            gradients += model.gradient(
                probabilities: evaluation.probabilities[row], input: values[test], target: testLabels[test])
        }
        (testLosses, testGradients) = (losses, gradients)
    }

    /// The part of stacked vectors that belongs to one test.
    func part(_ test: Int) -> Range<Int> { test * model.parameterCount..<(test + 1) * model.parameterCount }

    /// The part of the reference's scores that belongs to one test.
    func scoredRows(_ test: Int) -> Range<Int> { test * gradients.count..<(test + 1) * gradients.count }
}
