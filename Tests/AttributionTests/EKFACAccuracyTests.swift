import Attribution
import Formats
import InverseCurvature
import JSON
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// EKFAC of networks beside exact solutions: where it is exact, and how far off it is where it is not.
@Suite("EKFAC of networks")
struct EKFACAccuracyTests {
    private let parallel = Parallel(threads: 2)

    private func approximation(_ curvature: NetworkCurvature) throws -> EKFAC {
        let (blocks, count) = try curvature.kroneckerBlocks(KroneckerSettings(memoryLimit: 1 << 30), parallel: parallel)
        return try EKFAC(blocks: blocks, exampleCount: count)
    }

    private func curvature(
        _ layers: String, loss: String, parameters: [Float], inputs: [Float], width: Int, targets: Targets,
        kind: CurvatureKind = .gaussNewton
    ) throws -> NetworkCurvature {
        let network = try Network(ModelSpec(JSON(parsing: #"{"layers": [\#(layers)], "loss": {"type": "\#(loss)"}}"#)))
        return NetworkCurvature(
            kind, of: TrainedNetwork(network, parameters: parameters),
            over: LabeledExamples(features: FeatureRows(inputs, width: width), targets: targets))
    }

    /// How far EKFAC's solutions are from those by the curvature itself, of which its own products are the reference.
    private func error(_ curvature: NetworkCurvature, shift: Double) throws -> Double {
        let system = DampedCurvature(curvature, shift: shift)
        var numbers = SeededNumbers(5)
        let sides = numbers.floats(3 * curvature.dimension)
        let exact = try ExactSolver(factoring: system, memoryLimit: 1 << 30, parallel: parallel)
        let reference = try exact.solve(sides, count: 3, in: system, parallel: parallel)
        let solution = try approximation(curvature).solve(sides, count: 3, in: system, parallel: parallel)
        return Closeness.relativeDistance(solution.vectors, reference.vectors)
    }

    @Test("it is exact for one linear layer whose inputs are independent of its outputs' curvature")
    func exactForIndependentInputs() throws {
        var numbers = SeededNumbers(2)
        // Without weights all classes are equally likely, whatever the inputs.
        let zero = try curvature(
            #"{"type": "linear", "in_features": 5, "out_features": 4}"#, loss: "cross_entropy",
            parameters: [Float](repeating: 0, count: 24), inputs: numbers.floats(150), width: 5,
            targets: .labels(numbers.integers(30, below: 4).map { Int32($0) }))
        #expect(try error(zero, shift: 0.01) < 1e-4)
        // Every input comes with the same labels, so that gradients of outputs are independent of it.
        let labels: [Int32] = [0, 0, 1, 2, 3, 0]
        let inputs = numbers.floats(50)
        let product = try curvature(
            #"{"type": "linear", "in_features": 5, "out_features": 4}"#, loss: "cross_entropy",
            parameters: [Float](repeating: 0, count: 20) + [0.3, -1, 0.2, 0.7],
            inputs: labels.flatMap { _ in inputs }, width: 5,
            targets: .labels(labels.flatMap { [Int32](repeating: $0, count: 10) }), kind: .empiricalFisher)
        #expect(try error(product, shift: 0.01) < 1e-4)
        // And not where they depend on it.
        let dependent = try curvature(
            #"{"type": "linear", "in_features": 5, "out_features": 4}"#, loss: "cross_entropy", parameters: numbers.floats(24),
            inputs: numbers.floats(150), width: 5, targets: .labels([Int32](repeating: 0, count: 30)))
        #expect(try error(dependent, shift: 0.01) > 0.01)
    }

    @Test("for one output of constant curvature it is the eigen-decomposition of the curvature itself", arguments: [true, false])
    func oneOutput(bias: Bool) throws {
        var numbers = SeededNumbers(3)
        let single = try curvature(
            #"{"type": "linear", "in_features": 6, "out_features": 1, "bias": \#(bias)}"#, loss: "mean_squared_error",
            parameters: numbers.floats(bias ? 7 : 6), inputs: numbers.floats(240), width: 6, targets: .values(numbers.floats(40)),
            kind: .hessian)
        #expect(try error(single, shift: 1e-3) < 1e-4)
    }

    @Test(
        "on MNIST it is as far from the exact solution as a plain reference finds",
        .enabled(if: Fixtures.isAvailable, Fixtures.absence))
    func mnist() throws {
        let mnist = try MNISTSoftmax.shared.get()
        let features = mnist.gradients.features
        let targets = try MNISTSoftmax.mnist("train-labels-idx1").rows(MNISTSoftmax.trainingRows).integers().map { Int32($0) }
        let parameters = try SafetensorsFile(path: Fixtures.path("fixtures/mnist-softmax/model.safetensors"))
            .tensor(named: "linear.weight").floats()
        let layer = LayerSpec(.linear(inFeatures: 784, outFeatures: 10, bias: false), name: "linear")
        let network = TrainedNetwork(
            try Network(ModelSpec(layers: [layer], loss: .crossEntropy(labelSmoothing: 0), weightDecay: 0.01)),
            parameters: parameters)
        let curvature = NetworkCurvature(
            .gaussNewton, of: network, over: LabeledExamples(features: features, targets: .labels(targets)))
        let approximation = try approximation(curvature)
        let solution = try approximation.solve(
            mnist.testGradients, count: MNISTSoftmax.testCount, in: mnist.system, parallel: parallel)
        let reference = try MNISTSoftmax.fixture("s_test").floats()
        let error = Closeness.relativeDistance(solution.vectors[mnist.part(0)], reference[mnist.part(0)])
        #expect(abs(error - 0.285) < 0.002, "\(error)")
        #expect(solution.converged.allSatisfy { !$0 })
        let scores = try NetworkGradients(model: network, examples: curvature.examples).scores(
            along: Array(solution.vectors[mnist.part(0)]), parallel: parallel)
        let exact = try MNISTSoftmax.fixture("scores").floats()[mnist.scoredRows(0)]
        #expect(abs(Closeness.pearson(scores.values.copy, exact) - 0.919) < 0.002)
    }
}
