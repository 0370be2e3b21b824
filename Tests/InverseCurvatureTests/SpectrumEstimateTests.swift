import Foundation
import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("what is estimated of a spectrum")
struct SpectrumEstimateTests {
    @Test("is the largest eigenvalue, the trace and the largest example's norm", arguments: [1, 2, 3, 20])
    func estimate(order: Int) throws {
        let curvature = RankOneCurvature(count: 40, scales: (0..<order).map { 3 / Double($0 + 1) }, seed: 1)
        let estimate = try SpectrumEstimate(of: curvature, parallel: Parallel(threads: 2))
        let eigenvalues = curvature.dense.symmetricEigenvalues
        let largest = eigenvalues.last ?? 0
        #expect(estimate.largestEigenvalue <= largest * (1 + 1e-5))
        #expect(estimate.largestEigenvalue >= largest * 0.99)
        #expect(abs(estimate.trace - eigenvalues.reduce(0, +)) < 1e-5 * estimate.trace)
        let norms = (0..<40).map { curvature.rows.values(of: $0).reduce(0.0) { $0 + Double($1) * Double($1) } }
        #expect(abs(estimate.largestExampleNorm - (norms.max() ?? 0)) < 1e-5 * estimate.largestExampleNorm)
    }

    @Test("has the same bits on any number of threads")
    func threads() throws {
        let curvature = RankOneCurvature(count: 300, scales: (0..<25).map { 1 / Double($0 + 1) }, seed: 2)
        let estimates = try [1, 2, 5].map { try SpectrumEstimate(of: curvature, parallel: Parallel(threads: $0)) }
        #expect(estimates[1] == estimates[0])
        #expect(estimates[2] == estimates[0])
    }

    @Test("is kept as it is")
    func codable() throws {
        let estimate = SpectrumEstimate(largestEigenvalue: 0.1 + 0.2, trace: 1 / 3, largestExampleNorm: 1e-300)
        let kept = try JSONDecoder().decode(SpectrumEstimate.self, from: JSONEncoder().encode(estimate))
        #expect(kept == estimate)
    }

    @Test("stops when interrupted")
    func interrupted() {
        let curvature = RankOneCurvature(diagonal: [1, 2])
        #expect(throws: Interrupted()) {
            try SpectrumEstimate(of: curvature, parallel: Parallel(threads: 1), interruption: Interruption { true })
        }
    }

    @Test("what earlier versions kept can still be read")
    func earlier() throws {
        let text = #"{"largestEigenvalue": 2.5, "trace": 10, "largestExampleNorm": 40}"#
        let kept = try JSONDecoder().decode(SpectrumEstimate.self, from: Data(text.utf8))
        #expect(kept == SpectrumEstimate(largestEigenvalue: 2.5, trace: 10, largestExampleNorm: 40))
        #expect(kept.largestBound > 2.5)
        #expect(kept.batchBound(size: 10) == kept.largestBound + 4)
    }

    @Test("of a sample is as good as of all", arguments: 0..<4)
    func sampled(seed: UInt64) throws {
        let curvature = RankOneCurvature(count: 4000, scales: (0..<12).map { 2 / Double($0 + 1) }, seed: seed)
        let all = try SpectrumEstimate(of: curvature, batchSizes: [], parallel: Parallel(threads: 2))
        let some = try SpectrumEstimate(of: curvature, sample: 500, batchSizes: [], parallel: Parallel(threads: 2))
        #expect(all.sampleSize == nil)
        #expect(some.sampleSize == 500)
        let truth = curvature.dense.symmetricEigenvalues.last ?? 0
        #expect(some.largestEigenvalue <= truth * (1 + 1e-5))
        #expect(some.largestEigenvalue >= truth * 0.98)
        #expect(some.largestBound >= truth)
        #expect(all.largestBound >= truth * (1 - 1e-5))
        #expect(some.trace == all.trace)
    }

    @Test("a sample of sorted or periodic data is a fair one")
    func fair() throws {
        // Every tenth example, or the last tenth, has all the curvature.
        for isSorted in [true, false] {
            let rows = (0..<4000).flatMap { row -> [Float] in
                let isLarge = isSorted ? row >= 3600 : row % 10 == 9
                return isLarge ? [3, 0] : [0, 0.1]
            }
            let estimate = try SpectrumEstimate(
                of: RankOneCurvature(rows, width: 2), sample: 400, batchSizes: [], parallel: Parallel(threads: 1))
            #expect(estimate.sampleSize == 400)
            #expect(abs(estimate.largestEigenvalue - 0.9) < 1e-3)
        }
    }

    @Test("batches' largest eigenvalues fall to the whole's as batches grow, and hardly a batch exceeds the bound")
    func batches() throws {
        let curvature = RankOneCurvature(count: 8000, scales: (0..<6).map { 2 / Double($0 + 1) }, seed: 9)
        let estimate = try SpectrumEstimate(of: curvature, parallel: Parallel(threads: 2))
        let batches = try #require(estimate.batches)
        #expect(batches.map(\.size) == [1, 8, 32, 128, 512])
        #expect(abs(batches[4].mean - estimate.largestEigenvalue) < 0.2 * estimate.largestEigenvalue)
        var means: [Double] = []
        for batch in batches {
            let bound = estimate.batchBound(size: batch.size)
            #expect(bound <= estimate.largestBound + estimate.largestExampleNorm / Double(batch.size))
            let others = try BatchSpectrum(
                of: curvature, size: batch.size, count: 30, seed: 1, parallel: Parallel(threads: 2))
            #expect(others.mean < bound)
            #expect(others.largest < 1.3 * bound)
            means.append(others.mean)
        }
        // Thirty single examples tell little of their mean.
        for (smaller, larger) in zip(means.dropFirst(), means.dropFirst(2)) { #expect(larger < 1.1 * smaller) }
        #expect(estimate.batchBound(size: 33) <= estimate.batchBound(size: 32))
    }

    @Test("batches are as large as they should be, of different examples")
    func drawing() throws {
        // Each example is alone on its axis: a batch's largest eigenvalue is 1/B unless one is drawn twice.
        let curvature = RankOneCurvature(diagonal: [Double](repeating: 1 / 64, count: 64))
        for size in [1, 16, 64] {
            let batch = try BatchSpectrum(of: curvature, size: size, parallel: Parallel(threads: 1))
            #expect(abs(batch.largest * Double(size) - 1) < 1e-4)
            #expect(batch.deviation < 1e-5)
        }
    }
}
