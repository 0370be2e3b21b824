import Attribution
import Formats
import Foundation
import InverseCurvature
import LinearAlgebra
import Networks

/// The MNIST reference problem: softmax regression, n = 55,000, p = 7,840, weight decay 0.01.
struct MNIST {
    let model = SoftmaxRegression(inputWidth: 784, classCount: 10, hasBias: false)
    let features: FeatureRows
    let gradients: FactoredGradients
    let curvature: SoftmaxCurvature
    let system: DampedCurvature
    let spectrum: SpectrumEstimate
    /// ∇ℓ of the fixture's first test.
    let testGradient: [Float]
    /// Exact s_test of that test.
    let reference: [Float]
    /// Gradients of the first tests, and their exact s_test, stacked.
    let testGradients, references: [Float]
    /// The model as a network.
    let network: NetworkCurvature

    /// Tests that solvers are compared with.
    private static let testCount = 5

    init(shared: String, parallel: Parallel) throws {
        let data = shared + "/data/mnist/"
        let fixture = shared + "/fixtures/mnist-softmax/"
        func images(_ name: String) throws -> Tensor { try TensorFile.read(path: data + name + "-images-idx3-ubyte.gz") }
        let train = try images("train").rows(5_000..<60_000)
        let targets = try TensorFile.read(path: data + "train-labels-idx1-ubyte.gz").rows(5_000..<60_000).integers()
            .map { Int32($0) }
        let bytes = AlignedMemory<UInt8>(uninitialized: train.count)
        _ = bytes.elements.initialize(from: train.bytes)
        features = FeatureRows(.uint8(bytes), count: 55_000, width: 784, multiplier: 1 / 255)
        let weights = try SafetensorsFile(path: fixture + "model.safetensors").tensor(named: "linear.weight").floats()
        let layer = LayerSpec(.linear(inFeatures: 784, outFeatures: 10, bias: false), name: "linear")
        let spec = ModelSpec(layers: [layer], loss: .crossEntropy(labelSmoothing: 0), weightDecay: 0.01)
        let network = TrainedNetwork(try Network(spec), parameters: weights)
        // The gradient factors of a softmax regression are its residuals.
        let factors = AlignedMemory<Float>(uninitialized: features.count * network.factorWidth)
        let examples = LabeledExamples(features: features, targets: .labels(targets))
        try network.factors(of: 0..<features.count, in: examples, into: factors.start, parallel: parallel)
        let residuals = factors.copy
        gradients = FactoredGradients(model: model, features: features, residuals: residuals)
        curvature = SoftmaxCurvature(.hessian, model: model, features: features, residuals: residuals, targets: targets)
        system = DampedCurvature(curvature, shift: 0.01)
        spectrum = try SpectrumEstimate(of: curvature, parallel: parallel)

        self.network = NetworkCurvature(.gaussNewton, of: network, over: examples)

        let rows = try TensorFile.read(path: fixture + "test_idx.npy").integers().prefix(Self.testCount)
        let labels = try TensorFile.read(path: fixture + "y_test.npy").integers().prefix(Self.testCount)
        let pictures = try images("t10k")
        let inputs = try rows.flatMap { try pictures.rows($0..<$0 + 1).floats().map { $0 / 255 } }
        let tests = LabeledExamples(
            features: FeatureRows(inputs, width: 784), targets: .labels(labels.map { Int32($0) }))
        testGradients = try network.gradients(of: 0..<tests.count, in: tests)
        references = Array(
            try TensorFile.read(path: fixture + "s_test.npy").floats().prefix(tests.count * model.parameterCount))
        testGradient = Array(testGradients.prefix(model.parameterCount))
        reference = Array(references.prefix(model.parameterCount))
    }

    /// What its solvers are worth.
    func solverTable(_ parallel: Parallel) -> SolverTable {
        SolverTable(
            name: "MNIST by softmax regression, n = 55,000, p = 7,840", system: system, sides: testGradients, exact: references,
            network: network, parallel: parallel,
            budgets: [25, 50, 75, 150])
    }

    /// s_test by LiSSA.
    func lissa(_ choice: LiSSA.Choice, parallel: Parallel) throws -> Solution {
        try LiSSA(choice, spectrum: spectrum, exampleCount: 55_000, shift: 0.01)
            .solve(testGradient, count: 1, in: system, parallel: parallel)
    }

    /// ‖s − exact‖/‖exact‖.
    func error(of solution: Solution) -> Double {
        Vectors.norm(zip(solution.vectors, reference).map { $0 - $1 }) / Vectors.norm(reference)
    }
}
