public import LinearAlgebra

/// s_test by Cholesky: D + λI is built once with matrix products, factored in place, and kept.
///
/// Half of p² numbers of single precision. Each solve is checked, and where it gains refined, against the full-data product (Golub &
/// Van Loan 3.5.3): a factor that is not quite that of the curvature is made good.
public struct ExactSolver: Sendable {
    /// The factor of D + λI.
    public let factor: CholeskyFactor

    /// A solver on a factor made earlier, of the same curvature and λ.
    public init(factor: CholeskyFactor) { self.factor = factor }

    /// Builds and factors: the curvature's own cost plus p³/3 flops.
    /// - Throws: `SolverError.tooLarge` before any work, `.notFinite`, `.notPositiveDefinite`, `Interrupted`.
    public init(
        factoring system: DampedCurvature, memoryLimit: Int, parallel: Parallel, interruption: Interruption = .never
    ) throws {
        try Self.checkSize(of: system, memoryLimit: memoryLimit)
        let matrix = PackedSymmetricMatrix(uninitializedOrder: system.dimension)
        try system.data.write(plus: system.shift, to: matrix, parallel: parallel, interruption: interruption)
        guard matrix.memory.elements.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
        do {
            factor = try CholeskyFactor(factoring: matrix)
        } catch {
            throw SolverError.notPositiveDefinite(shift: system.shift)
        }
    }

    /// - Throws: `SolverError.tooLarge` where the factor would not fit.
    public static func checkSize(of system: DampedCurvature, memoryLimit: Int) throws {
        let elements = PackedSymmetricMatrix.elementCount(order: system.dimension) ?? .max
        let (bytes, overflow) = elements.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
        guard !overflow, bytes <= memoryLimit else {
            throw SolverError.tooLarge(
                parameters: system.dimension, bytes: overflow ? .max : bytes, limit: memoryLimit)
        }
    }

    /// Rounds of refinement at most; each costs a product over the data and a solve, and the first is nearly always enough.
    private static let refinements = 3
    /// A residual at which there is nothing left to gain in single precision.
    private static let attainable = 1e-6
    /// A residual up to this counts as converged.
    private static let convergedResidual = 1e-3

    /// Solves for `count` stacked right-hand sides.
    /// - Throws: `SolverError.notFinite`, `Interrupted`.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        precondition(rightHandSides.count == count * system.dimension, "right-hand sides are as long as the system's order")
        func measured(_ solutions: [Float]) throws -> (remainders: [Float], residuals: [Double]) {
            let remainders = try system.remainder(
                of: rightHandSides, after: solutions, count: count, parallel: parallel, interruption: interruption)
            return (remainders, DampedCurvature.relativeNorms(of: remainders, to: rightHandSides, count: count))
        }
        var solutions = solved(rightHandSides, count: count)
        var (remainders, residuals) = try measured(solutions)
        for _ in 0..<Self.refinements where residuals.max()! > Self.attainable {
            let refined = zip(solutions, solved(remainders, count: count)).map { $0 + $1 }
            let (newRemainders, newResiduals) = try measured(refined)
            // Rounding decides once a round no longer improves the worst residual.
            guard newResiduals.max()! < residuals.max()! else { break }
            (solutions, remainders, residuals) = (refined, newRemainders, newResiduals)
        }
        guard residuals.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
        return Solution(
            vectors: solutions, repeats: [], residuals: residuals,
            converged: residuals.allSatisfy { $0 <= Self.convergedResidual })
    }

    private func solved(_ rightHandSides: [Float], count: Int) -> [Float] {
        var vectors = rightHandSides
        vectors.withUnsafeMutableBufferPointer { factor.solve($0.baseAddress!, count: count) }
        return vectors
    }
}
