public import LinearAlgebra

/// s_test from the eigenpairs of D of largest magnitude (Schioppa, Zablotskaia, Vilar & Sokolov 2022, "Scaling up influence functions",
/// section 3), with what they leave of v divided by one number instead of dropped:
///
///     s = Σⱼ qⱼ(qⱼ·v)/(θⱼ + λ) + (v − QᵀQv)/(τ + λ)
///
/// What stands for the rest matters more than the number of pairs. Softmax regression on MNIST (p = 7,840, λ = 0.01), ten tests, medians of
/// s_test's relative error and of the scores' Pearson correlation with the exact ones, for k pairs found to about 1e-3:
///
///     k                 50            100           200           400
///     dropped       .99   .485    .97   .630    .93   .763    .84   .905
///     τ = 0        1.16   .867    .80   .892    .60   .926    .27   .985
///     mean          .99   .872    .68   .899    .52   .936    .24   .987
///     smallest kept .76   .884    .62   .946    .30   .968    .15   .995
///     fitted        .54   .922    .43   .955    .32   .977    .15   .996
///
/// So a fitted τ is the rule, and what the paper does is there to be compared with. Pairs found in all of 2·k steps serve better
/// still: fitted, .42 and .958 with 100, .27 and .988 with 200.
///
/// The pairs depend on D alone: they are found once for a checkpoint, kept, and serve every λ and every v. A solution takes 6·p·k flops
/// and one product with the data for its residual. With all p pairs it is exact to rounding.
public struct ArnoldiSolver: Sendable {
    /// What stands for the spectrum outside the pairs.
    public enum Complement: Sendable, Hashable {
        /// Nothing: what the pairs leave of v is dropped, as the paper does. D + λI is treated as infinite there.
        case dropped
        /// τ = 0: as if D vanished there.
        case zero
        /// τ = the mean of the eigenvalues that are left, (trace(D) − Σθⱼ)/(p − k), or 0 where that is negative.
        case mean
        /// τ = the smallest magnitude kept: nothing there is made too large.
        case smallestKept
        /// τ = r·Dr/r·r for the r that the pairs leave of each v, which is best of all for that v in the norm of D + λI: a step of steepest
        /// descent, at the cost of one more product with the data.
        case fitted
    }

    /// θⱼ and qⱼ.
    public let pairs: Eigenpairs
    /// trace(D), or an estimate.
    public let trace: Double
    /// What stands for the rest.
    public let complement: Complement

    /// A solver on pairs found earlier, of the same curvature.
    public init(pairs: Eigenpairs, trace: Double, complement: Complement = .fitted) {
        self.pairs = pairs
        self.trace = trace
        self.complement = complement
    }

    /// Finds the pairs: up to `steps` products over all examples.
    /// - Parameters:
    ///   - curvature: D.
    ///   - rank: k.
    ///   - steps: the paper's `arnoldi_dim`; twice the rank where nothing is said, with which the pairs of smallest
    ///     magnitude have converged as well.
    ///   - tolerance: ends the search once all pairs' residuals are at most so much of the largest eigenvalue.
    ///   - complement: what stands for the rest.
    ///   - memoryLimit: of the search and the pairs, in bytes.
    ///   - seed: of the search's start.
    ///   - parallel: the threads.
    ///   - interruption: when to stop.
    /// - Throws: `SolverError.tooLarge` before any work, `.notFinite`, `Interrupted`.
    public init(
        of curvature: any CurvatureOperator, rank: Int, steps: Int? = nil, tolerance: Double = Self.pairTolerance,
        complement: Complement = .fitted, memoryLimit: Int, seed: UInt64 = 0, parallel: Parallel,
        interruption: Interruption = .never
    ) throws {
        let dimension = curvature.dimension
        let steps = min(dimension, steps ?? (rank > dimension / 2 ? dimension : 2 * rank))
        try Self.checkSize(dimension: dimension, rank: rank, steps: steps, memoryLimit: memoryLimit)
        do {
            pairs = try Lanczos.leadingPairs(
                rank, dimension: dimension, steps: steps, tolerance: tolerance, seed: seed, parallel: parallel,
                interruption: interruption
            ) { x, y in
                try curvature.product(of: x, to: y, vectorCount: 1, parallel: parallel, interruption: interruption)
            }
        } catch LanczosError.notFinite {
            throw SolverError.notFinite
        }
        trace = try curvature.measure(parallel: parallel, interruption: interruption).trace
        guard trace.isFinite else { throw SolverError.notFinite }
        self.complement = complement
    }
    /// Residuals of pairs, of the largest eigenvalue, at which there is nothing to gain: what the pairs leave out weighs far more.
    public static let pairTolerance = 1e-4

    /// - Throws: `SolverError.tooLarge` where the search's memory would be more than `memoryLimit` bytes.
    public static func checkSize(dimension: Int, rank: Int, steps: Int, memoryLimit: Int) throws {
        let steps = min(dimension, max(steps, rank))
        // The recursion's vectors, the pairs', and T's own eigenvectors twice.
        let (vectors, tooMany) = (steps + min(rank, dimension) + 1).multipliedReportingOverflow(by: dimension)
        let (components, tooManyComponents) = (4 * steps).multipliedReportingOverflow(by: steps)
        let (numbers, tooManyNumbers) = vectors.addingReportingOverflow(components)
        let (bytes, tooManyBytes) = numbers.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
        let overflow = tooMany || tooManyComponents || tooManyNumbers || tooManyBytes
        guard !overflow, bytes <= memoryLimit else {
            throw SolverError.tooLarge(parameters: dimension, bytes: overflow ? .max : bytes, limit: memoryLimit)
        }
    }
}
