import LinearAlgebra
import TestSupport
import Testing

@Suite("Lanczos")
struct LanczosTests {
    private let parallel = Parallel(threads: 2)

    /// Runs on a matrix; counts the products.
    private func ends(_ matrix: DenseMatrix, steps: Int = 16, seed: UInt64 = 0) throws -> (ends: SpectrumEnds, products: Int) {
        var products = 0
        let ends = try Lanczos.ends(dimension: matrix.rows, steps: steps, seed: seed, parallel: parallel) { x, y in
            products += 1
            matrix.multiply(x, y)
        }
        return (ends, products)
    }

    /// Spectra of forty eigenvalues.
    private static let spectra: [[Double]] = [
        (1...40).map { Double($0) },  // evenly spread
        (0..<40).map { 100 * pow(0.7, $0) },  // decaying
        [5] + [Double](repeating: 0.01, count: 39),  // one above a floor
        [3, 3, 3] + [Double](repeating: 1, count: 37),  // a multiple one
        (0..<40).map { 1e6 * pow(0.5, $0) },  // large
        (0..<40).map { 1e-6 * pow(0.5, $0) },  // small
        (0..<40).map { 1e-30 * pow(0.5, $0) },  // smaller than single precision squares
    ]

    @Test("finds the largest of a known spectrum, and never more than it", arguments: 0..<6)
    func known(seed: UInt64) throws {
        var numbers = SeededNumbers(seed)
        for spectrum in Self.spectra {
            let matrix = DenseMatrix.symmetric(eigenvalues: spectrum, random: &numbers)
            let top = spectrum.max() ?? 0
            let (ends, products) = try ends(matrix, seed: seed)
            #expect(ends.largest.value <= top * (1 + 1e-5))
            #expect(ends.largest.value >= top * 0.98, "\(ends) of \(top)")
            #expect(products <= 16)
            #expect(ends.steps == products)
        }
    }

    @Test("an eigenvalue lies within the residual of each end", arguments: [4, 8, 16, 30])
    func residuals(steps: Int) throws {
        var numbers = SeededNumbers(3)
        for spectrum in Self.spectra {
            let matrix = DenseMatrix.symmetric(eigenvalues: spectrum, random: &numbers)
            let ends = try ends(matrix, steps: steps).ends
            for end in [ends.smallest, ends.largest] {
                let distance = spectrum.map { abs($0 - end.value) }.min() ?? .infinity
                #expect(distance <= end.residual + 1e-5 * ends.largest.value)
            }
        }
    }

    @Test("as many steps as dimensions find both ends exactly", arguments: [1, 2, 3, 5, 16])
    func complete(order: Int) throws {
        var numbers = SeededNumbers(7)
        let matrix = DenseMatrix.symmetric(eigenvalues: (1...order).map { Double($0) }, random: &numbers)
        let ends = try ends(matrix).ends
        #expect(abs(ends.largest.value - Double(order)) < 1e-5 * Double(order))
        #expect(abs(ends.smallest.value - 1) < 1e-5 * Double(order))
        #expect(!ends.isIndefinite)
        #expect(ends.shiftNeeded == 0)
    }

    @Test("more steps never find less")
    func monotone() throws {
        var numbers = SeededNumbers(8)
        let matrix = DenseMatrix.symmetric(eigenvalues: (1...60).map { Double($0) }, random: &numbers)
        let values = try [1, 2, 4, 8, 16, 32].map { try ends(matrix, steps: $0).ends.largest.value }
        for (fewer, more) in zip(values, values.dropFirst()) { #expect(more >= fewer * (1 - 1e-6)) }
        #expect(abs(values[5] - 60) < 1e-3)
    }

    @Test("sees negative curvature, and names a shift that makes up for it", arguments: [-1e-3, -0.5, -20])
    func indefinite(smallest: Double) throws {
        var numbers = SeededNumbers(9)
        let spectrum = [smallest] + (0..<59).map { 10 * pow(0.8, $0) }
        let matrix = DenseMatrix.symmetric(eigenvalues: spectrum, random: &numbers)
        let ends = try ends(matrix, steps: 50).ends
        #expect(ends.isIndefinite)
        #expect(abs(ends.smallest.value - smallest) < 1e-4)
        #expect(ends.shiftNeeded >= -smallest - 1e-4)
        #expect(ends.shiftNeeded <= -smallest + 1e-3)
    }

    @Test("an operator of zeros, and one that is a multiple of the identity, end after one product")
    func invariant() throws {
        let zero = try ends(DenseMatrix(rows: 10, columns: 10))
        #expect(
            zero.ends == SpectrumEnds(smallest: .init(value: 0, residual: 0), largest: .init(value: 0, residual: 0), steps: 1))
        let four = try ends(DenseMatrix(diagonal: [Double](repeating: 4, count: 10)))
        #expect(abs(four.ends.largest.value - 4) < 1e-5)
        #expect(four.products == 1)
        #expect(!zero.ends.isIndefinite)
    }

    @Test("an error of the operator ends the recursion")
    func failing() {
        var products = 0
        #expect(throws: Interrupted()) {
            try Lanczos.ends(dimension: 20, parallel: parallel) { x, y in
                products += 1
                if products == 3 { throw Interrupted() }
                for i in 0..<20 { y[i] = Float(i) * x[i] }
            }
        }
        #expect(products == 3)
    }

    @Test("numbers that are none are an error", arguments: [Float.nan, .infinity, -.infinity])
    func notFinite(number: Float) {
        for step in 1...3 {
            var products = 0
            #expect(throws: LanczosError.notFinite) {
                try Lanczos.ends(dimension: 20, parallel: parallel) { x, y in
                    products += 1
                    for i in 0..<20 { y[i] = Float(i) * x[i] }
                    if products == step { y[7] = number }
                }
            }
        }
    }

    private static func pow(_ base: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { product, _ in product * base }
    }
    private func pow(_ base: Double, _ exponent: Int) -> Double { Self.pow(base, exponent) }
}

extension DenseMatrix {
    /// y ← A·x.
    func multiply(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
        let image = times(Array(UnsafeBufferPointer(start: x, count: rows)))
        for i in image.indices { y[i] = Float(image[i]) }
    }
}
