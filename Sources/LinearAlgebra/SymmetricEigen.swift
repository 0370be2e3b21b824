internal import CLAPACK

/// A = QᵀΛQ of a symmetric matrix in double precision, by divide and conquer (LAPACK's `dsyevd`; Cuppen 1981), on one thread.
///
/// About 9n³ flops, a third of them at the speed of memory: 0.15 s for n = 784. LAPACK can't be interrupted.
public struct SymmetricEigen: Sendable {
    /// The eigenvalues, ascending.
    public let values: AlignedMemory<Double>
    /// Row i is the eigenvector of value i, of length 1: [n, n]. It is Q here, and the transpose of what textbooks call so.
    public let vectors: AlignedMemory<Double>

    /// The largest n: LAPACK counts its workspace of 2n² numbers in 32 bits.
    public static let largestOrder = 32_000

    /// Bytes that the decomposition of a matrix of this order takes, the matrix among them.
    public static func byteCount(order: Int) -> Double {
        let n = Double(order)
        return 8 * (3 * n * n + 8 * n) + 4 * (5 * n + 3)
    }

    /// Decomposes a matrix of which the lower triangle is given, row-major [n, n]; its memory becomes that of `vectors`.
    /// - Throws: `EigenFailure`.
    public init(lower matrix: AlignedMemory<Double>, order: Int) throws(EigenFailure) {
        precondition(order > 0 && order <= Self.largestOrder && matrix.count == order * order, "a matrix is square")
        for row in 0..<order {
            // Zero times a number is zero, unless that is not finite.
            var sum = 0.0
            for column in 0...row { sum += 0 * matrix.start[row * order + column] }
            guard sum == 0 else { throw EigenFailure.notFinite }
        }
        values = AlignedMemory(uninitialized: order)
        vectors = matrix
        var n = CInt(order)
        var (workCount, indexCount) = (CInt(1 + 6 * order + 2 * order * order), CInt(3 + 5 * order))
        var info: CInt = 0
        let work = AlignedMemory<Double>(uninitialized: Int(workCount))
        let indices = AlignedMemory<CInt>(uninitialized: Int(indexCount))
        var leading = n
        // What is the lower triangle row by row is the upper one column by column; and eigenvectors come as columns, which are rows here.
        dsyevd_(
            "V", "U", &n, matrix.start, &leading, values.start, work.start, &workCount, indices.start, &indexCount, &info, 1, 1)
        guard info == 0 else { throw EigenFailure.notConverged }
    }
}

/// Why a matrix has no decomposition.
public enum EigenFailure: Error, Equatable, Sendable {
    /// An element is infinite or NaN.
    case notFinite
    /// LAPACK's iteration did not converge.
    case notConverged
}
