import LinearAlgebra
import TestSupport
import Testing

@Suite("Cholesky factors in double precision")
struct DoubleCholeskyFactorTests {
    private func memory(_ matrix: DenseMatrix) -> AlignedMemory<Double> { AlignedMemory(copying: matrix.elements) }

    @Test("solutions are those of Gaussian elimination", arguments: [1, 2, 63, 64, 65, 130])
    func solutions(order: Int) throws {
        var numbers = SeededNumbers(UInt64(order))
        let matrix = DenseMatrix.symmetric(
            eigenvalues: (0..<order).map { 1e-3 + Double($0 * $0) }, random: &numbers)
        let sides = (0..<3 * order).map { _ in numbers.normal() }
        let solutions = AlignedMemory(copying: sides)
        try DoubleCholeskyFactor(factoring: memory(matrix), order: order).solve(solutions)
        let found = solutions.copy
        for side in 0..<3 {
            let part = side * order..<(side + 1) * order
            #expect(Closeness.relativeDistance(found[part], matrix.solved(for: Array(sides[part]))) < 1e-9)
        }
    }

    @Test("only the lower triangle is read, and the bits do not depend on threads or companions")
    func bits() throws {
        let order = 210
        var numbers = SeededNumbers(4)
        var matrix = DenseMatrix(rows: order, columns: order, random: &numbers)
        for i in 0..<order {
            matrix[i, i] = Double(2 * order)
            for j in 0..<i { matrix[i, j] = matrix[j, i] }
        }
        var lower = matrix
        for i in 0..<order { for j in i + 1..<max(i + 1, order) { lower[i, j] = .nan } }
        let sides = (0..<2 * order).map { _ in numbers.normal() }
        let (both, second) = (AlignedMemory(copying: sides), AlignedMemory(copying: sides[order...]))
        try DoubleCholeskyFactor(factoring: memory(matrix), order: order).solve(both)
        let parallel = Parallel(threads: 3)
        try DoubleCholeskyFactor(factoring: memory(lower), order: order, parallel: parallel).solve(second, parallel: parallel)
        #expect(Array(both.copy[order...]) == second.copy)
    }

    @Test("a matrix that is singular to rounding, indefinite or not finite has none, and its minor is named")
    func failures() {
        func minor(_ matrix: DenseMatrix) -> Int? {
            do {
                _ = try DoubleCholeskyFactor(factoring: memory(matrix), order: matrix.rows)
                return nil
            } catch { return (error as? NotPositiveDefinite)?.minor }
        }
        #expect(minor(DenseMatrix(diagonal: [1, 2, -1, 3])) == 3)
        #expect(minor(DenseMatrix(diagonal: [1, 0])) == 2)
        #expect(minor(DenseMatrix(diagonal: [1, .nan])) == 2)
        #expect(minor(DenseMatrix(diagonal: [.infinity, 1])) == 1)
        #expect(minor(DenseMatrix(rows: 2, columns: 2, elements: [1, 1, 1, 1 + 0x1p-52])) == 2)
        // 80 rows of rank 10.
        var numbers = SeededNumbers(2)
        let rows = DenseMatrix(rows: 10, columns: 80, random: &numbers)
        #expect(minor(rows.transposed * rows) == 11)
    }

    @Test("factoring and solving are interrupted")
    func interruption() throws {
        let matrix = DenseMatrix(diagonal: [1, 2, 3])
        let factor = try DoubleCholeskyFactor(factoring: memory(matrix), order: 3)
        let raised = Interruption { true }
        #expect(throws: Interrupted.self) {
            try DoubleCholeskyFactor(factoring: memory(matrix), order: 3, interruption: raised)
        }
        #expect(throws: Interrupted.self) { try factor.solve(AlignedMemory(copying: [1, 2, 3]), interruption: raised) }
    }
}
