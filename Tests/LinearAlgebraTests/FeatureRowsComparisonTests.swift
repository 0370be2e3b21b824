import LinearAlgebra
import TestSupport
import Testing

/// Distances and products in double precision, against plain loops that add in the order that is promised.
@Suite("rows beside vectors in double precision")
struct FeatureRowsComparisonTests {
    private static let widths = [1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 64, 100, 784]
    private static let vectorCounts = [1, 2, 3, 4, 5, 9]

    private static func rows(width: Int, count: Int) throws -> [FeatureRows] {
        var numbers = SeededNumbers(UInt64(width))
        let memory = AlignedMemory<UInt8>(uninitialized: count * width)
        _ = memory.elements.initialize(from: numbers.bytes(count * width))
        return [
            FeatureRows(.uint8(memory), count: count, width: width, multiplier: 1 / 255),
            try FeatureRows(halves: numbers.floats(count * width), width: width, multiplier: 0.3),
            FeatureRows(numbers.floats(count * width), width: width),
            FeatureRows(numbers.floats(count * width, scale: 1e30), width: width, multiplier: 7),
        ]
    }

    /// Term j in sum j % 8, and the sums pairwise.
    private static func sum(_ terms: [Double]) -> Double {
        var sums = [Double](repeating: 0, count: 8)
        for (j, term) in terms.enumerated() { sums[j % 8] += term }
        for half in [4, 2, 1] { for i in 0..<half { sums[i] += sums[i + half] } }
        return sums[0]
    }

    static func expectSums(widths: [Int] = widths) throws {
        for width in widths {
            for features in try rows(width: width, count: 21) {
                var numbers = SeededNumbers(3)
                for vectorCount in vectorCounts {
                    let vectors = (0..<vectorCount * width).map { _ in numbers.normal() }
                    let tile = RowTile()
                    let indices: [UInt32] = [4, 20, 0, 4, 7, 13, 19, 2, 1]
                    indices.withUnsafeBufferPointer { tile.load(1..<8, of: .indices($0), from: features) }
                    var distances = [Double](repeating: .nan, count: tile.count * vectorCount + 1)
                    var products = distances
                    features.squaredDistances(of: tile, to: vectors, vectorCount: vectorCount, into: &distances)
                    features.products(of: tile, with: vectors, vectorCount: vectorCount, into: &products)
                    for row in 0..<tile.count {
                        let x = features.values(of: Int(indices[row + 1])).map { Double($0) }
                        for v in 0..<vectorCount {
                            let q = vectors[v * width..<(v + 1) * width]
                            let place = row * vectorCount + v
                            #expect(distances[place] == sum(zip(x, q).map { ($0 - $1) * ($0 - $1) }), "\(width) \(vectorCount)")
                            #expect(products[place] == sum(zip(x, q).map { $0 * $1 }), "\(width) \(vectorCount)")
                        }
                    }
                    #expect(distances.last?.isNaN == true && products.last?.isNaN == true, "wrote beyond the end")
                }
            }
        }
    }

    @Test("sums are those of a plain loop, to the last bit, for any width, format and number of vectors")
    func sums() throws { try Self.expectSums() }

    @Test("and so on every vector unit that the processor has")
    func units() async {
        await #expect(processExitsWith: .success) {
            for unit in ["baseline", "AVX2", "AVX-512", "AVX-512 VNNI"] where VectorUnit.use(unit) {
                try FeatureRowsComparisonTests.expectSums(widths: [1, 8, 9, 23, 100])
            }
        }
    }
}
