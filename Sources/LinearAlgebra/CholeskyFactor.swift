internal import CLAPACK

/// A matrix that has no Cholesky factor, because it is not positive definite.
public struct NotPositiveDefinite: Error, Equatable, Sendable {
    /// The order of the first leading minor that is not positive.
    public let minor: Int
}

/// The Cholesky factor L of a symmetric positive definite A = LLᵀ, in half the memory of a square (LAPACK `spftrf`, `spftrs`).
public struct CholeskyFactor: Sendable {
    /// The factor, in the packed layout of the matrix it was made from.
    public let packed: PackedSymmetricMatrix

    /// Rows of A.
    public var order: Int { packed.order }

    /// Factors a matrix in place: its memory becomes the factor's. n³/3 flops.
    public init(factoring matrix: PackedSymmetricMatrix) throws(NotPositiveDefinite) {
        var order = CInt(matrix.order)
        var info: CInt = 0
        spftrf_("N", "L", &order, matrix.memory.start, &info, 1, 1)
        guard info == 0 else { throw NotPositiveDefinite(minor: Int(info)) }
        // OpenBLAS lets NaN pass as positive.
        for i in 0..<matrix.order {
            guard matrix[i, i] > 0, matrix[i, i].isFinite else { throw NotPositiveDefinite(minor: i + 1) }
        }
        packed = matrix
    }

    /// A factor made earlier.
    public init(packed: PackedSymmetricMatrix) { self.packed = packed }

    /// Solves A·x = b in place for `count` right-hand sides, each `order` long and stacked one after the other.
    /// 2·n² flops each; the factor is read twice, whatever `count` is.
    public func solve(_ rightHandSides: UnsafeMutablePointer<Float>, count: Int) {
        var order = CInt(packed.order)
        var sides = CInt(count)
        var leading = order
        var info: CInt = 0
        spftrs_("N", "L", &order, &sides, packed.memory.start, rightHandSides, &leading, &info, 1, 1)
    }
}
