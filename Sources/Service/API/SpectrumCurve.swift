internal import Foundation
internal import InverseCurvature
internal import LinearAlgebra

/// A density of the eigenvalues of C on an even grid, for a plot with a linear axis.
struct SpectrumCurve: Sendable {
    /// Of the grid.
    static let points = 256

    /// σ of the normal distribution that an eigenvalue is spread to.
    let width: Double
    /// Where.
    let positions: [Double]
    /// How dense, of area 1.
    let density: [Double]
    /// Eigenvalues for each point of the grid.
    let counts: [Double]

    init(_ density: SpectrumDensity, weightDecay: Double) {
        let curve = density.shifted(by: weightDecay).curve(points: Self.points)
        width = curve.width
        positions = curve.positions
        self.density = curve.values
        let step = curve.positions[1] - curve.positions[0]
        counts = curve.values.map { $0 * step * Double(density.dimension) }
    }
}

/// How many eigenvalues of C are of which magnitude: for a plot with a logarithmic axis.
struct SpectrumBins: Sendable {
    /// Factors of ten that are told apart, and into how many bins each.
    private static let decades = 6, binsPerDecade = 4
    /// Bins of each sign.
    static let count = decades * binsPerDecade

    /// Magnitudes, ascending: bin i lies from edge i to edge i + 1.
    let edges: [Double]
    /// Eigenvalues in each bin.
    private(set) var positive: [Double]
    /// Eigenvalues below the first edge in magnitude.
    private(set) var nearZero = 0.0
    /// Negative eigenvalues in each bin, by their magnitude.
    private(set) var negative: [Double]

    init(_ density: SpectrumDensity, weightDecay: Double) {
        let count = Self.count
        let nodes = density.shifted(by: weightDecay).probes.flatMap { zip($0.nodes, $0.weights) }.map {
            (value: $0.0, weight: $0.1)
        }
        let largest = nodes.map { abs($0.value) }.max().flatMap { $0 > 0 ? $0 : nil } ?? 1
        edges = (0...count).map { largest * pow(10, Double($0 - count) / Double(Self.binsPerDecade)) }
        positive = [Double](repeating: 0, count: count)
        negative = positive
        let factor = Double(density.dimension) / Double(max(1, density.probes.count))
        for node in nodes {
            // Of edges that ascend, the last that is not above.
            let bin = min(count - 1, (edges.firstIndex { $0 > abs(node.value) } ?? edges.count) - 1)
            if bin < 0 {
                nearZero += node.weight * factor
            } else if node.value > 0 {
                positive[bin] += node.weight * factor
            } else {
                negative[bin] += node.weight * factor
            }
        }
    }
}

extension SpectrumDensity {
    /// That of the same matrix with a number added to its diagonal.
    fileprivate func shifted(by shift: Double) -> SpectrumDensity {
        SpectrumDensity(
            dimension: dimension,
            probes: probes.map { SpectralQuadrature(nodes: $0.nodes.map { $0 + shift }, weights: $0.weights) },
            sampleSize: sampleSize)
    }
}
