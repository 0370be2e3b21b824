internal import Foundation
public import LinearAlgebra

/// How the eigenvalues of a curvature D are distributed, by stochastic Lanczos quadrature (Ubaru, Chen & Saad 2017, "Fast estimation of
/// tr(f(A)) via stochastic Lanczos quadrature", algorithm 1; Ghorbani, Krishnan & Xiao 2019, "An investigation into neural net
/// optimization via Hessian eigenvalue density", section 2).
///
/// Each probe is a vector of random signs, in whose mean (1/p) Σ δ(λ − λᵢ) is what it sees of the spectrum, and m Lanczos steps turn what it
/// sees into m nodes and weights. Plain numbers throughout.
public struct SpectrumDensity: Sendable, Equatable, Codable {
    /// p.
    public let dimension: Int
    /// The nodes and weights of each probe.
    public let probes: [SpectralQuadrature]
    /// How many evenly spread examples stand for all; nil where all were used.
    public let sampleSize: Int?

    /// A density known from before.
    public init(dimension: Int, probes: [SpectralQuadrature], sampleSize: Int? = nil) {
        self.dimension = dimension
        self.probes = probes
        self.sampleSize = sampleSize
    }

    /// Estimates: `steps`·`probes` products, and memory for `steps` + 1 vectors.
    /// - Parameters:
    ///   - curvature: D.
    ///   - steps: m, nodes of each probe: moments of the spectrum up to 2m − 1 are those that the probe sees.
    ///   - probes: at least 2, as errors are told from their differences.
    ///   - sample: evenly spread examples to take instead of all, where there are at least twice as many.
    ///   - seed: of the probes.
    ///   - parallel: the threads.
    ///   - interruption: when to stop.
    /// - Throws: `SolverError.notFinite`, `Interrupted`.
    public init(
        of curvature: any CurvatureOperator, steps: Int = 64, probes: Int = 4, sample: Int? = nil, seed: UInt64 = 0,
        parallel: Parallel, interruption: Interruption = .never
    ) throws {
        precondition(steps > 0 && probes > 1, "an error is known from two probes on")
        let chosen = sample.map { SpectrumSample(of: curvature, size: $0) } ?? .everything
        do {
            self.init(
                dimension: curvature.dimension,
                probes: try (0..<probes).map { probe in
                    try Lanczos.quadrature(
                        probe: probe, dimension: curvature.dimension, steps: steps, seed: seed, parallel: parallel,
                        interruption: interruption
                    ) { x, y in
                        try chosen.product(with: curvature, of: x, to: y, parallel: parallel, interruption: interruption)
                    }
                }, sampleSize: chosen.size)
        } catch LanczosError.notFinite {
            throw SolverError.notFinite
        }
    }

    /// A mean over the probes, and how far it may be off.
    public struct Estimate: Sendable, Equatable, Codable {
        /// The mean.
        public let value: Double
        /// Its standard error, from the probes' differences.
        public let standardError: Double
    }

    /// tr f(D), p times the mean over the probes of Σ weight·f(node). The trace for f = x is exact but for the probes' chance.
    public func trace(of function: (Double) -> Double) -> Estimate {
        let sums = probes.map { probe in
            Double(dimension) * zip(probe.nodes, probe.weights).reduce(0) { $0 + $1.1 * function($1.0) }
        }
        let mean = sums.reduce(0, +) / Double(sums.count)
        let squares = sums.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return Estimate(
            value: mean,
            standardError: sums.count > 1 ? (squares / Double(sums.count - 1) / Double(sums.count)).squareRoot() : .infinity)
    }

    /// tr D.
    public var trace: Estimate { trace { $0 } }

    /// How many eigenvalues lie below a bound.
    public func count(below bound: Double) -> Estimate { trace { $0 < bound ? 1 : 0 } }

    /// The smallest and the largest node of all probes.
    public var range: ClosedRange<Double> {
        let ends = probes.flatMap { [$0.nodes.first, $0.nodes.last].compactMap(\.self) }
        return (ends.min() ?? 0)...(ends.max() ?? 0)
    }

    /// A density on a grid: each eigenvalue spread to a normal distribution, and the whole of area 1.
    public struct Curve: Sendable, Equatable, Codable {
        /// σ of each.
        public let width: Double
        /// Where, evenly spaced from 4σ below the smallest node to 4σ above the largest.
        public let positions: [Double]
        /// How dense.
        public let values: [Double]
    }

    /// The smoothed density.
    /// - Parameters:
    ///   - points: of the grid.
    ///   - width: σ of the Gaussian; a hundredth of the range where nothing is said. A spectrum of one point gets a width of 1.
    public func curve(points: Int = 256, width: Double? = nil) -> Curve {
        precondition(points > 1, "a grid has two ends")
        let range = range
        let extent = range.upperBound - range.lowerBound
        let smallest = 1e-6 * max(abs(range.lowerBound), abs(range.upperBound))
        let proposed = width ?? extent / 100
        let width = max(proposed, smallest) > 0 ? max(proposed, smallest) : 1
        let start = range.lowerBound - 4 * width
        let step = (extent + 8 * width) / Double(points - 1)
        let positions = (0..<points).map { start + Double($0) * step }
        let height = 1 / (width * (2 * Double.pi).squareRoot() * Double(probes.count))
        return Curve(
            width: width, positions: positions,
            values: positions.map { position in
                probes.reduce(0) { sum, probe in
                    zip(probe.nodes, probe.weights).reduce(sum) {
                        let distance = (position - $1.0) / width
                        return $0 + height * $1.1 * exp(-distance * distance / 2)
                    }
                }
            })
    }
}
