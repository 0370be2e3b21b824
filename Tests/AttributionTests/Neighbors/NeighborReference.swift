import Attribution
import LinearAlgebra
import TestSupport

/// The direct way: every distance or cosine in double precision, and all of them sorted.
struct NeighborReference {
    /// Rows, nearest first, and how far or similar they are.
    let indices: [UInt32]
    let measures: [Double]

    /// Sums run as the interface promises, so that no two ways of adding decide what ties.
    init(_ query: [Float], _ features: FeatureRows, _ metric: NeighborMetric) {
        let q = query.map { Double($0) }
        let keys = (0..<features.count).map { row -> Double in
            let x = features.values(of: row).map { Double($0) }
            switch metric {
            case .l2:
                let sum = Self.sum(zip(x, q).map { ($0 - $1) * ($0 - $1) })
                return sum.isNaN ? .infinity : sum
            case .cosine:
                let squares = Self.sum(x.map { $0 * $0 }) * Self.sum(q.map { $0 * $0 })
                let cosine = squares == 0 ? 0 : Self.sum(zip(x, q).map { $0 * $1 }) / squares.squareRoot()
                return cosine.isNaN || !squares.isFinite ? .infinity : -min(1, max(-1, cosine))
            }
        }
        let order = (0..<features.count).sorted { (keys[$0], $0) < (keys[$1], $1) }
        indices = order.map { UInt32($0) }
        measures = order.map { metric == .l2 ? keys[$0].squareRoot() : -keys[$0] }
    }

    private static func sum(_ terms: [Double]) -> Double {
        var sums = [Double](repeating: 0, count: 8)
        for (j, term) in terms.enumerated() { sums[j % 8] += term }
        for half in [4, 2, 1] { for i in 0..<half { sums[i] += sums[i + half] } }
        return sums[0]
    }
}

/// Features that are awkward to compare, and queries among them and beside them.
struct NeighborProblem: Sendable {
    let name: String
    let features: FeatureRows
    let queries: [[Float]]

    private init(_ name: String, _ features: FeatureRows, _ queries: [[Float]]) {
        self.name = name
        self.features = features
        // Some rows themselves.
        self.queries = queries + [0, features.count / 2, features.count - 1].map { features.values(of: $0) }
    }

    private static func bytes(_ bytes: [UInt8], width: Int, multiplier: Float) -> FeatureRows {
        let memory = AlignedMemory<UInt8>(uninitialized: bytes.count)
        _ = memory.elements.initialize(from: bytes)
        return FeatureRows(.uint8(memory), count: bytes.count / width, width: width, multiplier: multiplier)
    }

    static let all: [NeighborProblem] = {
        var numbers = SeededNumbers(11)
        let (count, width) = (300, 37)
        let plain = numbers.floats(count * width)
        // Rows that differ in the last place of one number, between copies.
        var close = (0..<count).flatMap { _ in plain.prefix(width) }
        for row in stride(from: 0, to: count, by: 3) {
            close[row * width + row % width] = Float(row % 2 == 0 ? close[row * width + row % width].nextUp : 0)
        }
        let sizes: [Float] = [1e30, 1e-30, 1, 3e38, .leastNonzeroMagnitude, 1e20, 1e38, 0, -1e30, 1e-38]
        let hostile = plain.enumerated().map { i, x in max(-3e38, min(3e38, x)) * sizes[i / width % sizes.count] / 4 }
        let beyond = plain.enumerated().map { i, x in
            let size = [1, .infinity, .nan, -.infinity, 1e38][i / width % 5] as Float
            return i % width == i / width % width ? x * size : x
        }
        let tiny = 700 * Float.leastNonzeroMagnitude
        let few = numbers.integers(count * width, below: 2).map { Float($0) }
        let queries = (0..<3).map { _ in numbers.floats(width) }
        let extremes = [0, 1e30, tiny, -3e38].map { [Float](repeating: $0, count: width) }
        return [
            NeighborProblem("floats", FeatureRows(plain, width: width), queries + extremes),
            NeighborProblem("floats with a multiplier", FeatureRows(plain, width: width, multiplier: 0.3), queries),
            NeighborProblem("halves", (try? FeatureRows(halves: plain, width: width)) ?? FeatureRows([], width: 1), queries),
            NeighborProblem(
                "bytes", bytes(numbers.bytes(count * width), width: width, multiplier: 1 / 255),
                queries + [numbers.bytes(width).map { Float($0) / 255 }]),
            NeighborProblem(
                "few bytes, with many ties", bytes(few.map { UInt8($0 * 3) }, width: width, multiplier: 1 / 256), queries),
            NeighborProblem("near copies", FeatureRows(close, width: width), queries),
            NeighborProblem(
                "near copies, far from the origin", FeatureRows(plain.map { 1e5 + $0 / 64 }, width: width),
                [numbers.floats(width).map { 1e5 + $0 / 64 }]),
            NeighborProblem("sizes from 10⁻⁴⁵ to 10³⁸", FeatureRows(hostile, width: width), queries + extremes),
            NeighborProblem(
                "a multiplier that overflows", FeatureRows(plain, width: width, multiplier: 3e38), queries + extremes),
            NeighborProblem("a multiplier of nearly nothing", FeatureRows(plain, width: width, multiplier: tiny), queries),
            NeighborProblem(
                "a multiplier of zero", FeatureRows(plain.map { $0 > 0 ? 3e38 : -3e38 }, width: width, multiplier: 0),
                queries + extremes),
            NeighborProblem("numbers that are none", FeatureRows(beyond, width: width), queries),
            NeighborProblem("zeros", FeatureRows([Float](repeating: 0, count: count * width), width: width), queries + extremes),
            NeighborProblem("one row", FeatureRows(Array(plain.prefix(width)), width: width), queries),
            NeighborProblem("one feature", FeatureRows(plain, width: 1), [[0], [0.5], [-3]]),
        ]
    }()
}
