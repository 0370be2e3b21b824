import LinearAlgebra
import TestSupport
import Testing

/// Inner products of projections over many seeds, against the means and variances that theory gives. Seeds are fixed, so that the five
/// standard errors that are allowed were met once and for all.
@Suite("inner products of random projections")
struct ProjectionStatisticsTests {
    static let seeds = 1_500 as UInt64
    static let (inputs, outputs) = (40, 16)

    /// Two vectors at an angle, and with some elements larger than others.
    static func pair(_ length: Int) -> (g: [Float], s: [Float]) {
        var numbers = SeededNumbers(17)
        let g = numbers.floats(length).enumerated().map { $1 * ($0 % 5 == 0 ? 3 : 1) }
        let noise = numbers.floats(length)
        return (g, zip(g, noise).map { 0.4 * $0 + $1 })
    }

    /// ‖g‖²‖s‖², (g·s)² and Σ g²s².
    static func sizes(_ g: [Float], _ s: [Float]) -> (norms: Double, product: Double, squares: Double) {
        (
            Vectors.dot(g, g) * Vectors.dot(s, s), Vectors.dot(g, s) * Vectors.dot(g, s),
            zip(g, s).reduce(0) { $0 + Double($1.0 * $1.1) * Double($1.0 * $1.1) }
        )
    }

    private func expect(_ values: [Double], mean: Double, variance: Double) {
        let moments = Moments(values)
        #expect(abs(moments.mean - mean) <= moments.meanTolerance)
        #expect(abs(moments.variance - variance) <= moments.varianceTolerance)
        // The tolerances must be able to tell: a third more or less variance is far outside.
        #expect(moments.varianceTolerance < variance / 3)
    }

    @Test("are unbiased, with the variance that theory gives", arguments: ProjectionType.allCases)
    func moments(type: ProjectionType) throws {
        let (g, s) = Self.pair(Self.inputs)
        let values = try (0..<Self.seeds).map { seed in
            let projection = try type.makeProjection(inputWidth: Self.inputs, outputWidth: Self.outputs, seed: seed)
            let out = try projection.projected(g + s)
            return Vectors.dot(Array(out[..<Self.outputs]), Array(out[Self.outputs...]))
        }
        let (norms, product, squares) = Self.sizes(g, s)
        let variance = (norms + product - (type == .normal ? 0 : 2 * squares)) / Double(Self.outputs)
        expect(values, mean: Vectors.dot(g, s), variance: variance)
    }

    @Test("are so for sparse projections with any number of nonzeros that divides the dimension", arguments: [1, 4, 16])
    func sparse(nonzeros: Int) throws {
        let (g, s) = Self.pair(Self.inputs)
        let values = try (0..<Self.seeds).map { seed in
            let projection = try SparseProjection(
                inputWidth: Self.inputs, outputWidth: Self.outputs, nonzeros: nonzeros, seed: seed)
            let out = try projection.projected(g + s)
            return Vectors.dot(Array(out[..<Self.outputs]), Array(out[Self.outputs...]))
        }
        let (norms, product, squares) = Self.sizes(g, s)
        let variance = (norms + product - 2 * squares) / Double(Self.outputs)
        // With a nonzero everywhere it is a matrix of signs.
        expect(values, mean: Vectors.dot(g, s), variance: variance)
    }

    @Test("are so for rank-one projections of gradients of rank one")
    func rankOne() throws {
        let (a, b) = Self.pair(7)
        let (x, y) = Self.pair(9)
        let root = 4.0
        let values = try (0..<Self.seeds * 2).map { seed in
            let projection = try RankOneProjection(outputs: 7, inputs: 9, dimension: 16, seed: seed)
            let out = try projection.projected(a + b, x + y, positions: 1)
            return Vectors.dot(Array(out[..<16]), Array(out[16...]))
        }
        let (left, right) = (Self.sizes(a, b), Self.sizes(x, y))
        let second = (left.product + (left.norms + left.product) / root) * (right.product + (right.norms + right.product) / root)
        let moments = Moments(values)
        let variance = second - left.product * right.product
        #expect(abs(moments.mean - Vectors.dot(a, b) * Vectors.dot(x, y)) <= moments.meanTolerance)
        #expect(abs(moments.variance - variance) <= moments.varianceTolerance)
    }

    @Test("are unbiased for rank-one projections of sums over positions, biases included")
    func positions() throws {
        let (a, b) = Self.pair(3 * 5)
        let (x, y) = Self.pair(3 * 6)
        let values = try (0..<Self.seeds * 2).map { seed in
            let projection = try RankOneProjection(outputs: 5, inputs: 6, hasBias: true, dimension: 25, seed: seed)
            let out = try projection.projected(a + b, x + y, positions: 3)
            return Vectors.dot(Array(out[..<25]), Array(out[25...]))
        }
        // The gradients themselves: weights and a bias for each output.
        func gradient(_ delta: [Float], _ x: [Float]) -> [Float] {
            var gradient = [Float](repeating: 0, count: 5 * 7)
            for t in 0..<3 {
                for c in 0..<5 {
                    for d in 0..<7 { gradient[c * 7 + d] += delta[t * 5 + c] * (d < 6 ? x[t * 6 + d] : 1) }
                }
            }
            return gradient
        }
        let moments = Moments(values)
        let expected = Vectors.dot(gradient(a, x), gradient(b, y))
        #expect(abs(moments.mean - expected) <= moments.meanTolerance)
        #expect(moments.meanTolerance < abs(expected))
    }
}
