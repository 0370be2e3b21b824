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
        try Self.checkFinite(matrix, parallel, interruption)
        do {
            factor = try CholeskyFactor(factoring: matrix, parallel: parallel, interruption: interruption)
        } catch is NotPositiveDefinite {
            throw SolverError.notPositiveDefinite(shift: system.shift)
        }
    }

    private static func checkFinite(
        _ matrix: PackedSymmetricMatrix, _ parallel: Parallel, _ interruption: Interruption
    ) throws {
        let pieces = Parallel.ranges(of: matrix.memory.count, pieces: 64)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            guard matrix.memory.elements[pieces[piece]].allSatisfy({ $0.isFinite }) else { throw SolverError.notFinite }
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

    /// Solves for `count` stacked right-hand sides, each as if it were alone.
    /// - Throws: `SolverError.notFinite`, `Interrupted`.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        let length = system.dimension
        precondition(rightHandSides.count == count * length, "right-hand sides are as long as the system's order")
        func solved(_ vectors: [Float], count: Int) throws -> [Float] {
            var vectors = vectors
            try vectors.withUnsafeMutableBufferPointer {
                try factor.solve($0.baseAddress!, count: count, parallel: parallel, interruption: interruption)
            }
            return vectors
        }
        func measured(_ sides: [Float], _ solutions: [Float], count: Int) throws -> (remainders: [Float], residuals: [Double]) {
            let remainders = try system.remainder(
                of: sides, after: solutions, count: count, parallel: parallel, interruption: interruption)
            return (remainders, DampedCurvature.relativeNorms(of: remainders, to: sides, count: count))
        }
        var solutions = try solved(rightHandSides, count: count)
        var (remainders, residuals) = try measured(rightHandSides, solutions, count: count)
        // Those that may still gain; they are refined together, and each drops out by itself.
        var open = residuals.indices.filter { residuals[$0] > Self.attainable }
        for _ in 0..<Self.refinements where !open.isEmpty {
            func gathered(_ vectors: [Float]) -> [Float] { open.flatMap { vectors[$0 * length..<($0 + 1) * length] } }
            let corrections = try solved(gathered(remainders), count: open.count)
            let refined = zip(gathered(solutions), corrections).map { $0 + $1 }
            let (newRemainders, newResiduals) = try measured(gathered(rightHandSides), refined, count: open.count)
            // Rounding decides once a round no longer improves a residual.
            let improved = open.indices.filter { newResiduals[$0] < residuals[open[$0]] }
            for position in improved {
                let (side, part) = (open[position], position * length..<(position + 1) * length)
                solutions.replaceSubrange(side * length..<(side + 1) * length, with: refined[part])
                remainders.replaceSubrange(side * length..<(side + 1) * length, with: newRemainders[part])
                residuals[side] = newResiduals[position]
            }
            open = improved.map { open[$0] }.filter { residuals[$0] > Self.attainable }
        }
        guard residuals.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
        return Solution(
            vectors: solutions, repeats: [], residuals: residuals, converged: residuals.map { $0 <= Self.convergedResidual })
    }
}
