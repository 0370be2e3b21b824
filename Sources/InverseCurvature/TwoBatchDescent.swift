internal import Foundation
public import LinearAlgebra

/// Descent on ‖(D + λI)S − V‖² by stochastic gradients of two independent mini-batches (Pruthi, Liu, Kale & Sundararajan 2020, "Estimating
/// training data influence by tracing gradient descent", appendix A.1, eq. 3, with λ in its H, and its factor 2 in η):
///
///     S ← S − η·(C_B₁ + λI)[(C_B₂ + λI)S − V],   S₀ = V/λ
///
/// As B₁ and B₂ are drawn independently, with replacement, the expectation of S is exactly what descent with the full data would have:
/// (I − (I − η(D + λI)²)^J)·(D + λI)⁻¹V and what is left of S₀. Where it begins the paper leaves open; V/λ is the solution wherever D
/// vanishes, which is nearly everywhere. For λ = 0 it begins at 0.
///
/// It squares the condition: an eigenvalue μ takes 1/(η(μ + λ)²) steps, where LiSSA's recursion, whose gradient is that of
/// ½Sᵀ(D + λI)S − SᵀV, takes 1/(μ + λ) times its scale. For solutions LiSSA and conjugate gradients are the better choice by far; that
/// H may be indefinite is the one thing that they can't have. For the span of a `SketchSolver` few steps suffice.
public struct TwoBatchDescent: SystemSolver {
    /// Every number that determines a run.
    public struct Settings: Sendable, Hashable {
        /// J.
        public var steps: Int
        /// |B₁| = |B₂|.
        public var batchSize: Int
        /// η.
        public var stepSize: Double
        /// Names the random streams.
        public var seed: UInt64
        /// Which of a seed's streams: independent runs have different ones.
        public var stream: UInt64

        /// Settings chosen by hand.
        public init(steps: Int, batchSize: Int, stepSize: Double, seed: UInt64, stream: UInt64 = 0) {
            self.steps = steps
            self.batchSize = batchSize
            self.stepSize = stepSize
            self.seed = seed
            self.stream = stream
        }
    }

    /// Why numbers grew without bound.
    public struct Diverged: Error, Equatable, Sendable {
        /// What was tried.
        public let settings: Settings
        /// The step after which it was noticed.
        public let step: Int
        /// An η that contracts.
        public let safeStepSize: Double
    }

    /// What determines the run.
    public let settings: Settings
    /// An η at which the error contracts in mean square, whatever the batches.
    public let safeStepSize: Double

    /// A run with what `choice` leaves open filled in for a curvature of this spectrum.
    public init(_ choice: Choice, spectrum: SpectrumEstimate, exampleCount: Int, shift: Double) {
        settings = choice.resolved(for: spectrum, exampleCount: exampleCount, shift: shift)
        safeStepSize = Choice.safeStepSize(for: spectrum, batchSize: settings.batchSize, shift: shift)
    }

    /// The same run with another of the seed's streams.
    func streaming(_ stream: UInt64) -> TwoBatchDescent {
        var settings = settings
        settings.stream = stream
        return TwoBatchDescent(settings, safeStepSize: safeStepSize)
    }

    private init(_ settings: Settings, safeStepSize: Double) {
        (self.settings, self.safeStepSize) = (settings, safeStepSize)
    }

    /// A residual up to this counts as converged.
    private static let convergedResidual = 0.1

    /// Solves for `count` stacked right-hand sides, which share their mini-batches, each as if it were alone.
    /// - Throws: `Diverged`, `SolverError.notFinite`, `Interrupted`.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        precondition(rightHandSides.count == count * system.dimension, "right-hand sides are as long as the system's order")
        let solutions = AlignedMemory<Float>(uninitialized: rightHandSides.count)
        try rightHandSides.withUnsafeBufferPointer {
            guard let start = $0.baseAddress else { return }
            try descend(
                from: start, to: solutions.start, count: count, in: system, parallel: parallel, interruption: interruption)
        }
        let vectors = solutions.copy
        let residuals = try system.residuals(
            of: vectors, for: rightHandSides, count: count, parallel: parallel, interruption: interruption)
        return Solution(
            vectors: vectors, repeats: [], residuals: residuals, converged: residuals.map { $0 <= Self.convergedResidual },
            iterations: [Int](repeating: settings.steps, count: count))
    }
}
