public import LinearAlgebra

/// s_test with D + λI taken for the identity: s = v, as in TracIn (Pruthi, Liu, Kale & Sundararajan 2020), which weighs gradients
/// against each other as they are.
///
/// The residual is that of the real system, at the cost of one product, and says how far this is from a solution: it has converged only
/// where the curvature really is nearly the identity.
public struct IdentitySolver: SystemSolver {
    /// The solver, which has no settings.
    public init() {}

    /// Returns the `count` stacked right-hand sides.
    /// - Throws: `SolverError.notFinite`, `Interrupted`.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        precondition(rightHandSides.count == count * system.dimension, "right-hand sides are as long as the system's order")
        let residuals = try system.residuals(
            of: rightHandSides, for: rightHandSides, count: count, parallel: parallel, interruption: interruption)
        return Solution(
            vectors: rightHandSides, repeats: [], residuals: residuals,
            converged: residuals.map { $0 <= Solution.convergedResidual })
    }
}
