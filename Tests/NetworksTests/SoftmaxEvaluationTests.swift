import LinearAlgebra
import Networks
import TestSupport
import Testing

@Suite("softmax regression: outputs, losses and gradients")
struct SoftmaxEvaluationTests {
    @Test("outputs and probabilities are those of the definition", arguments: SoftmaxProblem.all(count: 67, width: 9))
    func evaluation(problem: SoftmaxProblem) throws {
        let evaluation = try problem.model.evaluate(problem.parameters, on: problem.features)
        let classes = problem.model.classCount
        for example in 0..<problem.features.count {
            let row = example * classes..<(example + 1) * classes
            #expect(Closeness.largestError(evaluation.outputs[row], problem.reference.outputs(problem.theta, example)) < 1e-5)
            let probabilities = problem.reference.probabilities(problem.theta, example)
            #expect(Closeness.largestError(evaluation.probabilities[row], probabilities) < 1e-5)
        }
    }

    @Test("the loss is −log of the target's probability", arguments: SoftmaxProblem.all(count: 20, width: 9))
    func loss(problem: SoftmaxProblem) throws {
        let evaluation = try problem.model.evaluate(problem.parameters, on: problem.features)
        let classes = problem.model.classCount
        for example in 0..<problem.features.count {
            let outputs = evaluation.outputs[example * classes..<(example + 1) * classes]
            let expected = problem.reference.loss(problem.theta, example)
            let loss = problem.model.loss(outputs: outputs, target: Int(problem.targets[example]))
            #expect(abs(loss - expected) < 1e-5 * max(1, expected))
        }
    }

    @Test("outputs of any size give finite probabilities and losses")
    func extreme() throws {
        let model = SoftmaxRegression(inputWidth: 1, classCount: 3, hasBias: false)
        let features = FeatureRows([1, -1, 1e-30], width: 1)
        let evaluation = try model.evaluate([1e5, 0, -1e5], on: features)
        #expect(evaluation.probabilities[0..<6] == [1, 0, 0, 0, 0, 1])
        #expect(Closeness.largestError(evaluation.probabilities[6..<9], [1.0, 1.0, 1.0].map { $0 / 3 }) < 1e-6)
        #expect(model.loss(outputs: evaluation.outputs[0..<3], target: 2) == 2e5)
        #expect(model.loss(outputs: evaluation.outputs[0..<3], target: 0) == 0)
        // −log(1 / (1 + e⁻²⁰ + e⁻⁴⁰)): below what single precision resolves beside 1.
        let small = model.loss(outputs: [20, 0, -20] as [Float], target: 0)
        #expect(abs(small - 2.061_153_6e-9) < 1e-15)
    }

    @Test("the gradient is the loss's finite difference", arguments: SoftmaxProblem.all(count: 6, width: 5))
    func finiteDifferences(problem: SoftmaxProblem) throws {
        let evaluation = try problem.model.evaluate(problem.parameters, on: problem.features)
        let classes = problem.model.classCount
        for example in 0..<problem.features.count {
            let gradient = problem.model.gradient(
                probabilities: evaluation.probabilities[example * classes..<(example + 1) * classes],
                input: problem.features.values(of: example), target: Int(problem.targets[example]))
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

    @Test("a gradient is its residual times the input", arguments: SoftmaxProblem.all(count: 40, width: 3))
    func factors(problem: SoftmaxProblem) throws {
        let probabilities = try problem.model.evaluate(problem.parameters, on: problem.features).probabilities
        let residuals = problem.model.residuals(probabilities: probabilities, targets: problem.targets)
        let classes = problem.model.classCount
        for example in 0..<problem.features.count {
            let input = problem.features.values(of: example)
            let residual = residuals[example * classes..<(example + 1) * classes]
            let product = residual.flatMap { r in input.map { r * $0 } } + (problem.model.hasBias ? Array(residual) : [])
            let gradient = problem.model.gradient(
                probabilities: probabilities[example * classes..<(example + 1) * classes], input: input,
                target: Int(problem.targets[example]))
            #expect(gradient == product)
        }
    }

    @Test(
        "the gradient of a confident example keeps its accuracy, where 1 − p would round away",
        arguments: [8, 12, 16, 20] as [Float])
    func confident(margin: Float) throws {
        let model = SoftmaxRegression(inputWidth: 1, classCount: 3, hasBias: true)
        let reference = SoftmaxReference(model: model, inputs: [[1]], targets: [1])
        let parameters: [Float] = [0, margin, -1, 0, 0, 0.5]
        let probabilities = try model.evaluate(parameters, on: FeatureRows([1], width: 1)).probabilities
        let expected = reference.gradient(parameters.map { Double($0) }, 0)
        #expect(Closeness.largestError(model.gradient(probabilities: probabilities, input: [1], target: 1), expected) < 1e-5)
        #expect(Closeness.largestError(model.residuals(probabilities: probabilities, targets: [1]), expected[0..<3]) < 1e-5)
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
        let one = try problem.model.evaluate(problem.parameters, on: problem.features, parallel: Parallel(threads: 1))
        for threads in [2, 5] {
            let other = try problem.model.evaluate(problem.parameters, on: problem.features, parallel: Parallel(threads: threads))
            #expect(other.outputs == one.outputs)
            #expect(other.probabilities == one.probabilities)
        }
    }

    @Test("stops when interrupted")
    func interrupted() {
        let problem = SoftmaxProblem(count: 100, width: 4, classes: 2, bias: true, bytes: false)
        #expect(throws: Interrupted()) {
            try problem.model.evaluate(problem.parameters, on: problem.features, interruption: Interruption { true })
        }
    }

    @Test("tensors are named and shaped as PyTorch's, weight before bias")
    func tensors() {
        let model = SoftmaxRegression(inputWidth: 4, classCount: 3, hasBias: true, layerName: "fc")
        #expect(model.tensors.map(\.name) == ["fc.weight", "fc.bias"])
        #expect(model.tensors.map(\.shape) == [[3, 4], [3]])
        #expect(model.parameterCount == 15)
        let plain = SoftmaxRegression(inputWidth: 4, classCount: 3, hasBias: false)
        #expect(plain.tensors.map(\.name) == ["0.weight"])
        #expect(plain.parameterCount == 12)
    }
}
