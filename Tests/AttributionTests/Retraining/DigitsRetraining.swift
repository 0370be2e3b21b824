import Attribution
import Formats
import Foundation
import InverseCurvature
import LinearAlgebra
import Networks
import TestSupport

/// Softmax regression on some of the digits that ship with the package: with what influence functions say of it, and what happens.
struct DigitsRetraining: Sendable {
    static let parallel = Parallel(threads: 2)
    static let weightDecay = 0.01
    static let classes = 10

    /// Few enough that every one of them can be left out once.
    let training: LabeledExamples
    let tests: LabeledExamples
    /// At θ* as single precision has it.
    let network: TrainedNetwork
    let gradients: NetworkGradients
    let system: DampedCurvature
    let solver: ExactSolver
    let truth: SoftmaxRetraining
    /// The models without each of the training examples.
    let withoutOne: SoftmaxRetraining.Models

    var n: Int { training.count }
    var dimension: Int { network.network.parameterCount }

    /// Made once for all tests.
    static let shared = Result { try DigitsRetraining() }

    private init() throws {
        training = try Self.examples(0..<300)
        tests = try Self.examples(1_397..<1_497)
        let layer = LayerSpec(.linear(inFeatures: 64, outFeatures: Self.classes, bias: true), name: "linear")
        let structure = try Network(
            ModelSpec(layers: [layer], loss: .crossEntropy(labelSmoothing: 0), weightDecay: Self.weightDecay))
        let objective = NetworkObjective(structure, on: training)
        var run = try TrainingRun(
            TrainingSettings(optimizer: .newtonCG(), epochs: 100, gradientNorm: 1e-4), of: objective,
            from: [Float](repeating: 0, count: structure.parameterCount))
        _ = try run.resume(on: objective, parallel: Self.parallel) { _ in }
        truth = try SoftmaxRetraining(training, classes: Self.classes, weightDecay: Self.weightDecay, near: run.parameters)
        withoutOne = try truth.models(without: (0..<training.count).map { [$0] })

        network = TrainedNetwork(structure, parameters: truth.parameters.map { Float($0) })
        gradients = NetworkGradients(model: network, examples: training)
        system = DampedCurvature(NetworkCurvature(.hessian, of: network, over: training), shift: Self.weightDecay)
        solver = try ExactSolver(factoring: system, memoryLimit: 1 << 28, parallel: Self.parallel)
    }

    /// Rows of the digits, pixels from 0 to 1.
    private static func examples(_ rows: Range<Int>) throws -> LabeledExamples {
        // This file is PACKAGE/Tests/AttributionTests/Retraining/….
        let package = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        func file(_ name: String) throws -> Tensor {
            try TensorFile.read(path: package.appendingPathComponent("Sources/Demo/Resources/digits/\(name).npy").path)
        }
        let (images, labels) = (try file("images"), try file("labels"))
        return LabeledExamples(
            features: FeatureRows(try images.rows(rows).floats().map { $0 / 16 }, width: images.rowWidth),
            targets: .labels(try labels.rows(rows).integers().map { Int32($0) }))
    }

    /// (C + λI)⁻¹v for stacked vectors.
    func solved(_ sides: [Float]) throws -> [Float] {
        try solver.solve(sides, count: sides.count / dimension, in: system, parallel: Self.parallel).vectors
    }

    /// score / n of every training example for each of some stacked ∇ of tests: [tests][n].
    func predictions(_ sides: [Float]) throws -> [[Double]] {
        let scores = try gradients.scores(along: solved(sides), parallel: Self.parallel)
        return (0..<sides.count / dimension).map { scores[$0].map { Double($0) / Double(n) } }
    }

    /// The changes of every training example's loss without each of them: [examples left out][examples].
    var trainingLossChanges: [[Double]] {
        let byExample = changes(withoutOne, of: Self.loss, on: training)
        return (0..<n).map { left in byExample.map { $0[left] } }
    }

    /// What a measurement of each test's outputs changes by when models are trained without sets of examples: [tests][models].
    func changes(
        _ models: SoftmaxRetraining.Models, of measure: ([Double], Int) -> Double, on examples: LabeledExamples? = nil
    ) -> [[Double]] {
        let tests = examples ?? tests
        let (before, after) = (
            truth.outputs(of: tests.features, under: truth.whole), truth.outputs(of: tests.features, under: models)
        )
        let classes = Self.classes
        return (0..<tests.count).map { test in
            let label = Int(tests.targets.number(test))
            let base = measure(Array(before[test * classes..<(test + 1) * classes]), label)
            return (0..<models.count).map { model in
                let start = (test * models.count + model) * classes
                return measure(Array(after[start..<start + classes]), label) - base
            }
        }
    }

    /// −log softmax(outputs)[label].
    static func loss(_ outputs: [Double], _ label: Int) -> Double {
        let largest = outputs.max() ?? 0
        return log(outputs.reduce(0) { $0 + exp($1 - largest) }) + largest - outputs[label]
    }
}

/// A number in four digits, for what tests print.
func brief(_ value: Double) -> String { String(format: "%.4g", value) }

extension [Double] {
    /// Their mean.
    var mean: Double { reduce(0, +) / Double(count) }
}
