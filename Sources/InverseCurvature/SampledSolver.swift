public import LinearAlgebra

/// s_test from samples of the examples, for models of few parameters and very many examples: conjugate gradients over one sample,
/// preconditioned by the Cholesky factor of another's curvature (subsampled Newton: Erdogdu & Montanari 2015; Roosta-Khorasani & Mahoney
/// 2019, section 2).
///
///     P = D_F + λI = LLᵀ, |F| = `factored`;  (D_S + λI)s = v, |S| = `sample`, in as many steps as bring its residual to `tol`
///
/// The factor is made once for a checkpoint and λ; then a right-hand side costs some 2·p² flops and |S|/n of a product a step, and no way
/// through all examples. What S leaves is an error of about √(d/|S|), d = trace(D(D + λI)⁻¹), whatever `tol` is: see `residuals`,
/// which are measured on all examples, where more is wanted take conjugate gradients over all of them with the same preconditioner.
public struct SampledSolver: SystemSolver {
    /// What determines the run.
    public struct Settings: Sendable, Hashable {
        /// |F|: examples whose curvature is factored.
        public var factored: Int
        /// |S|: examples that s is solved for.
        public var sample: Int
        /// The residual over S at which its steps end.
        public var tol: Double
        /// Steps at most.
        public var maxIter: Int
        /// Names the samples.
        public var seed: UInt64

        /// Settings.
        public init(factored: Int = 4_096, sample: Int = 65_536, tol: Double = 0.1, maxIter: Int = 8, seed: UInt64 = 0) {
            self.factored = factored
            self.sample = sample
            self.tol = tol
            self.maxIter = maxIter
            self.seed = seed
        }
    }

    /// What determines the run.
    public let settings: Settings
    /// Of D_F + λI.
    public let factor: CholeskyFactor

    /// A solver on a factor made earlier, of the same curvature, λ and settings.
    public init(_ settings: Settings, factor: CholeskyFactor) {
        self.settings = settings
        self.factor = factor
    }

    /// Writes out and factors the curvature of a sample, |F|/n of what that of all takes, and p³/3 flops.
    /// - Throws: as `ExactSolver.init(factoring:)`.
    public init(
        _ settings: Settings, of system: DampedCurvature, memoryLimit: Int, parallel: Parallel,
        interruption: Interruption = .never
    ) throws {
        let sample = DampedCurvature(system.data.sampled(size: settings.factored, seed: settings.seed), shift: system.shift)
        let exact = try ExactSolver(
            factoring: sample, memoryLimit: memoryLimit, parallel: parallel, interruption: interruption)
        self.init(settings, factor: exact.factor)
    }

    /// Solves for `count` stacked right-hand sides, each as if it were alone.
    /// - Throws: `SolverError.indefinite`, `.notFinite`, `Interrupted`.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        let solution = try solveUnmeasured(
            rightHandSides, count: count, in: system, parallel: parallel, interruption: interruption)
        let remainders = try system.remainder(
            of: rightHandSides, after: solution.vectors, count: count, parallel: parallel, interruption: interruption)
        return solution.measured(
            residuals: DampedCurvature.relativeNorms(of: remainders, to: rightHandSides, count: count))
    }

    /// The same, the residuals left to be measured by whoever reads all examples next (`Solution.measured`).
    /// - Throws: as `solve`.
    public func solveUnmeasured(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        // A stream of its own: rows that were factored are not looked at again but by chance.
        let sample = DampedCurvature(system.data.sampled(size: settings.sample, seed: ~settings.seed), shift: system.shift)
        let steps = ConjugateGradient(
            ConjugateGradient.Settings(maxIter: settings.maxIter, tol: settings.tol, orthogonalized: 0),
            preconditioner: FactorPreconditioner(factor))
        let solved = try steps.solve(
            rightHandSides, count: count, in: sample, parallel: parallel, interruption: interruption)
        return Solution(
            vectors: solved.vectors, repeats: [], residuals: solved.residuals.map { _ in .nan },
            converged: solved.converged.map { _ in false }, iterations: solved.iterations,
            tolerances: solved.residuals.map { _ in Solution.convergedResidual })
    }
}
