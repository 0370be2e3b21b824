import Formats
import Foundation
import JSON
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Softmax regression on the iris data against PyTorch's automatic differentiation in double precision.
@Suite("iris softmax regression", .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct IrisSoftmaxTests {
    private static let folder = "fixtures/models/iris-softmax/"

    private func numbers(_ name: String) throws -> [Double] {
        try TensorFile.read(path: Fixtures.path(Self.folder + name + ".npy")).doubles()
    }

    private let model: SoftmaxRegression
    private let spec: ModelSpec
    private let parameters: [Float]
    private let features: FeatureRows
    private let targets: [Int32]
    private let evaluation: SoftmaxRegression.Evaluation

    init() throws {
        spec = try ModelSpec(JSON(parsing: String(contentsOfFile: Fixtures.path(Self.folder + "spec.json"), encoding: .utf8)))
        model = try #require(SoftmaxRegression(Network(spec)))
        let file = try SafetensorsFile(path: Fixtures.path(Self.folder + "model.safetensors"))
        let model = model
        parameters = try model.tensors.flatMap { try file.tensor(named: $0.name).floats() }
        features = FeatureRows(
            try TensorFile.read(path: Fixtures.path(Self.folder + "train_inputs.npy")).floats(), width: model.inputWidth)
        targets = try TensorFile.read(path: Fixtures.path(Self.folder + "train_targets.npy")).integers().map { Int32($0) }
        evaluation = try model.evaluate(parameters, on: features)
    }

    private func probabilities(_ example: Int) -> ArraySlice<Float> {
        evaluation.probabilities[example * model.classCount..<(example + 1) * model.classCount]
    }

    @Test("the parameters stand in θ's order")
    func parametersInOrder() throws {
        #expect(model.parameterCount == 15)
        #expect(spec.weightDecay == 0.01)
        #expect(try parameters.map { Double($0) } == numbers("flat"))
    }

    @Test("outputs of the first sixteen examples")
    func outputs() throws {
        #expect(Closeness.largestError(evaluation.outputs.prefix(16 * 3), try numbers("train_outputs")) < 1e-5)
    }

    @Test("losses of all training and test examples")
    func losses() throws {
        for (inputs, labels, losses) in [
            ("train_inputs", "train_targets", "train_loss"), ("test_inputs", "test_targets", "test_loss"),
        ] {
            let features = FeatureRows(try numbers(inputs).map { Float($0) }, width: 4)
            let outputs = try model.evaluate(parameters, on: features).outputs
            let targets = try numbers(labels).map { Int($0) }
            let computed = targets.indices.map { model.loss(outputs: outputs[$0 * 3..<($0 + 1) * 3], target: targets[$0]) }
            for (loss, expected) in zip(computed, try numbers(losses)) { #expect(abs(loss - expected) < 1e-4 * expected) }
        }
    }

    @Test("gradients of the first sixteen examples, and the norms of all")
    func gradients() throws {
        let expected = try numbers("train_gradients")
        let norms = try numbers("self_gradient_norm")
        for example in 0..<features.count {
            let gradient = model.gradient(
                probabilities: probabilities(example), input: features.values(of: example), target: Int(targets[example]))
            if example < 16 {
                #expect(Closeness.relativeDistance(gradient, expected[example * 15..<(example + 1) * 15]) < 1e-4)
            }
            #expect(abs(Vectors.norm(gradient) - norms[example]) < 1e-4 * norms[example])
        }
    }

    @Test("Hessian and Gauss-Newton products, which are the same here, with weight decay added", arguments: ["hvp", "ggnvp"])
    func products(name: String) throws {
        let curvature = SoftmaxCurvature(.hessian, model: model, features: features, outputFactors: evaluation.probabilities)
        let vectors = try numbers("probe_vectors").map { Float($0) }
        var images = [Float](repeating: 0, count: vectors.count)
        try curvature.product(of: vectors, to: &images, vectorCount: 3, parallel: Parallel(threads: 2))
        let decayed = zip(images, vectors).map { Double($0) + spec.weightDecay * Double($1) }
        let expected = try numbers(name)
        for v in 0..<3 {
            let part = v * 15..<(v + 1) * 15
            #expect(Closeness.relativeDistance(decayed[part], expected[part]) < 1e-4)
        }
    }
}
