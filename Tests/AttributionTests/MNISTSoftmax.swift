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

    let model = SoftmaxRegression(inputWidth: 784, classCount: 10, hasBias: false)
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

    static func mnist(_ name: String) throws -> Tensor {
        try TensorFile.read(path: Fixtures.path("data/mnist/\(name)-ubyte.gz"))
    }

    static func pixels(_ images: Tensor) -> FeatureRows {
        let memory = AlignedMemory<UInt8>(uninitialized: images.count)
        _ = images.bytes.copyBytes(to: memory.elements)
        return FeatureRows(.uint8(memory), count: images.rowCount, width: images.rowWidth, multiplier: 1 / 255)
    }

    private init() throws {
        let parameters = try SafetensorsFile(path: Fixtures.path("fixtures/mnist-softmax/model.safetensors"))
            .tensor(named: "linear.weight").floats()
        let layer = LayerSpec(.linear(inFeatures: 784, outFeatures: 10, bias: false), name: "linear")
        let spec = ModelSpec(layers: [layer], loss: .crossEntropy(labelSmoothing: 0), weightDecay: Self.weightDecay)
        let network = TrainedNetwork(try Network(spec), parameters: parameters)
        let features = Self.pixels(try Self.mnist("train-images-idx3").rows(Self.trainingRows))
        let targets = try Self.mnist("train-labels-idx1").rows(Self.trainingRows).integers().map { Int32($0) }
        let factors = AlignedMemory<Float>(uninitialized: features.count * network.factorWidth)
        try network.factors(
            of: 0..<features.count, in: LabeledExamples(features: features, targets: .labels(targets)), into: factors.start,
            parallel: Self.parallel)
        let residuals = factors.copy
        gradients = FactoredGradients(model: model, features: features, residuals: residuals)
        system = DampedCurvature(
            SoftmaxCurvature(.hessian, model: model, features: features, residuals: residuals, targets: targets),
            shift: Self.weightDecay)
        spectrum = try SpectrumEstimate(of: system.data, parallel: Self.parallel)

        let chosen = try Self.fixture("test_idx").integers()
        let tests = Self.pixels(try Self.mnist("t10k-images-idx3"))
        let labels = try Self.mnist("t10k-labels-idx1").integers()
        testLabels = chosen.map { labels[$0] }
        let examples = LabeledExamples(
            features: FeatureRows(chosen.flatMap { tests.values(of: $0) }, width: 784),
            targets: .labels(testLabels.map { Int32($0) }))
        let outputs = try network.outputs(of: examples.features)
        testLosses = testLabels.enumerated().map { test, label in
            network.loss(outputs: outputs.start + test * 10, target: Double(label))
        }
        testGradients = try network.gradients(of: 0..<Self.testCount, in: examples)
    }

    /// The part of stacked vectors that belongs to one test.
    func part(_ test: Int) -> Range<Int> { test * model.parameterCount..<(test + 1) * model.parameterCount }

    /// The part of the reference's scores that belongs to one test.
    func scoredRows(_ test: Int) -> Range<Int> { test * gradients.count..<(test + 1) * gradients.count }
}
