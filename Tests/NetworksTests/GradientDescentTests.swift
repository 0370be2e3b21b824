import LinearAlgebra
import Networks
import TestSupport
import Testing

@Suite("training")
struct GradientDescentTests {
    private let parallel = Parallel(threads: 2)
    private let weightDecay = 0.05

    /// ∇F in double precision.
    private func gradient(_ problem: SoftmaxProblem, at parameters: [Float]) -> [Double] {
        let theta = parameters.map { Double($0) }
        var sum = theta.map { weightDecay * $0 }
        for example in 0..<problem.features.count {
            let one = problem.reference.gradient(theta, example)
            for i in sum.indices { sum[i] += one[i] / Double(problem.features.count) }
        }
        return sum
    }

    @Test(
        "ends at the objective's minimum, with and without bias, on bytes and floats",
        arguments: SoftmaxProblem.all(count: 40, width: 3))
    func minimum(problem: SoftmaxProblem) throws {
        let last = try GradientDescent(learningRate: 0.5, weightDecay: weightDecay).run(
            problem.model, on: problem.features, targets: problem.targets, epochs: 2000, gradientNorm: 1e-5, parallel: parallel)
        #expect(last.gradientNorm <= 1e-5)
        let exact = gradient(problem, at: last.parameters)
        #expect(exact.reduce(0) { $0 + $1 * $1 }.squareRoot() < 2e-5)
    }

    @Test("every state is shown: its epoch, its mean loss without weight decay, and the norm of its gradient")
    func states() throws {
        let problem = SoftmaxProblem(count: 35, width: 4, classes: 3, bias: true, bytes: false)
        var states: [GradientDescent.State] = []
        let last = try GradientDescent(learningRate: 0.1, weightDecay: weightDecay).run(
            problem.model, on: problem.features, targets: problem.targets, epochs: 5, gradientNorm: 0, parallel: parallel
        ) { states.append($0) }
        #expect(states.map { $0.epoch } == Array(0...5))
        #expect(states[0].parameters == [Float](repeating: 0, count: 15))
        #expect(last.parameters == states[5].parameters)
        for state in states {
            let theta = state.parameters.map { Double($0) }
            let loss = (0..<35).reduce(0) { $0 + problem.reference.loss(theta, $1) } / 35
            #expect(abs(state.trainLoss - loss) < 1e-5 * loss)
            let norm = gradient(problem, at: state.parameters).reduce(0) { $0 + $1 * $1 }.squareRoot()
            #expect(abs(state.gradientNorm - norm) < 1e-5 * norm)
        }
        for (earlier, later) in zip(states, states.dropFirst()) { #expect(later.trainLoss < earlier.trainLoss) }
    }

    @Test("without momentum a step is the learning rate times the gradient")
    func plainStep() throws {
        let problem = SoftmaxProblem(count: 10, width: 2, classes: 2, bias: true, bytes: false)
        let last = try GradientDescent(learningRate: 0.25, momentum: 0, weightDecay: weightDecay).run(
            problem.model, on: problem.features, targets: problem.targets, epochs: 1, gradientNorm: 0, parallel: parallel)
        let start = gradient(problem, at: [Float](repeating: 0, count: 6))
        #expect(Closeness.largestError(last.parameters, start.map { -0.25 * $0 }) < 1e-5)
    }

    @Test("has the same bits on any number of threads")
    func threads() throws {
        let problem = SoftmaxProblem(count: 200, width: 9, classes: 3, bias: true, bytes: true)
        let results = try [1, 2, 5].map {
            try GradientDescent(learningRate: 0.1, weightDecay: weightDecay).run(
                problem.model, on: problem.features, targets: problem.targets, epochs: 5, gradientNorm: 0,
                parallel: Parallel(threads: $0)
            ).parameters
        }
        #expect(results[1] == results[0])
        #expect(results[2] == results[0])
    }

    @Test("stops when interrupted")
    func interrupted() {
        let problem = SoftmaxProblem(count: 10, width: 2, classes: 2, bias: true, bytes: false)
        #expect(throws: Interrupted()) {
            try GradientDescent(learningRate: 0.1, weightDecay: weightDecay).run(
                problem.model, on: problem.features, targets: problem.targets, epochs: 5, gradientNorm: 0, parallel: parallel,
                interruption: Interruption { true })
        }
    }
}
