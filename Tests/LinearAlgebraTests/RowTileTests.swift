import LinearAlgebra
import TestSupport
import Testing

/// The kernels that every product and every scan runs on, against plain sums in double precision.
@Suite("products with tiles of rows")
struct RowTileTests {
    /// Around the vector registers of 4, 8 and 16 floats and blocks of them.
    static let widths = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 79, 80, 129, 784]
    /// Around the blocks of five vectors.
    static let vectorCounts = [1, 2, 3, 4, 5, 6, 9, 10, 11, 13]

    /// How features may be stored.
    enum Format: CaseIterable { case bytes, halves, floats }

    private func rows(_ count: Int, width: Int, _ format: Format) throws -> FeatureRows {
        var numbers = SeededNumbers(UInt64(width))
        switch format {
        case .bytes:
            let memory = AlignedMemory<UInt8>(uninitialized: count * width)
            _ = memory.elements.initialize(from: numbers.bytes(count * width))
            return FeatureRows(.uint8(memory), count: count, width: width)
        case .halves: return try FeatureRows(halves: numbers.floats(count * width), width: width)
        case .floats: return FeatureRows(numbers.floats(count * width), width: width)
        }
    }

    private func projected(_ features: FeatureRows, _ batch: ExampleBatch, _ rows: Range<Int>, on weights: [Float]) -> [Float] {
        let vectors = weights.count / features.width
        let tile = RowTile()
        tile.load(rows, of: batch, from: features)
        var out = [Float](repeating: .nan, count: rows.count * vectors + 1)
        features.project(tile, on: weights, vectorCount: vectors, into: &out)
        #expect(out.last?.isNaN == true, "wrote beyond the end")
        return out.dropLast()
    }

    @Test("projections are dot products of stored numbers, for any width and number of vectors", arguments: widths, vectorCounts)
    func project(width: Int, vectors: Int) throws {
        for format in Format.allCases {
            let features = try rows(40, width: width, format)
            var numbers = SeededNumbers(2)
            let weights = numbers.floats(vectors * width)
            for range in [3..<3, 3..<4, 0..<6, 5..<12, 8..<40] {
                let out = projected(features, .range(0..<40), range, on: weights)
                let expected = range.flatMap { row -> [Double] in
                    let values = features.values(of: row)
                    return (0..<vectors).map { v in
                        (0..<width).reduce(0.0) { $0 + Double(values[$1]) * Double(weights[v * width + $1]) }
                    }
                }
                #expect(Closeness.largestError(out, expected) < 1e-5)
            }
        }
    }

    @Test(
        "accumulations are sums of stored numbers by coefficients, onto what was there or over it", arguments: widths,
        vectorCounts)
    func accumulate(width: Int, vectors: Int) throws {
        let cases: [(Format, Float)] = [(.floats, 0), (.bytes, 0), (.halves, 0), (.floats, 1), (.bytes, -0.5), (.halves, 1)]
        for (format, beta) in cases {
            let features = try rows(20, width: width, format)
            var numbers = SeededNumbers(3)
            for count in [1, 2, 7, 20] {
                let coefficients = numbers.floats(count * vectors)
                let tile = RowTile()
                tile.load(0..<count, of: .range(0..<20), from: features)
                let length = vectors * width
                let before = (beta == 0 ? [Float](repeating: .nan, count: length) : numbers.floats(length)) + [7]
                var after = before
                let addend = count % 2 == 0 ? numbers.floats(length) : nil
                features.accumulate(
                    tile, coefficients: coefficients, vectorCount: vectors, beta: beta, plus: addend, into: &after)
                let values = (0..<count).map { features.values(of: $0) }
                let expected = (0..<length).map { i in
                    let start = (beta == 0 ? 0 : Double(beta) * Double(before[i])) + Double(addend?[i] ?? 0)
                    return (0..<count).reduce(start) {
                        $0 + Double(coefficients[$1 * vectors + i / width]) * Double(values[$1][i % width])
                    }
                }
                #expect(after.last == 7, "wrote beyond the end")
                #expect(Closeness.largestError(after.dropLast(), expected) < 1e-5)
            }
        }
    }

    @Test(
        "a row's projection has the same bits wherever in a tile it stands, and stored as bytes, halves or floats",
        arguments: widths)
    func bits(width: Int) throws {
        let bytes = try rows(32, width: width, .bytes)
        let floats = FeatureRows((0..<32).flatMap { bytes.values(of: $0) }, width: width)
        var numbers = SeededNumbers(4)
        let weights = numbers.floats(10 * width)
        let full = projected(bytes, .range(0..<32), 0..<32, on: weights)
        #expect(projected(floats, .range(0..<32), 0..<32, on: weights) == full)
        let halves = try FeatureRows(halves: (0..<32).flatMap { bytes.values(of: $0) }, width: width)
        #expect(projected(halves, .range(0..<32), 0..<32, on: weights) == full)
        for row in 0..<32 {
            #expect(projected(bytes, .range(0..<32), row..<row + 1, on: weights)[...] == full[row * 10..<(row + 1) * 10])
        }
        let order = (0..<32).map { UInt32($0) }.shuffled(using: &numbers)
        let shuffled = order.withUnsafeBufferPointer { projected(bytes, .indices($0), 0..<32, on: weights) }
        #expect(shuffled == order.flatMap { full[Int($0) * 10..<(Int($0) + 1) * 10] })
        // And whatever other vectors there are.
        for v in 0..<10 {
            let alone = projected(bytes, .range(0..<32), 0..<32, on: Array(weights[v * width..<(v + 1) * width]))
            #expect(alone == (0..<32).map { full[$0 * 10 + v] })
        }
    }

    @Test("a tile knows its rows' examples, by range and by index, and can be loaded again")
    func examples() throws {
        let features = try rows(100, width: 3, .bytes)
        let tile = RowTile()
        #expect(tile.count == 0)
        tile.load(2..<5, of: .range(50..<100), from: features)
        #expect((0..<tile.count).map { tile.example($0) } == [52, 53, 54])
        ([9, 7, 7, 0, 99] as [UInt32]).withUnsafeBufferPointer { tile.load(1..<5, of: .indices($0), from: features) }
        #expect((0..<tile.count).map { tile.example($0) } == [7, 7, 0, 99])
    }

    @Test("more rows than a tile takes are a programmer's error")
    func tooMany() async {
        await #expect(processExitsWith: .failure) {
            let features = FeatureRows([Float](repeating: 0, count: 100), width: 1)
            RowTile().load(0..<RowTile.capacity + 1, of: .range(0..<100), from: features)
        }
    }
}
