/// A curvature whose matrix over some of its examples is cheap to write out: not by a product for each column.
public protocol ExplicitCurvature: CurvatureOperator {
    /// Writes (1/|B|) Σ_{i∈B} Cᵢ + λI for a batch B that is not empty: every element of the lower triangle.
    /// - Throws: `Interrupted`.
    func write(
        over batch: ExampleBatch, plus shift: Double, to matrix: PackedSymmetricMatrix, parallel: Parallel,
        interruption: Interruption) throws
}
