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

    private static func numbers(_ name: String) throws -> [Double] {
        try TensorFile.read(path: Fixtures.path("fixtures/models/iris-softmax/\(name).npy")).doubles()
    }

    init() throws {
        let model = SoftmaxRegression(inputWidth: 4, classCount: 3, hasBias: true)
        let parameters = try Self.numbers("flat").map { Float($0) }
        let features = FeatureRows(try Self.numbers("train_inputs").map { Float($0) }, width: 4)
        let targets = try Self.numbers("train_targets").map { Int32($0) }
        let probabilities = try model.evaluate(parameters, on: features).probabilities
        gradients = FactoredGradients(
            model: model, features: features, residuals: model.residuals(probabilities: probabilities, targets: targets))
        // The model's weight decay, and no damping.
        system = DampedCurvature(
            SoftmaxCurvature(.hessian, model: model, features: features, outputFactors: probabilities), shift: 0.01)
        let tests = FeatureRows(try Self.numbers("test_inputs").map { Float($0) }, width: 4)
        let testTargets = try Self.numbers("test_targets").map { Int($0) }
        let testProbabilities = try model.evaluate(parameters, on: tests).probabilities
        sides = testTargets.indices.flatMap { test in
            model.gradient(
                probabilities: testProbabilities[test * 3..<(test + 1) * 3], input: tests.values(of: test),
                target: testTargets[test])
        }
    }

    @Test("gradients of the tests")
    func testGradients() throws {
        let expected = try Self.numbers("test_gradients")
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
        let (expectedVectors, expectedScores) = (try Self.numbers("s_test"), try Self.numbers("scores"))
        for test in 0..<30 {
            let part = test * 15..<(test + 1) * 15
            #expect(Closeness.relativeDistance(solution.vectors[part], expectedVectors[part]) < 1e-4)
            #expect(Closeness.relativeDistance(scores[test], expectedScores[test * 120..<(test + 1) * 120]) < 1e-4)
        }
    }

    @Test("LiSSA with automatic settings points where the exact solution does")
    func lissa() throws {
        let spectrum = try SpectrumEstimate(of: system.data, parallel: parallel)
        let eigenvalues = try Self.numbers("eigenvalues_min_max")
        #expect(abs(spectrum.largestEigenvalue + 0.01 - eigenvalues[1]) < 0.01 * eigenvalues[1])
        let solution = try LiSSA(.init(), spectrum: spectrum, exampleCount: 120, shift: 0.01)
            .solve(sides, count: 30, in: system, parallel: parallel)
        let scores = try gradients.scores(along: solution.vectors, parallel: parallel)
        let (expectedVectors, expectedScores) = (try Self.numbers("s_test"), try Self.numbers("scores"))
        for test in 0..<30 {
            let part = test * 15..<(test + 1) * 15
            #expect(Closeness.cosine(solution.vectors[part], expectedVectors[part]) > 0.99)
            #expect(Closeness.pearson(scores[test], expectedScores[test * 120..<(test + 1) * 120]) > 0.99)
        }
    }
}
