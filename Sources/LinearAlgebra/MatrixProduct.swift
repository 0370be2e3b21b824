internal import CKernels

/// Products of matrices of which one is small, as in networks: a batch of examples, a layer's weights. Row-major, single precision.
///
/// An element's bits depend on its own row of op(A), its own column of op(B) and what it is added to, on α, β and k, and on the vector
/// unit; never on what else the matrices hold, how many rows and columns they have, how far apart those lie or which factor comes
/// transposed. BLAS promises none of that. So a result is the same alone and in a batch, and no shape is left to BLAS.
///
/// Measured beside OpenBLAS 0.3.21 on one core of a Zen 5, over products of networks (784-128-10 at batches of 1 to 1,024, layers of
/// 512 to 3,072, convolutions): with AVX-512 1.4 to 4.5 times as fast as its Haswell kernels, and 1 to 1.8 times as fast as its SkylakeX
/// ones; of those, special kernels for products of a few microseconds with B transposed take 0.2 to 0.5 of our time. With AVX2 0.9 to
/// 1.6 times as fast as the Haswell kernels, and 0.6 to 0.8 where the rows of a transposed A, or of B, lie a multiple of 1 KiB apart.
public enum MatrixProduct {
    /// C ← α·op(A)·op(B) + β·C with op(A) [m, k], op(B) [k, n], C [m, n]: 2·m·n·k flops. β = 0 overwrites C, whatever it held.
    ///
    /// The arguments are those of `BLAS.multiply`, and nothing is checked here either. Nothing is allocated; 64 KiB of stack are used.
    /// C may overlap neither A nor B. Sums run in order over runs of at most 400 products, and these sums in order: the error is about
    /// that of a BLAS, √400·6e-8 of the root of the sum of squares for numbers of random signs.
    /// - Parameters:
    ///   - transA: whether A [m, k] is stored as it is, or as [k, m].
    ///   - transB: whether B [k, n] is stored as it is, or as [n, k].
    ///   - m: rows of C.
    ///   - n: columns of C.
    ///   - k: products in a sum; for 0, C is only multiplied by β.
    ///   - alpha: multiplies the product; where 0, neither A nor B is read.
    ///   - a: A, as stored.
    ///   - lda: how far A's stored rows lie apart.
    ///   - b: B, as stored.
    ///   - ldb: how far B's stored rows lie apart.
    ///   - beta: multiplies C before the product is added.
    ///   - c: C.
    ///   - ldc: how far C's rows lie apart.
    @inline(__always)
    public static func multiply(
        _ transA: Transposition, _ transB: Transposition, m: Int, n: Int, k: Int,
        alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int,
        beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        influenced_multiply(transA == .transposed, transB == .transposed, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
    }
}
