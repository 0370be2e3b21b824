import LinearAlgebra
import TestSupport
import Testing

@Suite("vectors of 16 bits")
struct QuantizedVectorsTests {
    /// Around steps of 16 and 32 features and parts of 2016.
    static let widths = [
        1, 2, 5, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 100, 784, 2015, 2016, 2017, 2031, 2048, 2049, 4033, 5000,
    ]

    private func bytes(_ numbers: [UInt8], width: Int) -> FeatureRows {
        let memory = AlignedMemory<UInt8>(uninitialized: numbers.count)
        _ = memory.elements.initialize(from: numbers)
        return FeatureRows(.uint8(memory), count: numbers.count / width, width: width)
    }

    /// Each row's product with each vector: its score under coefficients that are zero but for one.
    private func projected(_ features: FeatureRows, _ rows: Range<Int>, on vectors: QuantizedVectors) -> [Float] {
        let tile = RowTile()
        tile.load(rows, of: .range(0..<features.count), from: features)
        var products = [Float](repeating: .nan, count: rows.count * vectors.count)
        for v in 0..<vectors.count {
            let coefficients = (0..<rows.count * vectors.count).map { Float($0 % vectors.count == v ? 1 : 0) }
            var out = [Float](repeating: .nan, count: rows.count + 1)
            features.score(tile, on: vectors, coefficients: coefficients, into: &out)
            #expect(out.last?.isNaN == true, "wrote beyond the end")
            for row in 0..<rows.count { products[row * vectors.count + v] = out[row] * vectors.scale }
        }
        return products
    }

    @Test("a score is the sum of a row's products weighted by its coefficients", arguments: widths)
    func weighted(width: Int) throws {
        var numbers = SeededNumbers(UInt64(width))
        let features = bytes(numbers.bytes(9 * width), width: width)
        let vectors = try #require(QuantizedVectors(numbers.floats(7 * width), count: 7, width: width))
        let coefficients = numbers.floats(9 * 7)
        let tile = RowTile()
        tile.load(0..<9, of: .range(0..<9), from: features)
        var scores = [Float](repeating: 0, count: 9)
        features.score(tile, on: vectors, coefficients: coefficients, into: &scores)
        let products = projected(features, 0..<9, on: vectors)
        for row in 0..<9 {
            let terms = (0..<7).map { Double(coefficients[row * 7 + $0]) * Double(products[row * 7 + $0]) }
            let size = terms.reduce(0) { $0 + abs($1) } + 1e-6 * 255 * Double(width)
            #expect(abs(Double(scores[row] * vectors.scale) - terms.reduce(0, +)) <= 2e-6 * size)
        }
    }

    @Test("whole numbers that fill the 16 bits multiply to single precision", arguments: widths)
    func exact(width: Int) throws {
        var numbers = SeededNumbers(UInt64(width))
        let features = bytes(numbers.bytes(9 * width), width: width)
        for count in [1, 3, 5, 11] {
            // Each has its largest element at 32,767, so that its scale is one.
            let weights = (0..<count).flatMap { _ in [32_767] + numbers.integers(width - 1, below: 65_535).map { $0 - 32_767 } }
            let vectors = try #require(QuantizedVectors(weights.map { Float($0) }, count: count, width: width))
            let out = projected(features, 0..<9, on: vectors)
            for row in 0..<9 {
                let values = features.values(of: row).map { Int($0) }
                for v in 0..<count {
                    let sum = (0..<width).reduce(0) { $0 + values[$1] * weights[v * width + $1] }
                    #expect(abs(Double(out[row * count + v]) - Double(sum)) <= 3e-7 * 255 * 32_767 * Double(width))
                }
            }
        }
    }

    @Test("sums of the largest products do not overflow", arguments: widths)
    func largest(width: Int) throws {
        let features = bytes([UInt8](repeating: 255, count: 5 * width), width: width)
        for sign in [1, -1] as [Float] {
            let vectors = try #require(QuantizedVectors([Float](repeating: sign * 2, count: 7 * width), count: 7, width: width))
            for sum in projected(features, 0..<5, on: vectors) {
                #expect(abs(sum - sign * 510 * Float(width)) <= 1e-5 * 510 * Float(width))
            }
        }
    }

    @Test("products of any vectors are off by at most half a step of 16 bits for each feature", arguments: widths)
    func error(width: Int) throws {
        var numbers = SeededNumbers(UInt64(width))
        let features = bytes(numbers.bytes(7 * width), width: width)
        for size in [1e-20, 1, 1e20] {
            let weights = numbers.floats(3 * width, scale: size)
            let vectors = try #require(QuantizedVectors(weights, count: 3, width: width))
            #expect((vectors.count, vectors.width) == (3, width))
            let out = projected(features, 0..<7, on: vectors)
            for row in 0..<7 {
                let values = features.values(of: row).map { Double($0) }
                for v in 0..<3 {
                    let vector = weights[v * width..<(v + 1) * width].map { Double($0) }
                    let exact = zip(values, vector).reduce(0) { $0 + $1.0 * $1.1 }
                    let step = Double(vectors.scale)
                    let bound = step / 2 * values.reduce(0, +) + 1e-6 * zip(values, vector).reduce(0) { $0 + abs($1.0 * $1.1) }
                    #expect(abs(Double(out[row * 3 + v]) - exact) <= bound)
                }
            }
        }
    }

    @Test("a row's products have the same bits wherever in a tile it stands", arguments: widths)
    func bits(width: Int) throws {
        var numbers = SeededNumbers(UInt64(width))
        let features = bytes(numbers.bytes(9 * width), width: width)
        let vectors = try #require(QuantizedVectors(numbers.floats(7 * width), count: 7, width: width))
        let full = projected(features, 0..<9, on: vectors)
        for row in 0..<9 { #expect(projected(features, row..<row + 1, on: vectors)[...] == full[row * 7..<(row + 1) * 7]) }
    }

    @Test("a vector that one element dominates has no such form, nor has one that is not finite")
    func refused() {
        var vector = [Float](repeating: 1, count: 10_000)
        vector[50] = 30
        #expect(QuantizedVectors(vector, count: 1, width: 10_000) != nil)
        vector[50] = 100
        #expect(QuantizedVectors(vector, count: 1, width: 10_000) == nil)
        #expect(QuantizedVectors([Float](repeating: 1, count: 10_000) + vector, count: 2, width: 10_000) == nil, "one of two")
        for value in [Float.nan, .infinity, -.infinity] {
            vector[50] = value
            #expect(QuantizedVectors(vector, count: 1, width: 10_000) == nil)
        }
    }

    @Test("a vector of zeros multiplies to zero")
    func zeros() throws {
        let features = bytes([1, 2, 3, 255], width: 2)
        let vectors = try #require(QuantizedVectors([0, 0, 1, 2], count: 2, width: 2))
        let out = projected(features, 0..<2, on: vectors)
        #expect((out[0], out[2]) == (0, 0))
        #expect(abs(out[1] - 5) < 1e-3)
    }

    @Test("numbers too small for a scale do not trap")
    func tiny() async {
        await #expect(processExitsWith: .success) {
            for exponent in 30..<46 {
                let size = (0..<exponent).reduce(1.0) { product, _ in product / 10 }
                for factor in [1, 1.3, 2, 3.7, 7] as [Double] {
                    let vector = ([1, -0.9, 0.8, 0.5, 1] as [Double]).map { Float($0 * factor * size) }
                    _ = QuantizedVectors(vector, count: 1, width: 5)
                }
            }
        }
    }
}
