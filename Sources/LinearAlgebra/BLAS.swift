internal import CBLAS

/// Whether a matrix enters a product as it is or transposed.
public enum Transposition: Sendable {
    /// As it is.
    case none
    /// Transposed.
    case transposed

    var cblas: CBLAS_TRANSPOSE { self == .none ? CblasNoTrans : CblasTrans }
}

/// One of the two halves of a symmetric matrix, diagonal included.
public enum Triangle: Sendable {
    /// Elements whose row is at least their column.
    case lower
    /// Elements whose column is at least their row.
    case upper

    var cblas: CBLAS_UPLO { self == .lower ? CblasLower : CblasUpper }
}

/// On which side of a matrix another one stands.
public enum Side: Sendable {
    /// Before it.
    case left
    /// Behind it.
    case right

    var cblas: CBLAS_SIDE { self == .left ? CblasLeft : CblasRight }
}

/// The few BLAS routines the numerics stand on, row-major; in single precision but where a
/// computation is checked against double.
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

    /// The same in double precision.
    @inline(__always)
    public static func multiply(
        _ transA: Transposition, _ transB: Transposition, m: Int, n: Int, k: Int,
        alpha: Double, _ a: UnsafePointer<Double>, _ lda: Int, _ b: UnsafePointer<Double>, _ ldb: Int,
        beta: Double, _ c: UnsafeMutablePointer<Double>, _ ldc: Int
    ) {
        cblas_dgemm(
            CblasRowMajor, transA.cblas, transB.cblas, Int32(m), Int32(n), Int32(k),
            alpha, a, Int32(lda), b, Int32(ldb), beta, c, Int32(ldc))
    }

    /// One triangle of C ← α·AᵀA + β·C with A [k, n] (`.transposed`), or of C ← α·AAᵀ + β·C with A [n, k] (`.none`), C [n, n]: n²·k
    /// flops, half of `multiply`. The other triangle is left alone.
    public static func addGram(
        _ triangle: Triangle = .lower, _ first: Transposition = .transposed, n: Int, k: Int, alpha: Float,
        _ a: UnsafePointer<Float>, _ lda: Int, beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        cblas_ssyrk(
            CblasRowMajor, triangle.cblas, first.cblas, Int32(n), Int32(k), alpha, a, Int32(lda), beta, c, Int32(ldc))
    }

    /// B ← op(L)⁻¹·B with L [m, m] on the left, or B ← B·op(L)⁻¹ with L [n, n] on the right, B [m, n]: m·n flops for each row of L.
    /// Only L's lower triangle is read.
    public static func solve(
        _ side: Side, lower l: UnsafePointer<Float>, _ ldl: Int, _ transposition: Transposition, m: Int, n: Int,
        _ b: UnsafeMutablePointer<Float>, _ ldb: Int
    ) {
        cblas_strsm(
            CblasRowMajor, side.cblas, CblasLower, transposition.cblas, CblasNonUnit, Int32(m), Int32(n), 1, l, Int32(ldl), b,
            Int32(ldb))
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
