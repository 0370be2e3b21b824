public import LinearAlgebra

/// s_test on the empirical Fisher matrix F = AᵀA/n of fewer examples than parameters, by the smaller of the two Gram matrices (Woodbury's
/// identity; Golub & Van Loan 2.1.4):
///
///     (AᵀA/n + λI)⁻¹v = (v − Aᵀ(AAᵀ + nλI)⁻¹Av)/λ
///
/// AAᵀ + nλI [n, n] is built once with matrix products, factored in place, and kept: half of n² numbers where `ExactSolver` needs
/// half of p². A solve takes two ways through the examples and 2·n² flops. What v − Aᵀ(…) cancels where λ is small beside the curvature
/// is made good against the full-data product, as `ExactSolver` does it.
public struct WoodburySolver: SystemSolver {
    /// A.
    let rows: any FisherRows
    /// The factor of AAᵀ + nλI.
    public let factor: CholeskyFactor
    /// λ.
    public let shift: Double

    init(rows: any FisherRows, factor: CholeskyFactor, shift: Double) {
        (self.rows, self.factor, self.shift) = (rows, factor, shift)
    }

    /// Whether the Gram matrix of some rows is the smaller one.
    public static func pays(for rows: any FisherRows) -> Bool { rows.exampleCount < rows.dimension }

    /// Bytes of working memory that more than gains nothing.
    private static let workingMemory = 256 << 20

    /// Builds and factors: n²·(C + D) flops for a linear layer of C·D weights, n² for a parameter of any other, and n³/3.
    /// - Parameters:
    ///   - rows: the gradients that the curvature is of, at least one.
    ///   - shift: λ.
    ///   - memoryLimit: bytes for the matrix, and for what rows are made of while it is built.
    ///   - parallel: the threads.
    ///   - interruption: when to stop.
    /// - Throws: before any work `SolverError.tooLarge`, and `.notPositiveDefinite` where λ is not a positive number that single
    ///   precision can divide by; `.notPositiveDefinite` also where λ is too small for single precision; `.notFinite`, `Interrupted`, and what
    ///   reading gradients may throw.
    public init(
        factoring rows: any FisherRows, shift: Double, memoryLimit: Int, parallel: Parallel, interruption: Interruption = .never
    ) throws {
        precondition(rows.exampleCount > 0, "a mean needs examples")
        guard DampedCurvature.canDivide(by: shift) else { throw SolverError.notPositiveDefinite(shift: shift) }
        let bytes = try Self.checkSize(of: rows, memoryLimit: memoryLimit)
        let matrix = PackedSymmetricMatrix(uninitializedOrder: rows.exampleCount)
        try rows.writeGram(
            plus: Double(rows.exampleCount) * shift, to: matrix, workingMemory: min(Self.workingMemory, memoryLimit - bytes),
            parallel: parallel, interruption: interruption)
        try matrix.checkFinite(parallel, interruption)
        do {
            let factor = try CholeskyFactor(factoring: matrix, parallel: parallel, interruption: interruption)
            self.init(rows: rows, factor: factor, shift: shift)
        } catch is NotPositiveDefinite {
            throw SolverError.notPositiveDefinite(shift: shift)
        }
    }

    /// Bytes of the Gram matrix, half of which has no place of its own.
    /// - Throws: `SolverError.tooLarge` where it, and two examples' gradients beside it, would not fit.
    @discardableResult
    public static func checkSize(of rows: any FisherRows, memoryLimit: Int) throws(SolverError) -> Int {
        let elements = PackedSymmetricMatrix.elementCount(order: rows.exampleCount) ?? .max
        let (bytes, overflow) = elements.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
        let (pair, tooLong) = rows.factorByteCount.multipliedReportingOverflow(by: 2)
        let (total, tooMany) = bytes.addingReportingOverflow(pair)
        let isCounted = !overflow && !tooLong && !tooMany
        guard isCounted, total <= memoryLimit else {
            throw .tooLarge(parameters: rows.dimension, bytes: isCounted ? total : .max, limit: memoryLimit)
        }
        return bytes
    }

    /// Solves for `count` stacked right-hand sides, each as if it were alone, of the system whose curvature and λ the factor is of.
    /// - Throws: `SolverError.notFinite`, `Interrupted`, and what reading gradients may throw.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        let length = rows.dimension
        precondition(system.dimension == length, "gradients are as long as the system's order")
        let together = rows.vectorsTogether
        return try system.refined(rightHandSides, count: count, parallel: parallel, interruption: interruption) { sides, count in
            var solutions: [Float] = []
            solutions.reserveCapacity(sides.count)
            for first in stride(from: 0, to: count, by: together) {
                let part = first..<min(first + together, count)
                solutions += try solved(
                    Array(sides[part.lowerBound * length..<part.upperBound * length]), count: part.count, parallel, interruption)
            }
            return solutions
        }
    }

    private func solved(
        _ sides: [Float], count: Int, _ parallel: Parallel, _ interruption: Interruption
    ) throws -> [Float] {
        let examples = rows.exampleCount
        let weights = try rows.products(with: sides, vectorCount: count, parallel: parallel, interruption: interruption)
        try factor.solve(weights.start, count: count, parallel: parallel, interruption: interruption)
        let sums = try rows.sums(
            along: nil, vectorCount: count, needsNorms: false, parallel: parallel, interruption: interruption
        ) { part in
            for vector in 0..<count {
                (part.values + vector * part.stride).update(
                    from: weights.start + vector * examples + part.rows.lowerBound, count: part.rows.count)
            }
        }
        return try DampedCurvature.rest(of: sides, after: sums, scaledBy: 1, over: shift, interruption)
    }
}
