import LinearAlgebra
import TestSupport
import Testing

@Suite("Cholesky factors")
struct CholeskyFactorTests {
    private func packed(_ matrix: DenseMatrix) -> PackedSymmetricMatrix {
        let packed = PackedSymmetricMatrix(uninitializedOrder: matrix.rows)
        for i in 0..<matrix.rows { for j in 0...i { packed[i, j] = Float(matrix[i, j]) } }
        return packed
    }

    @Test(
        "solves positive definite systems for several right-hand sides at once, of even and odd order",
        arguments: [1, 2, 3, 4, 5, 8, 9, 32, 33, 64, 65, 100])
    func solves(order: Int) throws {
        var numbers = SeededNumbers(UInt64(order))
        let spread = (0..<order).map { 1 + 50 * Double($0) / Double(order) }
        // Rounded first, so that the reference solves the same system.
        let exact = DenseMatrix.symmetric(eigenvalues: spread, random: &numbers)
        let matrix = DenseMatrix(rows: order, columns: order, elements: exact.floats.map { Double($0) })
        let factor = try CholeskyFactor(factoring: packed(matrix))
        #expect(factor.order == order)
        for count in [1, 2, 5] {
            let sides = numbers.floats(order * count)
            var solutions = sides
            try factor.solve(&solutions, count: count)
            for i in 0..<count {
                let part = i * order..<(i + 1) * order
                #expect(Closeness.relativeDistance(solutions[part], matrix.solved(for: Array(sides[part]))) < 2e-5)
            }
        }
    }

    @Test("a factor made again from its memory solves the same, bit for bit")
    func again() throws {
        var numbers = SeededNumbers(5)
        let matrix = DenseMatrix.symmetric(eigenvalues: [1, 2, 3, 4, 5, 6, 7], random: &numbers)
        let factor = try CholeskyFactor(factoring: packed(matrix))
        let side = numbers.floats(7)
        var (first, second) = (side, side)
        try factor.solve(&first, count: 1)
        try CholeskyFactor(packed: factor.packed).solve(&second, count: 1)
        #expect(first == second)
    }

    @Test("refuses matrices that are not positive definite, and says at which minor", arguments: [1, 2, 3, 6, 7, 40, 41])
    func refuses(order: Int) {
        for bad in Set([0, order / 2, order - 1]) {
            var diagonal = [Double](repeating: 1, count: order)
            diagonal[bad] = -1
            let error = #expect(throws: NotPositiveDefinite.self) {
                try CholeskyFactor(factoring: packed(DenseMatrix(diagonal: diagonal)))
            }
            #expect(error?.minor == bad + 1)
        }
    }

    @Test("refuses indefinite matrices that have a positive diagonal", arguments: [2, 3, 20, 21])
    func refusesHidden(order: Int) {
        // Eigenvalues −1 and 2n − 1.
        let matrix = DenseMatrix(rows: order, columns: order, elements: [Double](repeating: 2, count: order * order))
            .plus(diagonal: -1)
        #expect(throws: NotPositiveDefinite.self) { try CholeskyFactor(factoring: packed(matrix)) }
    }
}
