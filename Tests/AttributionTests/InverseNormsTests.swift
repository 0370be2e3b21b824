import Attribution
import InverseCurvature
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// RelatIF's denominators of all training examples, of networks of every kind and of softmax regression on MNIST.
@Suite("RelatIF's denominators", .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct InverseNormsTests {
    private let parallel = Parallel(threads: 2)

    @Test(
        "both of them, and self-influence, of every training example, by the exact solver",
        arguments: NetworkInfluenceTests.names)
    func fixtures(name: String) throws {
        let fixture = try InfluenceFixture(name)
        let system = DampedCurvature(
            NetworkCurvature(fixture.kind, of: fixture.network, over: fixture.training),
            shift: fixture.network.network.weightDecay + fixture.damping)
        let norms = try ExactSolver(factoring: system, memoryLimit: 1 << 28, parallel: parallel).inverseNorms(
            of: NetworkFisherRows(of: fixture.network, over: fixture.training), .both, in: system, memoryLimit: 1 << 26,
            parallel: parallel, interruption: .never)
        for (computed, file) in [
            (norms.selfInfluence, "self_influence"), (norms.denominators(.theta) ?? [], "theta_relatif_denominator"),
            (norms.denominators(.loss) ?? [], "loss_relatif_denominator"),
        ] {
            let expected = try fixture.numbers(file)
            #expect(Closeness.relativeDistance(computed, expected) < 1e-5, "\(file)")
            // Where a residual is a difference of nearly equal numbers its gradient has no more digits than these leave.
            let worst = zip(computed, expected).map { abs($0 - $1) / $1 }.max() ?? .infinity
            #expect(worst < 5e-4, "\(file)")
        }
    }

    @Test("by EKFAC they are the lengths of its solutions, of layers of every kind", arguments: NetworkInfluenceTests.names)
    func ekfac(name: String) throws {
        let fixture = try InfluenceFixture(name)
        let curvature = NetworkCurvature(.gaussNewton, of: fixture.network, over: fixture.training)
        let shift = fixture.network.network.weightDecay + 0.01
        let (blocks, count) = try curvature.kroneckerBlocks(KroneckerSettings(memoryLimit: 1 << 28), parallel: parallel)
        let approximation = try EKFAC(blocks: blocks, exampleCount: count)
        let norms = try approximation.inverseNorms(
            of: NetworkFisherRows(of: fixture.network, over: fixture.training), .both,
            in: DampedCurvature(curvature, shift: shift), memoryLimit: 1 << 24, parallel: parallel, interruption: .never)
        let p = fixture.network.network.parameterCount
        let gradients = try fixture.network.gradients(of: 0..<fixture.training.count, in: fixture.training)
        var solutions = gradients
        try approximation.inverse(shift: shift).apply(
            gradients, to: &solutions, count: fixture.training.count, parallel: parallel, interruption: .never)
        let (influence, steps) = (0..<fixture.training.count).reduce(into: ([Double](), [Double]())) { result, i in
            let (g, s) = (Array(gradients[i * p..<(i + 1) * p]), Array(solutions[i * p..<(i + 1) * p]))
            result.0.append(Vectors.dot(g, s))
            result.1.append(Vectors.dot(s, s))
        }
        #expect(Closeness.relativeDistance(norms.selfInfluence, influence) < 1e-5)
        #expect(Closeness.relativeDistance(norms.squaredSteps ?? [], steps) < 1e-5)
    }

    @Test("of examples with weights they are those of wᵢ∇ℓᵢ")
    func weights() throws {
        let fixture = try InfluenceFixture("iris-mlp")
        let (n, p) = (fixture.training.count, fixture.network.network.parameterCount)
        let weights = (0..<n).map { [1, 0, 2.5, 0.25][$0 % 4] as Float }
        let examples = LabeledExamples(
            features: fixture.training.features, targets: fixture.training.targets, weights: weights)
        let system = DampedCurvature(NetworkCurvature(.gaussNewton, of: fixture.network, over: examples), shift: 0.01)
        let solver = try ExactSolver(factoring: system, memoryLimit: 1 << 28, parallel: parallel)
        let norms = try solver.inverseNorms(
            of: NetworkFisherRows(of: fixture.network, over: examples), .both, in: system, memoryLimit: 1 << 24,
            parallel: parallel, interruption: .never
        ).weighted(by: weights)
        let gradients = try fixture.network.gradients(of: 0..<n, in: examples)
        let solutions = try solver.solve(gradients, count: n, in: system, parallel: parallel).vectors
        for i in 0..<n {
            let (g, s) = (Array(gradients[i * p..<(i + 1) * p]), Array(solutions[i * p..<(i + 1) * p]))
            #expect(abs(norms.selfInfluence[i] - Vectors.dot(g, s)) <= 1e-4 * Vectors.dot(g, s))
            #expect(abs((norms.squaredSteps?[i] ?? -1) - Vectors.dot(s, s)) <= 1e-4 * Vectors.dot(s, s))
        }
    }

    @Test(
        "on MNIST those of five hundred examples by the factor are the lengths of refined solutions",
        .enabled(if: BuildConfiguration.isOptimized, "the factor takes minutes without the optimiser"))
    func mnist() throws {
        let mnist = try MNISTSoftmax.shared.get()
        let (n, p) = (500, mnist.model.parameterCount)
        let pixels = AlignedMemory<Float>(uninitialized: n * 784)
        mnist.gradients.features.copyValues(of: 0..<n, into: pixels.start)
        let rows = try SoftmaxFisherRows(
            model: mnist.model, features: FeatureRows(.float32(pixels), count: n, width: 784),
            residuals: Array(mnist.gradients.residuals[..<(10 * n)]), parallel: parallel)
        let solver = try ExactSolver(factoring: mnist.system, memoryLimit: 1 << 30, parallel: parallel)
        let norms = try solver.inverseNorms(
            of: rows, .both, in: mnist.system, memoryLimit: 1 << 28, parallel: parallel, interruption: .never)
        let chosen = [0, 17, 256, 499]
        let gradients = chosen.flatMap { i in
            (0..<10).flatMap { c in (0..<784).map { mnist.gradients.residuals[10 * i + c] * pixels.start[784 * i + $0] } }
        }
        let solution = try solver.solve(gradients, count: 4, in: mnist.system, parallel: parallel)
        #expect(solution.converged.allSatisfy { $0 })
        for (place, i) in chosen.enumerated() {
            let part = place * p..<(place + 1) * p
            let (g, s) = (Array(gradients[part]), Array(solution.vectors[part]))
            #expect(abs(norms.selfInfluence[i] / Vectors.dot(g, s) - 1) < 1e-4)
            #expect(abs((norms.squaredSteps?[i] ?? 0) / Vectors.dot(s, s) - 1) < 1e-4)
        }
    }
}
