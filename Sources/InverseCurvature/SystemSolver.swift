public import LinearAlgebra

/// What finds s_test: s with (D + λI)s = v, or as near to it as it can.
public protocol SystemSolver: Sendable {
    /// Solves for `count` stacked right-hand sides, each as if it were alone, to the last bit, on any number of threads.
    /// - Throws: `SolverError`, `Interrupted`.
    func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel, interruption: Interruption
    ) throws -> Solution

    /// The same, but residuals that nothing depends on, and that take a way through all examples of their own, may be left to be measured by
    /// whoever reads all examples next: see `Solution.isMeasured` and `measured(by:of:in:)`.
    /// - Throws: as `solve`.
    func solveUnmeasured(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel, interruption: Interruption
    ) throws -> Solution
}

extension SystemSolver {
    /// Measures them at once.
    public func solveUnmeasured(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel, interruption: Interruption
    ) throws -> Solution {
        try solve(rightHandSides, count: count, in: system, parallel: parallel, interruption: interruption)
    }
}

/// P⁻¹ ≈ (D + λI)⁻¹, symmetric and positive definite, cheap beside a product over all examples.
public protocol Preconditioner: Sendable {
    /// p: the length of the vectors.
    var dimension: Int { get }

    /// z ← P⁻¹r for each of `count` stacked vectors, each as if it were alone, to the last bit, on any number of threads. r and z do not
    /// overlap.
    /// - Throws: `Interrupted`; z is of no use then.
    func apply(
        _ r: UnsafePointer<Float>, to z: UnsafeMutablePointer<Float>, count: Int, parallel: Parallel, interruption: Interruption
    ) throws
}

/// A preconditioner whose square root is known, and with it P^-½(D + λI)P^-½, which is symmetric and has the spectrum of P⁻¹(D + λI).
public protocol RootedPreconditioner: Preconditioner {
    /// P^-½, symmetric: applied twice it is P⁻¹.
    var root: any Preconditioner { get }
    /// About how many floating-point operations P⁻¹ takes for one vector.
    var operations: Double { get }
}

extension LiSSA: SystemSolver {}
extension ExactSolver: SystemSolver {}
