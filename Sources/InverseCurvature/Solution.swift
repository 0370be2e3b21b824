/// What a solver returns for k right-hand sides of length p.
public struct Solution: Sendable {
    /// s_test for each right-hand side: [k, p].
    public let vectors: [Float]
    /// The independent estimates that `vectors` is the mean of, each [k, p]; empty for deterministic solvers.
    public let repeats: [[Float]]
    /// ‖(D + λI)s − v‖/‖v‖ for each right-hand side, measured on the full data.
    public let residuals: [Double]
    /// Whether the solver reached what it set out for; `residuals` say how far it came.
    public let converged: Bool
}

/// Why there is no solution. Each says what was tried and what would help.
public enum SolverError: Error, Equatable, Sendable {
    /// A recursion grew without bound.
    case diverged(settings: LiSSA.Settings, step: Int, safeScale: Double)
    /// The curvature with its λ has no Cholesky factor.
    case notPositiveDefinite(shift: Double)
    /// The curvature of the training data is beyond single precision: its features are too large.
    case notFinite
    /// The explicit matrix would take more memory than is allowed.
    case tooLarge(parameters: Int, bytes: Int, limit: Int)
}
