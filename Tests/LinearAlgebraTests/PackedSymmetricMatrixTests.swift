import LinearAlgebra
import Testing

@Suite("packed symmetric matrices")
struct PackedSymmetricMatrixTests {
    static let orders = Array(1...9) + [64, 65]

    @Test("every element of the lower triangle has a place of its own, and none is left over", arguments: orders)
    func bijection(order: Int) {
        let matrix = PackedSymmetricMatrix(uninitializedOrder: order)
        let offsets = (0..<order).flatMap { row in (0...row).map { matrix.offset(row: row, column: $0) } }
        #expect(offsets.sorted() == Array(0..<order * (order + 1) / 2))
        #expect(matrix.memory.count == offsets.count)
        #expect(PackedSymmetricMatrix.elementCount(order: order) == offsets.count)
    }

    @Test("an element is the same from either triangle", arguments: orders)
    func symmetry(order: Int) {
        let matrix = PackedSymmetricMatrix(uninitializedOrder: order)
        for row in 0..<order {
            for column in 0...row {
                // Written through the upper triangle for half of them.
                if (row + column) % 2 == 0 {
                    matrix[row, column] = Float(1000 * row + column)
                } else {
                    matrix[column, row] = Float(1000 * row + column)
                }
            }
        }
        for row in 0..<order {
            for column in 0..<order { #expect(matrix[row, column] == Float(1000 * max(row, column) + min(row, column))) }
        }
    }

    @Test("the first columns lie in the array as they are: LAPACK's layout, written out for orders 5 and 6")
    func layout() {
        // LAPACK's documentation of the format shows both (TRANSR = 'N', UPLO = 'L'), here column by column.
        let odd = PackedSymmetricMatrix(uninitializedOrder: 5)
        let oddColumns = [
            [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)], [(3, 3), (1, 1), (2, 1), (3, 1), (4, 1)],
            [(4, 3), (4, 4), (2, 2), (3, 2), (4, 2)],
        ]
        #expect(oddColumns.joined().map { odd.offset(row: $0.0, column: $0.1) } == Array(0..<15))
        let even = PackedSymmetricMatrix(uninitializedOrder: 6)
        let evenColumns = [
            [(3, 3), (0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0)], [(4, 3), (4, 4), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1)],
            [(5, 3), (5, 4), (5, 5), (2, 2), (3, 2), (4, 2), (5, 2)],
        ]
        #expect(evenColumns.joined().map { even.offset(row: $0.0, column: $0.1) } == Array(0..<21))
    }

    @Test("a count of elements that overflows is no count")
    func overflow() {
        #expect(PackedSymmetricMatrix.elementCount(order: 1 << 40) == nil)
        #expect(PackedSymmetricMatrix.elementCount(order: 100_000) == 5_000_050_000)
    }

    @Test("a matrix without rows is a programmer's error")
    func noRows() async {
        await #expect(processExitsWith: .failure) { _ = PackedSymmetricMatrix(uninitializedOrder: 0) }
    }
}
