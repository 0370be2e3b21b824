public import LinearAlgebra

/// P⁻¹ by the Cholesky factor of P: of a sample's curvature with its λ, say.
public struct FactorPreconditioner: Preconditioner {
    /// P = LLᵀ.
    public let factor: CholeskyFactor

    /// p.
    public var dimension: Int { factor.order }

    /// A preconditioner whose factor is kept elsewhere.
    public init(_ factor: CholeskyFactor) { self.factor = factor }

    /// z ← P⁻¹r: 2·p² flops a vector. Up to sixteen vectors take as long as one.
    /// - Throws: `Interrupted`.
    public func apply(
        _ r: UnsafePointer<Float>, to z: UnsafeMutablePointer<Float>, count: Int, parallel: Parallel, interruption: Interruption
    ) throws {
        z.update(from: r, count: count * dimension)
        try factor.solve(z, count: count, parallel: parallel, interruption: interruption)
    }
}
