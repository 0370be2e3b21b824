import Attribution
import Formats
import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

/// Sketches of softmax regression's inverse curvature on MNIST, against exact solutions in double precision.
@Suite(
    "MNIST sketches", .serialized, .enabled(if: Fixtures.isAvailable, Fixtures.absence),
    .enabled(if: BuildConfiguration.isOptimized, "many products over all rows: minutes without the optimiser"))
struct MNISTSketchTests {
    private let mnist: MNISTSoftmax
    private let parallel = MNISTSoftmax.parallel

    init() throws { mnist = try MNISTSoftmax.shared.get() }

    /// The medians over the ten tests.
    private func quality(_ sketch: SketchSolver) throws -> (error: Double, pearson: Double) {
        let (vectors, exactScores) = (try MNISTSoftmax.fixture("s_test").floats(), try MNISTSoftmax.fixture("scores").floats())
        let solution = try sketch.solve(
            mnist.testGradients, count: MNISTSoftmax.testCount, in: mnist.system, parallel: parallel)
        let scores = try mnist.gradients.scores(along: solution.vectors, parallel: parallel)
        func median(_ numbers: [Double]) -> Double { numbers.sorted()[numbers.count / 2] }
        let tests = 0..<MNISTSoftmax.testCount
        return (
            median(tests.map { Closeness.relativeDistance(solution.vectors[mnist.part($0)], vectors[mnist.part($0)]) }),
            median(tests.map { Closeness.pearson(scores[$0], exactScores[mnist.scoredRows($0)]) })
        )
    }

    @Test("64 fitted columns: scores of Pearson 0.85 with the exact ones")
    func fitted() throws {
        let quality = try quality(
            SketchSolver(
                of: mnist.system, settings: .init(projectionDim: 64), spectrum: mnist.spectrum, memoryLimit: 1 << 28,
                parallel: parallel))
        #expect(quality.error < 0.7)
        #expect(quality.pearson > 0.85)
    }

    @Test(
        "64 columns as in the paper: an error of thirty times the solution, as its variance foretells, and scores of Pearson below 0.3"
    )
    func unbiased() throws {
        let lissa = LiSSA.Choice(numRepeat: 1, rounds: 1)
        let quality = try quality(
            SketchSolver(
                of: mnist.system, settings: .init(projectionDim: 64, estimate: .unbiased), memoryLimit: 1 << 28,
                parallel: parallel
            ) { group in
                var choice = lissa
                choice.seed = UInt64(group)
                return LiSSA(choice, spectrum: mnist.spectrum, exampleCount: 55_000, shift: mnist.system.shift)
            })
        #expect((15...60).contains(quality.error))
        #expect((0.02...0.3).contains(quality.pearson))
    }
}
