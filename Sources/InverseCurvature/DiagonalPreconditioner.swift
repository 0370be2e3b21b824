public import LinearAlgebra

/// P = diag(D) + λI, of a diagonal that is exact or an estimate (Jacobi's preconditioner; Golub & Van Loan 11.5).
///
/// A gain where the curvature's diagonal differs much from parameter to parameter.
public struct DiagonalPreconditioner: RootedPreconditioner {
    /// 1/(dᵢ + λ).
    private let inverse: AlignedMemory<Float>

    /// p.
    public var dimension: Int { inverse.count }

    /// What a diagonal may span where λ does not say how small it is: single precision tells no more of it.
    private static let span = 1e-6

    /// The preconditioner of diag(D), of any numbers at all, and λ.
    ///
    /// P must be positive definite, whatever the diagonal is. A sum below λ, which estimates of small elements give and indefinite
    /// curvatures have, is raised to λ, less than which no curvature adds; where λ is not positive, sums are raised to a
    /// millionth of the largest. An element that is not finite says nothing of its parameter, and gets the largest sum: steps along it
    /// are the shortest then. Without any positive sum P is the identity.
    public init(diagonal: [Float], shift: Double) {
        let sums = diagonal.map { Double($0) + shift }
        let largest = sums.reduce(0) { $1.isFinite ? max($0, $1) : $0 }
        let floor = shift > 0 && shift.isFinite ? shift : Self.span * largest
        let memory = AlignedMemory<Float>(uninitialized: diagonal.count)
        for (i, sum) in sums.enumerated() {
            let size = sum.isFinite ? max(sum, floor) : max(largest, floor)
            // Inverses that single precision has not would be zero or infinite.
            memory.start[i] = size > 0 ? Float(1 / max(1e-30, min(1e30, size))) : 1
        }
        inverse = memory
    }

    private init(rootOf preconditioner: DiagonalPreconditioner) {
        inverse = AlignedMemory(copying: preconditioner.inverse.elements.map { $0.squareRoot() })
    }

    /// P^-½.
    public var root: any Preconditioner { DiagonalPreconditioner(rootOf: self) }

    /// p.
    public var operations: Double { Double(dimension) }

    /// Numbers of a piece: enough to be worth a thread's while, and a small part of a millisecond.
    private static let pieceLength = 65_536

    /// z ← P⁻¹r.
    /// - Throws: `Interrupted`.
    public func apply(
        _ r: UnsafePointer<Float>, to z: UnsafeMutablePointer<Float>, count: Int, parallel: Parallel, interruption: Interruption
    ) throws {
        let inverse = inverse
        let pieces = Parallel.ranges(of: dimension, pieces: (dimension + Self.pieceLength - 1) / Self.pieceLength)
        // Pieces read and write what is theirs.
        nonisolated(unsafe) let (r, z) = (r, z)
        try parallel.forEach(count * pieces.count, interruption: interruption) { index in
            let (vector, piece) = index.quotientAndRemainder(dividingBy: pieces.count)
            let offset = vector * inverse.count
            for i in pieces[piece] { z[offset + i] = inverse.start[i] * r[offset + i] }
        }
    }
}
