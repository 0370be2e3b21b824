import LinearAlgebra
import TestSupport
import Testing

@Suite("Lanczos")
struct LanczosTests {
    /// Runs on a matrix; counts the products.
    private func largest(_ matrix: DenseMatrix, steps: Int = 16, seed: UInt64 = 0) -> (value: Double, products: Int) {
        var products = 0
        let value = Lanczos.largestEigenvalue(dimension: matrix.rows, steps: steps, seed: seed) { x, y in
            products += 1
            let image = matrix.times(Array(UnsafeBufferPointer(start: x, count: matrix.rows)))
            for i in image.indices { y[i] = Float(image[i]) }
        }
        return (value, products)
    }

    @Test("finds the largest of a known spectrum, and never more than it", arguments: 0..<6)
    func known(seed: UInt64) {
        var numbers = SeededNumbers(seed)
        let spectra: [[Double]] = [
            (1...40).map { Double($0) },  // evenly spread
            (0..<40).map { 100 * pow(0.7, $0) },  // decaying
            [5] + [Double](repeating: 0.01, count: 39),  // one above a floor
            [3, 3, 3] + [Double](repeating: 1, count: 37),  // a multiple one
            (0..<40).map { 1e6 * pow(0.5, $0) },  // large
            (0..<40).map { 1e-6 * pow(0.5, $0) },  // small
        ]
        for spectrum in spectra {
            let matrix = DenseMatrix.symmetric(eigenvalues: spectrum, random: &numbers)
            let top = spectrum.max() ?? 0
            let (value, products) = largest(matrix, seed: seed)
            #expect(value <= top * (1 + 1e-5))
            #expect(value >= top * 0.98, "\(value) of \(top)")
            #expect(products <= 16)
        }
    }

    @Test("as many steps as dimensions find it exactly", arguments: [1, 2, 3, 5, 16])
    func complete(order: Int) {
        var numbers = SeededNumbers(7)
        let matrix = DenseMatrix.symmetric(eigenvalues: (1...order).map { Double($0) }, random: &numbers)
        #expect(abs(largest(matrix).value - Double(order)) < 1e-5 * Double(order))
    }

    @Test("more steps never find less")
    func monotone() {
        var numbers = SeededNumbers(8)
        let matrix = DenseMatrix.symmetric(eigenvalues: (1...60).map { Double($0) }, random: &numbers)
        let values = [1, 2, 4, 8, 16, 32].map { largest(matrix, steps: $0).value }
        for (fewer, more) in zip(values, values.dropFirst()) { #expect(more >= fewer * (1 - 1e-6)) }
        #expect(abs(values[5] - 60) < 1e-3)
    }

    @Test("an operator of zeros, and one that is a multiple of the identity, end after one product")
    func invariant() {
        #expect(largest(DenseMatrix(rows: 10, columns: 10)) == (0, 1))
        let (value, products) = largest(DenseMatrix(diagonal: [Double](repeating: 4, count: 10)))
        #expect(abs(value - 4) < 1e-5)
        #expect(products == 1)
    }

    @Test("an error of the operator ends the recursion")
    func failing() {
        var products = 0
        #expect(throws: Interrupted()) {
            try Lanczos.largestEigenvalue(dimension: 20) { x, y in
                products += 1
                if products == 3 { throw Interrupted() }
                for i in 0..<20 { y[i] = Float(i) * x[i] }
            }
        }
        #expect(products == 3)
    }

    private func pow(_ base: Double, _ exponent: Int) -> Double { (0..<exponent).reduce(1) { product, _ in product * base } }
}
