import LinearAlgebra
import Networks
import TestSupport
import Testing

@Suite("training of networks", .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct NetworkObjectiveTests {
    private func objective(_ fixture: ModelFixture) -> NetworkObjective {
        NetworkObjective(fixture.network, fixed: fixture.fixed.map { Float($0) }, on: fixture.training)
    }

    private func start(_ objective: NetworkObjective) -> [Float] {
        var numbers = SeededNumbers(1)
        return numbers.floats(objective.dimension, scale: 0.1)
    }

    @Test("the gradient of F is its slope, and the Hessian's product the gradient's", arguments: ModelFixture.names)
    func derivatives(name: String) throws {
        let fixture = try ModelFixture(name)
        let objective = objective(fixture)
        let theta = fixture.parameters.map { Float($0) }
        var numbers = SeededNumbers(4)
        var direction = numbers.floats(theta.count)
        let length = Float(Vectors.norm(direction))
        for i in direction.indices { direction[i] /= length }
        func evaluate(_ step: Float) throws -> (objective: Double, gradient: [Float]) {
            var gradient = theta
            let moved = zip(theta, direction).map { $0 + step * $1 }
            let value = try objective.evaluate(
                moved, over: .range(0..<objective.exampleCount), gradient: &gradient, parallel: Parallel(threads: 2),
                interruption: .never)
            return (value.objective, gradient)
        }
        let (step, here) = (Float(1e-2), try evaluate(0))
        let (above, below) = (try evaluate(step), try evaluate(-step))
        let slope = (above.objective - below.objective) / Double(2 * step)
        #expect(abs(Vectors.dot(here.gradient, direction) - slope) < 1e-3 * max(1, abs(slope)))
        guard fixture.curvature == .hessian else { return }
        var product = theta
        try objective.hessianProduct(
            at: theta, of: direction, to: &product, parallel: Parallel(threads: 2), interruption: .never)
        let expected = zip(above.gradient, below.gradient).map { ($0 - $1) / (2 * step) }
        #expect(Closeness.relativeDistance(product, expected) < 2e-2)
    }

    @Test(
        "the optimisers for convex objectives meet at PyTorch's minimum of the convex networks",
        arguments: ["iris-softmax", "iris-logistic"])
    func convex(name: String) throws {
        let fixture = try ModelFixture(name)
        let objective = objective(fixture)
        let start = [Float](repeating: 0, count: objective.dimension)
        for optimizer: Optimizer in [.lbfgs(), .newtonCG()] {
            let last = try Training.run(
                TrainingSettings(optimizer: optimizer, epochs: 500, gradientNorm: 1e-6), on: objective, from: start
            ).last
            #expect(last.stop == .gradientNorm)
            #expect(Closeness.relativeDistance(last.parameters, fixture.parameters) < 1e-3)
        }
    }

    @Test("networks learn by every optimiser", arguments: ModelFixture.names)
    func learns(name: String) throws {
        let objective = objective(try ModelFixture(name))
        for optimizer: Optimizer in [
            .lbfgs(), .newtonCG(NewtonCG(maxProducts: 5)), .sgd(SGD(learningRate: 0.02, momentum: 0.9)),
            .adam(Adam(learningRate: 0.01)),
        ] {
            let isStochastic = optimizer.learningRate(inEpoch: 0) != nil
            let moments = try Training.run(
                TrainingSettings(optimizer: optimizer, epochs: 3, batchSize: isStochastic ? 32 : nil), on: objective,
                from: start(objective)
            ).moments
            #expect(try #require(moments.last).objective < moments[0].objective)
        }
    }

    @Test("a network's run has the same bits on any number of threads", arguments: ["iris-mlp", "digits-mlp"])
    func threads(name: String) throws {
        let objective = objective(try ModelFixture(name))
        for optimizer: Optimizer in [.lbfgs(), .sgd(SGD(learningRate: 0.05, momentum: 0.9))] {
            let settings = TrainingSettings(
                optimizer: optimizer, epochs: 2, batchSize: optimizer.learningRate(inEpoch: 0) == nil ? nil : 64)
            let one = try Training.run(settings, on: objective, from: start(objective), threads: 1).last.parameters
            for threads in [2, 4] {
                #expect(
                    try Training.run(settings, on: objective, from: start(objective), threads: threads).last.parameters == one)
            }
        }
    }
}
