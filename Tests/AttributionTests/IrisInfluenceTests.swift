import Attribution
import Formats
import InverseCurvature
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Influence on the iris data against PyTorch and a dense solve in double precision.
@Suite("iris influence", .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct IrisInfluenceTests {
    private let parallel = Parallel(threads: 2)
    private let gradients: FactoredGradients
    private let system: DampedCurvature
    /// ∇ℓ of the thirty tests, stacked.
    private let sides: [Float]

    private let fixture: InfluenceFixture

    init() throws {
        fixture = try InfluenceFixture("iris-softmax")
        let (training, tests) = (fixture.training, fixture.tests)
        let model = try #require(SoftmaxRegression(fixture.network.network))
        let factors = AlignedMemory<Float>(uninitialized: training.count * model.classCount)
        try fixture.network.factors(of: 0..<training.count, in: training, into: factors.start, parallel: parallel)
        let residuals = factors.copy
        gradients = FactoredGradients(model: model, features: training.features, residuals: residuals)
        let targets = (0..<training.count).map { Int32(training.targets.number($0)) }
        // The model's weight decay, and no damping.
        system = DampedCurvature(
            SoftmaxCurvature(.hessian, model: model, features: training.features, residuals: residuals, targets: targets),
            shift: 0.01)
        sides = try fixture.network.gradients(of: 0..<tests.count, in: tests)
    }

    @Test("gradients of the tests")
    func testGradients() throws {
        let expected = try fixture.numbers("test_gradients")
        for test in 0..<30 {
            let part = test * 15..<(test + 1) * 15
            #expect(Closeness.relativeDistance(sides[part], expected[part]) < 1e-4)
        }
    }

    @Test("exact s_test and scores of all thirty tests, solved at once")
    func exact() throws {
        let solution = try ExactSolver(factoring: system, memoryLimit: 1 << 20, parallel: parallel)
            .solve(sides, count: 30, in: system, parallel: parallel)
        #expect(solution.converged.allSatisfy { $0 })
        let scores = try gradients.scores(along: solution.vectors, parallel: parallel)
        let (expectedVectors, expectedScores) = (try fixture.numbers("s_test"), try fixture.numbers("scores"))
        for test in 0..<30 {
            let part = test * 15..<(test + 1) * 15
            #expect(Closeness.relativeDistance(solution.vectors[part], expectedVectors[part]) < 1e-4)
            #expect(Closeness.relativeDistance(scores[test], expectedScores[test * 120..<(test + 1) * 120]) < 1e-4)
        }
    }

    @Test("LiSSA with automatic settings points where the exact solution does")
    func lissa() throws {
        let spectrum = try SpectrumEstimate(of: system.data, parallel: parallel)
        let eigenvalues = try fixture.numbers("eigenvalues_min_max")
        #expect(abs(spectrum.largestEigenvalue + 0.01 - eigenvalues[1]) < 0.01 * eigenvalues[1])
        let solution = try LiSSA(.init(), spectrum: spectrum, exampleCount: 120, shift: 0.01)
            .solve(sides, count: 30, in: system, parallel: parallel)
        let scores = try gradients.scores(along: solution.vectors, parallel: parallel)
        let (expectedVectors, expectedScores) = (try fixture.numbers("s_test"), try fixture.numbers("scores"))
        for test in 0..<30 {
            let part = test * 15..<(test + 1) * 15
            #expect(Closeness.cosine(solution.vectors[part], expectedVectors[part]) > 0.99)
            #expect(Closeness.pearson(scores[test], expectedScores[test * 120..<(test + 1) * 120]) > 0.99)
        }
    }
}
