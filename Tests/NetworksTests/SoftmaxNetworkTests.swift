import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// The simplest network by its definition, in double precision.
@Suite("softmax regression: outputs, losses and gradients of the network")
struct SoftmaxNetworkTests {
    @Test("outputs and probabilities are those of the definition", arguments: SoftmaxProblem.all(count: 67, width: 9))
    func outputs(problem: SoftmaxProblem) throws {
        let outputs = try problem.trained.outputs(of: problem.features).copy
        let classes = problem.model.classCount
        for example in 0..<problem.features.count {
            let row = Array(outputs[example * classes..<(example + 1) * classes])
            #expect(Closeness.largestError(row, problem.reference.outputs(problem.theta, example)) < 1e-5)
            let probabilities = try #require(problem.trained.probabilities(outputs: row))
            #expect(Closeness.largestError(probabilities, problem.reference.probabilities(problem.theta, example)) < 1e-5)
        }
    }

    @Test("the loss is −log of the target's probability", arguments: SoftmaxProblem.all(count: 20, width: 9))
    func loss(problem: SoftmaxProblem) throws {
        let outputs = try problem.trained.outputs(of: problem.features)
        for example in 0..<problem.features.count {
            let expected = problem.reference.loss(problem.theta, example)
            let loss = problem.trained.loss(
                outputs: outputs.start + example * problem.model.classCount, target: Double(problem.targets[example]))
            #expect(abs(loss - expected) < 1e-5 * max(1, expected))
        }
    }

    @Test("outputs of any size give finite probabilities and losses")
    func extreme() throws {
        let model = SoftmaxRegression(inputWidth: 1, classCount: 3, hasBias: false)
        let trained = TrainedNetwork(model.network(), parameters: [1e5, 0, -1e5])
        let outputs = try trained.outputs(of: FeatureRows([1, -1, 1e-30], width: 1)).copy
        #expect(trained.probabilities(outputs: Array(outputs[0..<3])) == [1, 0, 0])
        #expect(trained.probabilities(outputs: Array(outputs[3..<6])) == [0, 0, 1])
        let even = try #require(trained.probabilities(outputs: Array(outputs[6..<9])))
        #expect(Closeness.largestError(even, [1.0, 1.0, 1.0].map { $0 / 3 }) < 1e-6)
        #expect(trained.loss(outputs: Array(outputs[0..<3]), target: 2) == 2e5)
        #expect(trained.loss(outputs: Array(outputs[0..<3]), target: 0) == 0)
    }

    @Test("a loss far below what is resolved beside 1, or beside its outputs, keeps its digits")
    func small() throws {
        let model = SoftmaxRegression(inputWidth: 1, classCount: 3, hasBias: false)
        let trained = TrainedNetwork(model.network(), parameters: [0, 0, 0])
        // −log(1 / (1 + e⁻²⁰ + e⁻⁴⁰)) and −log(1 / (1 + 2e⁻⁸⁰)).
        for (outputs, expected) in [([20, 0, -20], 2.061_153_624_562_735e-9), ([1e4, 9920, 9920], 3.609_702_775_690_831e-35)] {
            #expect(abs(trained.loss(outputs: outputs.map { Float($0) }, target: 0) - expected) < 1e-12 * expected)
        }
    }

    @Test("the gradient is the loss's finite difference", arguments: SoftmaxProblem.all(count: 6, width: 5))
    func finiteDifferences(problem: SoftmaxProblem) throws {
        for example in 0..<problem.features.count {
            let gradient = try problem.trained.gradient(of: example, in: problem.examples)
            let step = 1e-6
            let expected = problem.theta.indices.map { i in
                var (above, below) = (problem.theta, problem.theta)
                above[i] += step
                below[i] -= step
                return (problem.reference.loss(above, example) - problem.reference.loss(below, example)) / (2 * step)
            }
            #expect(Closeness.largestError(gradient, expected) < 1e-5)
            #expect(Closeness.largestError(gradient, problem.reference.gradient(problem.theta, example)) < 1e-5)
        }
    }

    @Test("a gradient is its residual, which is its factor, times the input", arguments: SoftmaxProblem.all(count: 40, width: 3))
    func factors(problem: SoftmaxProblem) throws {
        let residuals = try problem.trained.factors(of: problem.examples)
        let classes = problem.model.classCount
        #expect(problem.trained.factorWidth == classes)
        for example in 0..<problem.features.count {
            let input = problem.features.values(of: example)
            let residual = residuals[example * classes..<(example + 1) * classes]
            let product = residual.flatMap { r in input.map { r * $0 } } + (problem.model.hasBias ? Array(residual) : [])
            #expect(try problem.trained.gradient(of: example, in: problem.examples) == product)
        }
    }

    @Test(
        "the gradient of a confident example keeps its accuracy, where 1 − p would round away",
        arguments: [8, 12, 16, 20] as [Float])
    func confident(margin: Float) throws {
        let model = SoftmaxRegression(inputWidth: 1, classCount: 3, hasBias: true)
        let reference = SoftmaxReference(model: model, inputs: [[1]], targets: [1])
        let parameters: [Float] = [0, margin, -1, 0, 0, 0.5]
        let trained = TrainedNetwork(model.network(), parameters: parameters)
        let examples = LabeledExamples(features: FeatureRows([1], width: 1), targets: .labels([1]))
        let expected = reference.gradient(parameters.map { Double($0) }, 0)
        #expect(Closeness.largestError(try trained.gradient(of: 0, in: examples), expected) < 1e-5)
        #expect(Closeness.largestError(try trained.factors(of: examples), expected[0..<3]) < 1e-5)
    }

    @Test(
        "weighted sums of inputs accumulate onto what was there, or replace it, even NaN",
        arguments: [(1, 0), (0.5, 1), (-2, 0.25)] as [(Float, Float)])
    func accumulate(alpha: Float, beta: Float) {
        for bias in [false, true] {
            let model = SoftmaxRegression(inputWidth: 5, classCount: 3, hasBias: bias)
            var numbers = SeededNumbers(4)
            let features = FeatureRows(numbers.floats(9 * 5), width: 5, multiplier: 0.3)
            let tile = RowTile()
            tile.load(1..<8, of: .range(1..<9), from: features)
            let weights = numbers.floats(7 * 3)
            let before = beta == 0 ? [Float](repeating: .nan, count: model.parameterCount) : numbers.floats(model.parameterCount)
            var (scratch, after) = (weights, before)
            model.accumulate(&scratch, of: tile, in: features, alpha: alpha, beta: beta, into: &after)
            let expected = after.indices.map { i in
                let (c, j) = i < 15 ? (i / 5, i % 5) : (i - 15, -1)
                let sum = (0..<7).reduce(0.0) { sum, row in
                    sum + Double(weights[row * 3 + c]) * (j < 0 ? 1 : Double(features.values(of: row + 2)[j]))
                }
                return Double(alpha) * sum + (beta == 0 ? 0 : Double(beta) * Double(before[i]))
            }
            #expect(Closeness.largestError(after, expected) < 1e-6)
        }
    }

    @Test("the bits do not depend on the number of threads")
    func threads() throws {
        let problem = SoftmaxProblem(count: 1001, width: 33, classes: 10, bias: true, bytes: true)
        let outputs = try problem.trained.outputs(of: problem.features).copy
        let factors = try problem.trained.factors(of: problem.examples)
        for threads in [2, 5] {
            #expect(try problem.trained.outputs(of: problem.features, parallel: Parallel(threads: threads)).copy == outputs)
            #expect(try problem.trained.factors(of: problem.examples, threads: threads) == factors)
        }
    }

    @Test("stops when interrupted")
    func interrupted() {
        let problem = SoftmaxProblem(count: 100, width: 4, classes: 2, bias: true, bytes: false)
        #expect(throws: Interrupted()) {
            try problem.trained.outputs(of: problem.features, interruption: Interruption { true })
        }
    }

    @Test("only plain softmax regression has kernels of its own")
    func recognised() throws {
        let model = SoftmaxRegression(inputWidth: 4, classCount: 3, hasBias: false)
        #expect(SoftmaxRegression(model.network()) == model)
        func network(_ layers: [LayerSpec], shape: [Int] = [4], loss: LossSpec = .crossEntropy(labelSmoothing: 0)) throws
            -> Network
        {
            try Network(ModelSpec(inputShape: shape, layers: layers, loss: loss, weightDecay: 0))
        }
        let linear = LayerSpec(.linear(inFeatures: 4, outFeatures: 3, bias: false))
        #expect(try SoftmaxRegression(network([linear])) == model)
        #expect(try SoftmaxRegression(network([LayerSpec(.dropout), LayerSpec(.flatten), linear], shape: [2, 2])) == model)
        #expect(try SoftmaxRegression(network([linear], loss: .crossEntropy(labelSmoothing: 0.1))) == nil)
        #expect(try SoftmaxRegression(network([LayerSpec(.activation(.tanh)), linear])) == nil)
        let output = LayerSpec(.linear(inFeatures: 4, outFeatures: 1, bias: true))
        #expect(try SoftmaxRegression(network([output], loss: .meanSquaredError)) == nil)
    }
}
