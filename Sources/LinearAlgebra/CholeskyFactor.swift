/// A matrix that has no Cholesky factor, because it is not positive definite.
public struct NotPositiveDefinite: Error, Equatable, Sendable {
    /// The order of the first leading minor that is not positive, or not a number.
    public let minor: Int
}

/// The Cholesky factor L of a symmetric positive definite A = LLᵀ, in half the memory of a square.
///
/// Factoring and solving are ours, on the packed layout, rather than LAPACK's `spftrf` and `spftrs`: those are single calls of seconds,
/// which nothing can interrupt, and solutions whose bits depend on how many right-hand sides there are.
public struct CholeskyFactor: Sendable {
    /// The factor, in the packed layout of the matrix it was made from.
    public let packed: PackedSymmetricMatrix

    /// Rows of A.
    public var order: Int { packed.order }

    /// A factor made earlier.
    public init(packed: PackedSymmetricMatrix) { self.packed = packed }
}
