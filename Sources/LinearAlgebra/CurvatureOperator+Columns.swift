extension CurvatureOperator {
    /// Writes D + λI by its products with the unit vectors, some columns at a time: p products over all examples.
    /// - Throws: `Interrupted`.
    public func writeByColumns(
        plus shift: Double, to matrix: PackedSymmetricMatrix, parallel: Parallel, interruption: Interruption
    ) throws {
        precondition(matrix.order == dimension, "the matrix is of the curvature's order")
        // As many columns as share a way through the examples well.
        let (dimension, width) = (dimension, 16)
        try parallel.forEach((dimension + width - 1) / width, interruption: interruption) { block in
            let columns = block * width..<min((block + 1) * width, dimension)
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
