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
}
