import Attribution
import Formats
import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

/// The spectrum of softmax regression on MNIST, and what its eigenpairs are good for, against exact solutions in double precision.
@Suite("MNIST spectrum", .serialized, .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct MNISTSpectrumTests {
    private let mnist: MNISTSoftmax
    private let parallel = MNISTSoftmax.parallel

    init() throws { mnist = try MNISTSoftmax.shared.get() }

    @Test("the largest eigenvalue of a sample is that of all to half a per cent, and its bound holds")
    func largest() throws {
        let all = try SpectrumEstimate(of: mnist.system.data, sample: 0, batchSizes: [], parallel: parallel)
        #expect(abs(all.largestEigenvalue + 0.01 - 2.307) < 1e-3)
        #expect(abs(all.trace + 0.01 * 7840 - 104.4) < 0.05)
        #expect(mnist.spectrum.sampleSize == SpectrumEstimate.standardSample)
        #expect(mnist.spectrum.largestEigenvalue <= all.largestEigenvalue * (1 + 1e-5))
        #expect(mnist.spectrum.largestEigenvalue >= all.largestEigenvalue * 0.995)
        #expect(mnist.spectrum.largestBound >= all.largestEigenvalue)
    }

    @Test("no batch looked at exceeds the bound for its size, which is well below the one from single examples")
    func batches() throws {
        for batch in try #require(mnist.spectrum.batches) {
            let bound = mnist.spectrum.batchBound(size: batch.size)
            let others = try BatchSpectrum(
                of: mnist.system.data, size: batch.size, count: 16, seed: 1, parallel: parallel)
            #expect(others.largest <= bound, "batches of \(batch.size)")
            if batch.size <= 8 {
                #expect(bound < 0.8 * (mnist.spectrum.largestEigenvalue + mnist.spectrum.largestExampleNorm / Double(batch.size)))
            }
        }
    }

    @Test("both ends and the density: positive semi-definite, and a trace within three standard errors")
    func density() throws {
        let ends = try SpectrumEnds(of: mnist.system.data, steps: 20, parallel: parallel)
        #expect(!ends.isIndefinite)
        #expect(abs(ends.largest.value + 0.01 - 2.307) < 1e-3)
        let density = try SpectrumDensity(of: mnist.system.data, steps: 12, probes: 4, sample: 2048, parallel: parallel)
        #expect(abs(density.trace.value - mnist.spectrum.trace) < 3 * density.trace.standardError)
    }

    @Test(
        "a hundred eigenpairs: scores of Pearson 0.9 with the exact ones, and below 0.8 where the rest is dropped as in the paper",
        .enabled(if: BuildConfiguration.isOptimized, "a hundred products over all rows: a minute without the optimiser"))
    func arnoldi() throws {
        let fitted = try ArnoldiSolver(
            of: mnist.system.data, rank: 100, steps: 125, tolerance: 0, memoryLimit: 1 << 28, parallel: parallel)
        let dropped = ArnoldiSolver(pairs: fitted.pairs, trace: fitted.trace, complement: .dropped)
        let (vectors, exactScores) = (try MNISTSoftmax.fixture("s_test").floats(), try MNISTSoftmax.fixture("scores").floats())
        func quality(_ solver: ArnoldiSolver) throws -> [(error: Double, pearson: Double)] {
            let solution = try solver.solve(
                mnist.testGradients, count: MNISTSoftmax.testCount, in: mnist.system, parallel: parallel)
            let scores = try mnist.gradients.scores(along: solution.vectors, parallel: parallel)
            return (0..<MNISTSoftmax.testCount).map { test in
                (
                    Closeness.relativeDistance(solution.vectors[mnist.part(test)], vectors[mnist.part(test)]),
                    Closeness.pearson(scores[test], exactScores[mnist.scoredRows(test)])
                )
            }
        }
        for quality in try quality(fitted) {
            #expect(quality.error < 0.6)
            #expect(quality.pearson > 0.9)
        }
        for quality in try quality(dropped) {
            #expect(quality.error > 0.9)
            #expect(quality.pearson < 0.8)
        }
    }
}
