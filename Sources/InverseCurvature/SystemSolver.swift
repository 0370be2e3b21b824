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

    /// ‖(D + λI)⁻¹aᵢ‖² and aᵢᵀ(D + λI)⁻¹aᵢ of all rows aᵢ, with what this solver takes for (D + λI)⁻¹: RelatIF's denominators. A row's have
    /// the same bits whatever the memory and the number of threads.
    /// - Parameters:
    ///   - rows: aᵢ = √wᵢ∇ℓᵢ; see `InverseNorms.weighted(by:)`.
    ///   - quantity: what is wanted.
    ///   - system: D and λ.
    ///   - memoryLimit: bytes for gradients on their way, of which there are a few in any case.
    ///   - parallel: the threads.
    ///   - interruption: when to stop.
    /// - Throws: `SolverError.indefinite` where D + λI falls along an example's (D + λI)⁻¹aᵢ, so that its self-influence is negative;
    ///   `NegativeSelfInfluence` where only the solver has it so; what `solve` throws; what reading gradients may throw.
    func inverseNorms(
        of rows: any FisherRows, _ quantity: InverseNorms.Quantity, in system: DampedCurvature, memoryLimit: Int,
        parallel: Parallel, interruption: Interruption
    ) throws -> InverseNorms
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
