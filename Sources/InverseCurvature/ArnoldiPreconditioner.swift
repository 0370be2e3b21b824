public import LinearAlgebra

/// P⁻¹ = Σⱼ qⱼqⱼᵀ/(θⱼ + λ) + (I − QᵀQ)/(τ + λ): takes the pairs' eigenvalues out of a conjugate-gradient iteration's way (deflation), so that
/// it converges as if the spectrum ended below them.
///
/// Positive definite, as every θⱼ and τ = the mean of the rest are taken for at least 0, or λ is. 4·p·k flops a vector.
public struct ArnoldiPreconditioner: Preconditioner {
    private let pairs: Eigenpairs
    private let rest: Float
    private let weights: [Float]

    /// p.
    public var dimension: Int { pairs.dimension }

    /// From a solver's pairs and λ > 0.
    public init(_ solver: ArnoldiSolver, shift: Double) {
        precondition(shift > 0, "λ makes it definite")
        pairs = solver.pairs
        let rest = 1 / (ArnoldiSolver(pairs: solver.pairs, trace: solver.trace, complement: .mean).complementValue + shift)
        self.rest = Float(rest)
        weights = solver.pairs.values.map { Float(1 / (max(0, $0) + shift) - rest) }
    }

    /// z ← P⁻¹r.
    /// - Throws: `Interrupted`.
    public func apply(
        _ r: UnsafePointer<Float>, to z: UnsafeMutablePointer<Float>, count: Int, parallel: Parallel, interruption: Interruption
    ) throws {
        let coefficients = try pairs.rows.coefficients(of: r, count: count, parallel: parallel, interruption: interruption)
        z.update(from: r, count: count * dimension)
        try pairs.rows.add(
            coefficients.indices.map { coefficients[$0] * weights[$0 % weights.count] }, beta: rest, to: z, count: count,
            parallel: parallel, interruption: interruption)
    }
}
