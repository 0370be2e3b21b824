extension CholeskyFactor {
    /// The rows of A, ascending, with anything beside the diagonal element: the others stand for themselves, in A as in L. Those of a
    /// curvature whose features are zero everywhere do.
    /// - Throws: `Interrupted`.
    public func coupledRows(interruption: Interruption = .never) throws -> [Int] {
        let (seam, leading) = (packed.leftColumns, packed.leading)
        var isCoupled = [Bool](repeating: false, count: order)
        for column in 0..<seam {
            if column % 64 == 0 { try interruption.check() }
            let elements = packed.left + column * leading
            for row in column + 1..<max(order, column + 1) where elements[row] != 0 {
                isCoupled[row] = true
                isCoupled[column] = true
            }
        }
        for row in 1..<max(1, order - seam) {
            if row % 64 == 0 { try interruption.check() }
            let elements = packed.right + row * leading
            for column in 0..<row where elements[column] != 0 {
                isCoupled[seam + row] = true
                isCoupled[seam + column] = true
            }
        }
        return isCoupled.indices.filter { isCoupled[$0] }
    }

    /// The factor of the rows and columns of A that are given, ascending, which are not coupled to others: those of L. Not empty.
    /// - Throws: `Interrupted`.
    public func part(of rows: [Int], interruption: Interruption = .never) throws -> CholeskyFactor {
        let matrix = PackedSymmetricMatrix(uninitializedOrder: rows.count)
        for (row, from) in rows.enumerated() {
            if row % 16 == 0 { try interruption.check() }
            for column in 0...row { matrix[row, column] = packed[from, rows[column]] }
        }
        return CholeskyFactor(packed: matrix)
    }
}
