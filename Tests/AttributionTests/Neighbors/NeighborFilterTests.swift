import LinearAlgebra
import TestSupport
import Testing

@testable import Attribution

/// What decides which rows are compared in double precision.
@Suite("nearest neighbours: bounds and selection")
struct NeighborFilterTests {
    private static let lists: [[Double]] = {
        var numbers = SeededNumbers(1)
        let tiny = Double.leastNonzeroMagnitude
        return [
            [3], [0, -0.0, 0], [.infinity, 1, .infinity], [-.infinity, .infinity, 0], [Double](repeating: .infinity, count: 4),
            (0..<500).map { _ in numbers.normal() }, (0..<300).map { _ in numbers.normal() * 1e300 },
            (0..<70_000).map { _ in numbers.uniform() }, numbers.integers(400, below: 5).map { Double($0 - 2) },
            (0..<200).map { 1 + Double($0) * 0x1p-40 }, [tiny, -tiny, 700 * tiny, -700 * tiny, 0],
            [.greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1],
        ]
    }()

    @Test("a bound on the smallest values is above as many and hardly more", arguments: lists)
    func bound(values: [Double]) throws {
        let sorted = values.sorted()
        for count in Set([1, 2, values.count / 2, values.count - 1, values.count]) where 1...values.count ~= count {
            let bound = try values.withUnsafeBufferPointer { try SmallestValues.bound(on: count, of: $0, interruption: .never) }
            let last = sorted[count - 1]
            #expect(bound >= last)
            #expect(bound == last || bound <= last + max(abs(last) * 0x1p-20, 1e-308))
        }
    }

    @Test("counting is interrupted")
    func interruption() {
        #expect(throws: Interrupted()) {
            try [1, 2].withUnsafeBufferPointer {
                try SmallestValues.bound(on: 1, of: $0, interruption: Interruption { true })
            }
        }
    }

    @Test(
        "bounds from products in single precision hold the remoteness in double precision",
        arguments: NeighborProblem.all.indices, NeighborMetric.allCases)
    func bounds(index: Int, metric: NeighborMetric) throws {
        let problem = NeighborProblem.all[index]
        let (features, queries) = (problem.features, problem.queries)
        let bounds = RemotenessBounds(queries, in: features, metric)
        let squares = try features.squaredNorms(parallel: Parallel(threads: 1), interruption: .never)
        let (tile, exact) = (RowTile(), RowRemoteness(features, queries, metric))
        var products = [Float](repeating: 0, count: RowTile.capacity * queries.count)
        for start in stride(from: 0, to: features.count, by: RowTile.capacity) {
            tile.load(start..<min(start + RowTile.capacity, features.count), of: .range(0..<features.count), from: features)
            features.project(tile, on: bounds.vectors.start, vectorCount: queries.count, into: &products)
            exact.forEach(tile) { row, query, remoteness in
                let square = squares.start[start + row]
                let found = bounds.bounds(
                    product: products[row * queries.count + query], square: square, norm: square.squareRoot(), query: query)
                #expect(found.lower <= remoteness && remoteness <= found.upper, "\(problem.name), row \(start + row), \(query)")
            }
        }
    }

    @Test("bounds of ordinary features are close: few rows are compared twice")
    func closeness() {
        var numbers = SeededNumbers(2)
        let (features, query) = (FeatureRows(numbers.floats(784), width: 784), numbers.floats(784))
        for metric in NeighborMetric.allCases {
            let bounds = RemotenessBounds([query], in: features, metric)
            let square = features.squaredNorm(of: 0)
            let found = bounds.bounds(product: 0, square: square, norm: square.squareRoot(), query: 0)
            // γ for 784 products is 4.7·10⁻⁵.
            let scale = metric == .l2 ? 2 * square.squareRoot() * Vectors.norm(query) : 1
            #expect(found.upper - found.lower > 0 && found.upper - found.lower < 1e-4 * scale)
        }
    }
}
