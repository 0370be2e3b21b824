import LinearAlgebra
import TestSupport
import Testing

@Suite("eigen-decompositions of symmetric matrices")
struct SymmetricEigenTests {
    /// The lower triangle of a matrix, with rubbish above it.
    private func lower(_ matrix: DenseMatrix) -> AlignedMemory<Double> {
        let memory = AlignedMemory<Double>(repeating: .nan, count: matrix.rows * matrix.rows)
        for i in 0..<matrix.rows { for j in 0...i { memory.start[i * matrix.rows + j] = matrix[i, j] } }
        return memory
    }

    @Test("rows are orthonormal eigenvectors, eigenvalues ascend, and only the lower triangle is read", arguments: [1, 2, 7, 60])
    func decomposition(order: Int) throws {
        var numbers = SeededNumbers(UInt64(order))
        let spectrum = (0..<order).map { Double($0 * $0) - 3 }
        let matrix = DenseMatrix.symmetric(eigenvalues: spectrum, random: &numbers)
        let eigen = try SymmetricEigen(lower: lower(matrix), order: order)
        #expect(Closeness.largestError(eigen.values.copy, spectrum) < 1e-12)
        let vectors = DenseMatrix(rows: order, columns: order, elements: eigen.vectors.copy)
        let identity = DenseMatrix(diagonal: [Double](repeating: 1, count: order))
        #expect(Closeness.largestError((vectors * vectors.transposed).elements, identity.elements) < 1e-12)
        let rebuilt = vectors.transposed * DenseMatrix(diagonal: eigen.values.copy) * vectors
        #expect(Closeness.largestError(rebuilt.elements, matrix.elements) < 1e-12)
    }

    @Test("a matrix of zeros has unit vectors, whatever they are")
    func zero() throws {
        let eigen = try SymmetricEigen(lower: AlignedMemory(repeating: 0, count: 9), order: 3)
        #expect(eigen.values.copy == [0, 0, 0])
        #expect((0..<3).allSatisfy { row in eigen.vectors.copy[row * 3..<row * 3 + 3].reduce(0) { $0 + $1 * $1 } == 1 })
    }

    @Test("what is not finite is refused before LAPACK sees it", arguments: [Double.nan, .infinity, -.infinity])
    func notFinite(value: Double) {
        let matrix = AlignedMemory<Double>(copying: [1, 0, value, 1])
        #expect(throws: EigenFailure.notFinite) { try SymmetricEigen(lower: matrix, order: 2) }
    }
}
