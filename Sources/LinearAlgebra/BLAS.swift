internal import CBLAS

/// Whether a matrix enters a product as it is or transposed.
public enum Transposition: Sendable {
    /// As it is.
    case none
    /// Transposed.
    case transposed

    var cblas: CBLAS_TRANSPOSE { self == .none ? CblasNoTrans : CblasTrans }
}

/// The few BLAS routines the numerics stand on, row-major, single precision.
///
/// Sizes are the caller's: nothing here is checked, and a wrong leading dimension reads out of bounds, as in BLAS itself.
public enum BLAS {
    /// C ← α·op(A)·op(B) + β·C with op(A) [m, k], op(B) [k, n], C [m, n]: 2·m·n·k flops. β = 0 overwrites C, whatever it held.
    @inline(__always)
    public static func multiply(
        _ transA: Transposition, _ transB: Transposition, m: Int, n: Int, k: Int,
        alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int,
        beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        cblas_sgemm(
            CblasRowMajor, transA.cblas, transB.cblas, Int32(m), Int32(n), Int32(k),
            alpha, a, Int32(lda), b, Int32(ldb), beta, c, Int32(ldc))
    }

    /// The lower triangle of C ← α·AᵀA + β·C with A [k, n], C [n, n]: n²·k flops, half of `multiply`.
    public static func addGram(
        n: Int, k: Int, alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int, beta: Float, _ c: UnsafeMutablePointer<Float>,
        _ ldc: Int
    ) {
        cblas_ssyrk(
            CblasRowMajor, CblasLower, CblasTrans, Int32(n), Int32(k), alpha, a, Int32(lda), beta, c, Int32(ldc))
    }

    /// y ← y + α·x.
    @inline(__always)
    public static func add(_ count: Int, alpha: Float, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>) {
        cblas_saxpy(Int32(count), alpha, x, 1, y, 1)
    }

    /// x ← α·x.
    @inline(__always)
    public static func scale(_ count: Int, by alpha: Float, _ x: UnsafeMutablePointer<Float>) {
        cblas_sscal(Int32(count), alpha, x, 1)
    }
}
