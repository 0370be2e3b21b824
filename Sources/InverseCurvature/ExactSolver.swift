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
        try matrix.checkFinite(parallel, interruption)
        do {
            factor = try CholeskyFactor(factoring: matrix, parallel: parallel, interruption: interruption)
        } catch is NotPositiveDefinite {
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

    /// Solves for `count` stacked right-hand sides, each as if it were alone.
    /// - Throws: `SolverError.notFinite`, `Interrupted`.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        try system.refined(rightHandSides, count: count, parallel: parallel, interruption: interruption) { sides, count in
            var vectors = sides
            try vectors.withUnsafeMutableBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return }
                try factor.solve(start, count: count, parallel: parallel, interruption: interruption)
            }
            return vectors
        }
    }
}
