public import LinearAlgebra

/// s_test by preconditioned conjugate gradients (Hestenes & Stiefel 1952; Golub & Van Loan 11.3, 11.5).
///
///     r₀ = v,  z = P⁻¹r,  p = z + βp,  α = r·z / p·(D + λI)p,  s ← s + αp,  r ← r − α(D + λI)p
///
/// Many right-hand sides share each way through the data, but each keeps scalars of its own: a block Krylov space, which would make one
/// side's bits depend on its companions, is not built. A side that is done drops out.
///
/// Rounding lets the r lose their orthogonality in the directions of the largest eigenvalues, as soon as these are found, and CG then finds
/// them again and again, which takes steps. So each r is kept orthogonal to the first ones (Golub & Van Loan 10.3), which hold these
/// directions: far less work than a product, and saves a fifth to a half of the steps.
///
/// In single precision the recursive r drifts from v − (D + λI)s, and would promise what s does not hold. So r is replaced by the latter,
/// at the cost of one more product, whenever it has fallen far, claims to be small enough, or was not measured for long (van der Vorst
/// & Ye 2000); what is returned was always measured. Where rounding keeps the measured residual from falling any further, the
/// side ends there, and says so by its residual.
///
/// Scalars and sums are in double precision, vectors in single. Takes memory for five times the right-hand sides besides a product's, and
/// once, or twice with a preconditioner, for each residual that is kept.
public struct ConjugateGradient: SystemSolver {
    /// When to stop.
    public struct Settings: Sendable, Hashable {
        /// The most steps for each right-hand side: a product each.
        public var maxIter: Int
        /// The residual ‖(D + λI)s − v‖/‖v‖ to reach. From about 1e-6 on, and sooner where the curvature is ill-conditioned, single
        /// precision decides what can be reached.
        public var tol: Double
        /// The first so many residuals of each right-hand side are kept, and later ones kept orthogonal to them.
        public var orthogonalized: Int

        /// Settings.
        public init(maxIter: Int = 1000, tol: Double = 1e-3, orthogonalized: Int = 32) {
            self.maxIter = maxIter
            self.tol = tol
            self.orthogonalized = orthogonalized
        }
    }

    /// When to stop.
    public let settings: Settings
    /// P⁻¹; nil is the identity.
    public let preconditioner: (any Preconditioner)?

    /// A solver, whose preconditioner belongs to the systems that it is used for.
    public init(_ settings: Settings = Settings(), preconditioner: (any Preconditioner)? = nil) {
        self.settings = settings
        self.preconditioner = preconditioner
    }

    /// Solves for `count` stacked right-hand sides, each as if it were alone.
    /// - Throws: `SolverError.indefinite` where a direction without positive curvature is met, `.notFinite`, `Interrupted`. Several fail
    ///   together where one of them does; alone, each other one may succeed.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        precondition(rightHandSides.count == count * system.dimension, "right-hand sides are as long as the system's order")
        precondition(
            preconditioner.map { $0.dimension == system.dimension } ?? true, "the preconditioner has the system's order")
        var run = try Run(
            self, rightHandSides, count: count, system: system,
            stacks: Stacks(length: system.dimension, count: count, parallel: parallel, interruption: interruption))
        while !run.isDone { try run.advance() }
        return try run.solution()
    }
}
