public import LinearAlgebra

/// s_test by the closed form of DataInf (Kwon, Wu, Wu & Zou 2024, "DataInf: Efficiently estimating data influence in LoRA-tuned LLMs and
/// diffusion models", equation 5 and section 3): layer by layer the inverse of a mean is taken for the mean of inverses, each of
/// which is known (Sherman & Morrison 1950).
///
///     sₗ = (1/n) Σᵢ (aᵢₗaᵢₗᵀ + λI)⁻¹vₗ = (1/λ)(vₗ − (1/n) Σᵢ aᵢₗ(aᵢₗ·vₗ)/(λ + ‖aᵢₗ‖²))
///
/// with aᵢₗ the part of √wᵢ∇ℓᵢ that belongs to layer l, its weights and biases together. One way through the examples serves any
/// number of right-hand sides, and there is nothing to prepare.
///
/// It is an approximation, in three steps: of the curvature by the empirical Fisher matrix, of that by its blocks on the diagonal, and of
/// each block's inverse. The last is exact where all examples of a block have the same gradient; its error vanishes as λ grows,
/// and is bounded by the square of the block's parameters (theorem 1 there). So `residuals` are those of the real system, and it has
/// `converged` only where these say so.
///
/// λ is the system's, weight decay and damping, and the same for all layers. The paper instead takes λₗ = 0.1·(1/(n·dₗ)) Σᵢ ‖aᵢₗ‖² for a layer of
/// dₗ parameters, which is another system for each layer, and none that a residual could be measured in: for one layer
/// alone it is a tenth of trace(F)/p.
public struct DataInf: SystemSolver {
    private let rows: any FisherRows

    /// The solver by some examples' gradients, those that the curvature is of.
    public init(rows: any FisherRows) { self.rows = rows }

    /// Solves for `count` stacked right-hand sides, each as if it were alone: 4·p flops for each and each example, of linear layers.
    /// - Throws: `SolverError.notPositiveDefinite` where λ is not a positive number that single precision can divide by: damping makes
    ///   it one; `.notFinite`, `Interrupted`, and what reading gradients may throw.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        let length = rows.dimension
        precondition(system.dimension == length, "gradients are as long as the system's order")
        precondition(rightHandSides.count == count * length, "right-hand sides are as long as the system's order")
        let solutions = try approximations(
            for: rightHandSides, count: count, shift: system.shift, parallel: parallel, interruption: interruption)
        let residuals = try system.residuals(
            of: solutions, for: rightHandSides, count: count, parallel: parallel, interruption: interruption)
        return Solution(
            vectors: solutions, repeats: [], residuals: residuals,
            converged: residuals.map { $0 <= Solution.convergedResidual })
    }

    /// sₗ for each of the right-hand sides, as many at a time as sums have memory for.
    func approximations(
        for rightHandSides: [Float], count: Int, shift: Double, parallel: Parallel, interruption: Interruption
    ) throws -> [Float] {
        guard DampedCurvature.canDivide(by: shift) else { throw SolverError.notPositiveDefinite(shift: shift) }
        let (length, together) = (rows.dimension, rows.vectorsTogether)
        var solutions: [Float] = []
        solutions.reserveCapacity(rightHandSides.count)
        for first in stride(from: 0, to: count, by: together) {
            let sides = first..<min(first + together, count)
            let part = Array(rightHandSides[sides.lowerBound * length..<sides.upperBound * length])
            solutions += try solved(part, count: sides.count, shift: shift, parallel, interruption)
        }
        return solutions
    }

    private func solved(
        _ sides: [Float], count: Int, shift: Double, _ parallel: Parallel, _ interruption: Interruption
    ) throws -> [Float] {
        let sums = try sides.withUnsafeBufferPointer { v in
            try rows.sums(
                along: v.baseAddress, vectorCount: count, needsNorms: true, parallel: parallel, interruption: interruption
            ) { products in
                guard let norms = products.squaredNorms else { return }
                for vector in 0..<count {
                    let values = products.values + vector * products.stride
                    for i in 0..<products.rows.count { values[i] = Float(Double(values[i]) / (shift + norms[i])) }
                }
            }
        }
        return try DampedCurvature.rest(
            of: sides, after: sums, scaledBy: 1 / Double(rows.exampleCount), over: shift, interruption)
    }
}

extension DampedCurvature {
    /// Whether λ is a positive number whose reciprocal single precision has.
    static func canDivide(by shift: Double) -> Bool { shift > 0 && shift.isFinite && Float(1 / shift).isFinite }

    /// (v − factor·y)/λ, element by element, in double precision but for what goes in and comes out.
    static func rest(
        of v: [Float], after y: AlignedMemory<Float>, scaledBy factor: Double, over shift: Double, _ interruption: Interruption
    ) throws -> [Float] {
        let reciprocal = 1 / shift
        var pace = PacedInterruption(interruption)
        return try [Float](unsafeUninitializedCapacity: v.count) { buffer, initialized in
            for slice in Parallel.ranges(of: v.count, pieces: (v.count + 65_535) / 65_536) {
                for i in slice { buffer[i] = Float((Double(v[i]) - factor * Double(y.start[i])) * reciprocal) }
                try pace.check(after: 4 * slice.count)
            }
            initialized = v.count
        }
    }
}
