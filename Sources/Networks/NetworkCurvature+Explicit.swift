public import LinearAlgebra

extension NetworkCurvature {
    /// Columns that are computed together.
    private static let columnsAtATime = 16

    /// Writes D + λI: its products with the unit vectors, a few columns at a time; p products over all examples.
    /// - Throws: `Interrupted`.
    public func write(
        plus shift: Double, to matrix: PackedSymmetricMatrix, parallel: Parallel, interruption: Interruption
    ) throws {
        precondition(matrix.order == dimension, "the matrix is of the curvature's order")
        try keepActivations(parallel: parallel, interruption: interruption)
        let blocks = (dimension + Self.columnsAtATime - 1) / Self.columnsAtATime
        try parallel.forEach(blocks, interruption: interruption) { block in
            let columns = block * Self.columnsAtATime..<min((block + 1) * Self.columnsAtATime, dimension)
            let vectors = AlignedMemory<Float>(repeating: 0, count: columns.count * dimension)
            for (k, column) in columns.enumerated() { vectors.start[k * dimension + column] = 1 }
            try product(
                of: vectors.start, to: vectors.start, vectorCount: columns.count, parallel: Parallel(threads: 1),
                interruption: interruption)
            for (k, column) in columns.enumerated() {
                for row in column..<dimension { matrix[row, column] = vectors.start[k * dimension + row] }
                matrix[column, column] += Float(shift)
            }
        }
    }
}
