import Attribution
import Formats
import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

/// The service's main job at its real size, against exact solutions in double precision and against retraining.
@Suite("MNIST influence", .serialized, .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct MNISTInfluenceTests {
    private let mnist: MNISTSoftmax
    private let parallel = MNISTSoftmax.parallel

    init() throws { mnist = try MNISTSoftmax.shared.get() }

    @Test("labels and losses of the tests")
    func losses() throws {
        #expect(try mnist.testLabels == MNISTSoftmax.fixture("y_test").integers())
        for (loss, expected) in zip(mnist.testLosses, try MNISTSoftmax.fixture("test_loss").doubles()) {
            #expect(abs(loss - expected) < 1e-4 * expected)
        }
    }

    @Test("the spectrum: largest eigenvalue 2.307 and trace 104.4, weight decay included")
    func spectrum() {
        #expect(abs(mnist.spectrum.largestEigenvalue + 0.01 - 2.307) < 0.01 * 2.307)
        #expect(abs(mnist.spectrum.trace + 0.01 * 7840 - 104.4) < 0.05)
    }

    @Test("scores along the exact s_test are the exact scores, within 1e-3 of each test's largest")
    func scores() throws {
        let vectors = try MNISTSoftmax.fixture("s_test").floats()
        try expectExactScores(along: vectors)
    }

    @Test("scores / n are the changes of the loss on retraining without the example")
    func leaveOneOut() throws {
        let vectors = Array(try MNISTSoftmax.fixture("s_test").floats()[mnist.part(0)])
        let rows = try MNISTSoftmax.fixture("loo_idx").integers()
        let scores = try mnist.gradients.scores(of: .indices(rows.map { UInt32($0) }), along: vectors, parallel: parallel)[0]
        let predicted = scores.map { Double($0) / Double(mnist.gradients.count) }
        #expect(Closeness.relativeDistance(predicted, try MNISTSoftmax.fixture("loo_pred").doubles()) < 1e-4)
        for truth in ["loo_change_upweight", "loo_change_renorm"] {
            let changes = try MNISTSoftmax.fixture(truth).doubles()
            #expect(Closeness.pearson(predicted, changes) >= 0.999)
            #expect(Closeness.relativeDistance(predicted, changes) < 0.02, "size and sign as well")
        }
    }

    @Test(
        "the exact solver's scores are exact, within 1e-3 of each test's largest, and its residuals at rounding",
        .enabled(if: BuildConfiguration.isOptimized, "builds 31 million elements: minutes without the optimiser"))
    func exact() throws {
        let solution = try ExactSolver(factoring: mnist.system, memoryLimit: 1 << 30, parallel: parallel)
            .solve(mnist.testGradients, count: MNISTSoftmax.testCount, in: mnist.system, parallel: parallel)
        #expect(solution.converged == [Bool](repeating: true, count: MNISTSoftmax.testCount))
        #expect(solution.residuals.allSatisfy { $0 < 1e-4 })
        let expected = try MNISTSoftmax.fixture("s_test").floats()
        for test in 0..<MNISTSoftmax.testCount {
            #expect(Closeness.relativeDistance(solution.vectors[mnist.part(test)], expected[mnist.part(test)]) < 1e-3)
        }
        try expectExactScores(along: solution.vectors)
    }

    private func expectExactScores(along vectors: [Float]) throws {
        let scores = try mnist.gradients.scores(along: vectors, parallel: parallel)
        let expected = try MNISTSoftmax.fixture("scores").floats()
        for test in 0..<MNISTSoftmax.testCount {
            #expect(Closeness.largestError(scores[test], expected[mnist.scoredRows(test)]) < 1e-3)
        }
    }

    /// All seeds where the optimiser ran, the first without it.
    static let seeds: Range<UInt64> = BuildConfiguration.isOptimized ? 0..<5 : 0..<1

    @Test(
        "LiSSA with automatic settings: s_test within cosine 0.99, scores within Pearson 0.99, seeds 0…4 (only 0 in debug)",
        arguments: seeds)
    func lissa(seed: UInt64) throws {
        let count = MNISTSoftmax.testCount
        let run = LiSSA(
            .init(seed: seed), spectrum: mnist.spectrum, exampleCount: mnist.gradients.count, shift: MNISTSoftmax.weightDecay)
        let solution = try run.solve(mnist.testGradients, count: count, in: mnist.system, parallel: parallel)
        let scores = try mnist.gradients.scores(along: solution.vectors, parallel: parallel)
        let (vectors, exactScores) = (try MNISTSoftmax.fixture("s_test").floats(), try MNISTSoftmax.fixture("scores").floats())
        for test in 0..<count {
            #expect(Closeness.cosine(solution.vectors[mnist.part(test)], vectors[mnist.part(test)]) >= 0.99)
            #expect(Closeness.pearson(scores[test], exactScores[mnist.scoredRows(test)]) >= 0.99)
        }
        #expect(solution.converged.allSatisfy { $0 }, "\(solution.residuals)")
    }

    @Test("LiSSA, its scores and its ranking have the same bits on one and on two threads")
    func threads() throws {
        // Long enough for every repeat to draw many batches.
        let choice = LiSSA.Choice(recursionDepth: BuildConfiguration.isOptimized ? nil : 100)
        let run = LiSSA(choice, spectrum: mnist.spectrum, exampleCount: mnist.gradients.count, shift: MNISTSoftmax.weightDecay)
        let side = Array(mnist.testGradients[mnist.part(0)])
        let results = try [1, 2].map { threads in
            let parallel = Parallel(threads: threads)
            let solution = try run.solve(side, count: 1, in: mnist.system, parallel: parallel)
            let scores = try mnist.gradients.scores(along: solution.vectors, parallel: parallel)[0]
            let ranking = try mnist.gradients.ranking(
                of: 0, scores: scores, selection: .all, solution: solution, k: 10, parallel: parallel)
            return (solution: solution, scores: scores, ranking: ranking)
        }
        #expect(results[0].solution.vectors == results[1].solution.vectors)
        #expect(results[0].solution.repeats == results[1].solution.repeats)
        #expect(results[0].solution.residuals == results[1].solution.residuals)
        #expect(results[0].scores == results[1].scores)
        #expect(results[0].ranking == results[1].ranking)
    }
}
