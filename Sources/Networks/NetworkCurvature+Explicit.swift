public import LinearAlgebra

extension NetworkCurvature {
    /// Writes D + λI: its products with the unit vectors, a few columns at a time; p products over all examples.
    /// - Throws: `Interrupted`.
    public func write(
        plus shift: Double, to matrix: PackedSymmetricMatrix, parallel: Parallel, interruption: Interruption
    ) throws {
        try keepActivations(parallel: parallel, interruption: interruption)
        try writeByColumns(plus: shift, to: matrix, parallel: parallel, interruption: interruption)
    }
}
