import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// All kinds of layers and losses against PyTorch's automatic differentiation in double precision.
@Suite("networks of every kind", .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct ModelFixtureTests {
    private let parallel = Parallel(threads: 2)

    @Test("parameters stand in θ's order", arguments: ModelFixture.names)
    func order(name: String) throws {
        let fixture = try ModelFixture(name)
        #expect(try fixture.parameters == fixture.numbers("flat"))
    }

    @Test("outputs and losses", arguments: ModelFixture.names)
    func outputs(name: String) throws {
        let fixture = try ModelFixture(name)
        let width = fixture.network.outputWidth
        for (examples, losses) in [(fixture.training, "train_loss"), (fixture.tests, "test_loss")] {
            let outputs = try fixture.trained.outputs(of: examples.features, parallel: parallel)
            let computed = (0..<examples.count).map {
                fixture.trained.loss(outputs: outputs.start + $0 * width, target: examples.targets.number($0))
            }
            #expect(try Closeness.relativeDistance(computed, fixture.numbers(losses)) < 1e-5)
        }
        let outputs = try fixture.trained.outputs(of: fixture.training.features, parallel: parallel)
        #expect(
            try Closeness.relativeDistance(outputs.elements.prefix(16 * width).map(Double.init), fixture.numbers("train_outputs"))
                < 1e-5)
    }

    @Test("gradients of training and test examples, and all norms", arguments: ModelFixture.names)
    func gradients(name: String) throws {
        let fixture = try ModelFixture(name)
        let length = fixture.network.parameterCount
        let training = try fixture.trained.gradients(of: 0..<fixture.training.count, in: fixture.training)
        let tests = try fixture.trained.gradients(of: 0..<fixture.tests.count, in: fixture.tests)
        #expect(
            try Closeness.relativeDistance(training.prefix(16 * length).map(Double.init), fixture.numbers("train_gradients"))
                < 1e-4)
        #expect(try Closeness.relativeDistance(tests.map(Double.init), fixture.numbers("test_gradients")) < 1e-4)
        let norms = (0..<fixture.training.count).map { Vectors.norm(Array(training[$0 * length..<($0 + 1) * length])) }
        #expect(try Closeness.relativeDistance(norms, fixture.numbers("self_gradient_norm")) < 1e-4)
    }

    @Test("Hessian and Gauss-Newton products over all examples", arguments: ModelFixture.names)
    func products(name: String) throws {
        let fixture = try ModelFixture(name)
        let decay = fixture.network.weightDecay
        let probes = try fixture.numbers("probe_vectors")
        for (kind, file) in [(CurvatureKind.hessian, "hvp"), (.gaussNewton, "ggnvp")] {
            let curvature = NetworkCurvature(kind, of: fixture.trained, over: fixture.training)
            let x = probes.map { Float($0) }
            var y = x
            try curvature.product(of: x, to: &y, vectorCount: 3, parallel: parallel)
            let decayed = zip(y, probes).map { Double($0) + decay * $1 }
            #expect(try Closeness.relativeDistance(decayed, fixture.numbers(file)) < 1e-4, "\(kind)")
        }
    }

    @Test("scores along the exact s_test", arguments: ModelFixture.names)
    func scores(name: String) throws {
        let fixture = try ModelFixture(name)
        let scores = try fixture.trained.scores(
            of: .range(0..<fixture.training.count), in: fixture.training, along: fixture.numbers("s_test").map { Float($0) },
            parallel: parallel)
        #expect(try Closeness.relativeDistance(scores.elements.map(Double.init), fixture.numbers("scores")) < 1e-4)
    }

    /// (∇²F − weight decay)·v over all training examples, in double precision.
    private func hessianProduct(_ fixture: ModelFixture, of v: [Double]) throws -> [Double] {
        let computation = fixture.inDouble
        var image = [Double](repeating: 0, count: v.count)
        try computation.withPass(.second, interruption: .never) { pass in
            var state = [Double](repeating: 0, count: pass.capacity * computation.loss.stateWidth)
            try computation.addProduct(
                .hessian, over: .range(0..<fixture.training.count), of: fixture.training, x: v, to: &image, count: 1, pass: pass,
                state: &state)
        }
        return image.map { $0 / Double(fixture.training.count) }
    }

    @Test("the same code in double precision gives PyTorch's Hessian products to ten digits", arguments: ModelFixture.names)
    func inDouble(name: String) throws {
        let fixture = try ModelFixture(name)
        let v = try Array(fixture.numbers("probe_vectors").prefix(fixture.network.parameterCount))
        let expected = try zip(fixture.numbers("hvp"), v).map { $0 - fixture.network.weightDecay * $1 }
        #expect(try Closeness.relativeDistance(hessianProduct(fixture, of: v), expected) < 1e-10)
    }

    /// Without the networks that have kinks: a unit that is switched between two points makes a jump.
    @Test(
        "products in double precision are differences of gradients",
        arguments: ModelFixture.names.filter { $0 != "digits-mlp" && $0 != "digits-cnn" })
    func finiteDifferences(name: String) throws {
        let fixture = try ModelFixture(name)
        let length = fixture.network.parameterCount
        let v = try Array(fixture.numbers("probe_vectors").prefix(length))
        func gradient(_ step: Double) throws -> [Double] {
            let moved = zip(fixture.parameters, v).map { $0 + step * $1 }
            var gradient = [Double](repeating: 0, count: length)
            try Computation(fixture.network, parameters: moved, fixed: fixture.fixed).addGradient(
                over: .range(0..<fixture.training.count), of: fixture.training, factor: 1 / Double(fixture.training.count),
                to: &gradient, interruption: .never)
            return gradient
        }
        let step = 1e-5
        let difference = zip(try gradient(step), try gradient(-step)).map { ($0 - $1) / (2 * step) }
        #expect(try Closeness.relativeDistance(hessianProduct(fixture, of: v), difference) < 1e-7)
    }
}
