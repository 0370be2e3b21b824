import Foundation
import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("the spectral density")
struct SpectrumDensityTests {
    private let parallel = Parallel(threads: 2)

    @Test("of a matrix whose eigenvectors are axes is exact with any probe")
    func diagonal() throws {
        let eigenvalues = [-1, 0, 0, 0, 0, 2, 2, 5].map { Double($0) }
        let density = try SpectrumDensity(of: RankOneCurvature(diagonal: eigenvalues), steps: 8, probes: 3, parallel: parallel)
        #expect(abs(density.trace.value - 8) < 1e-4)
        #expect(density.trace.standardError < 1e-4)
        #expect(abs(density.count(below: -0.5).value - 1) < 1e-4)
        #expect(abs(density.count(below: 1).value - 5) < 1e-4)
        #expect(abs(density.trace { $0 * $0 }.value - 34) < 1e-3)
        #expect(abs(density.range.lowerBound + 1) < 1e-5)
        #expect(abs(density.range.upperBound - 5) < 1e-5)
    }

    @Test("traces lie within a few standard errors of the truth, and nine in ten within two", arguments: [4, 12])
    func calibration(steps: Int) throws {
        let curvature = RankOneCurvature(count: 60, scales: (0..<30).map { 1 / Double($0 + 1) }, seed: 3)
        let truth = curvature.trace
        let errors = try (0..<40).map { seed in
            let trace = try SpectrumDensity(of: curvature, steps: steps, probes: 12, seed: UInt64(seed), parallel: parallel).trace
            return abs(trace.value - truth) / trace.standardError
        }
        #expect(errors.filter { $0 < 2 }.count >= 34)
        #expect(errors.allSatisfy { $0 < 6 })
    }

    @Test("the curve has area 1 and the spectrum's mean, at any width")
    func curve() throws {
        let curvature = RankOneCurvature(count: 60, scales: (0..<30).map { 1 / Double($0 + 1) }, seed: 4)
        let density = try SpectrumDensity(of: curvature, steps: 20, probes: 4, parallel: parallel)
        for width in [nil, 0.01, 0.1] as [Double?] {
            let curve = density.curve(points: 2000, width: width)
            let step = curve.positions[1] - curve.positions[0]
            #expect(abs(curve.values.reduce(0, +) * step - 1) < 1e-3)
            let mean = zip(curve.positions, curve.values).reduce(0) { $0 + $1.0 * $1.1 * step }
            #expect(abs(mean - density.trace.value / 30) < 1e-3)
            #expect(curve.values.allSatisfy { $0 >= 0 })
        }
    }

    @Test("of zeros, and of one dimension, is a point", arguments: [[0.0], [3.0], [0, 0, 0, 0]])
    func point(eigenvalues: [Double]) throws {
        let density = try SpectrumDensity(of: RankOneCurvature(diagonal: eigenvalues), probes: 2, parallel: parallel)
        #expect(abs(density.trace.value - eigenvalues.reduce(0, +)) < 1e-6)
        #expect(density.probes.allSatisfy { $0.nodes.count == 1 })
        let curve = density.curve(points: 11)
        #expect(curve.values.allSatisfy { $0.isFinite })
        #expect(curve.width > 0)
    }

    @Test("has the same bits on any number of threads, and as it is kept")
    func bits() throws {
        let curvature = RankOneCurvature(count: 300, scales: (0..<25).map { 1 / Double($0 + 1) }, seed: 5)
        for sample in [nil, 100] as [Int?] {
            let runs = try [1, 3].map {
                try SpectrumDensity(of: curvature, steps: 10, probes: 2, sample: sample, parallel: Parallel(threads: $0))
            }
            #expect(runs[0] == runs[1])
            #expect(runs[0].sampleSize == sample)
            #expect(try JSONDecoder().decode(SpectrumDensity.self, from: JSONEncoder().encode(runs[0])) == runs[0])
        }
    }

    @Test("stops when interrupted")
    func interrupted() {
        #expect(throws: Interrupted()) {
            try SpectrumDensity(
                of: RankOneCurvature(diagonal: [1, 2]), parallel: parallel, interruption: Interruption { true })
        }
    }
}
