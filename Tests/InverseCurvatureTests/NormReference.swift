import InverseCurvature
import LinearAlgebra
import TestSupport

/// gᵀM⁻¹g and ‖M⁻¹g‖² of some rows by Gaussian elimination in double precision.
struct NormReference {
    let influence, steps: [Double]

    init(_ rows: DenseRows, _ matrix: DenseMatrix) {
        let solutions = (0..<rows.exampleCount).map { matrix.solved(for: rows.row($0)) }
        influence = solutions.enumerated().map { i, s in zip(rows.row(i), s).reduce(0) { $0 + $1.0 * $1.1 } }
        steps = solutions.map { $0.reduce(0) { $0 + $1 * $1 } }
    }

    /// The largest relative error of any number.
    func error(_ norms: InverseNorms) -> Double {
        guard let computed = norms.squaredSteps, norms.count == influence.count else { return .infinity }
        return zip(norms.selfInfluence + computed, influence + steps).reduce(0) { worst, pair in
            let distance = abs(pair.0 - pair.1)
            return distance.isNaN ? .infinity : max(worst, pair.1 == 0 ? distance : distance / abs(pair.1))
        }
    }
}

/// Any function of a right-hand side as a solver.
struct FunctionSolver: SystemSolver {
    let function: @Sendable ([Float]) -> [Float]

    func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel, interruption: Interruption
    ) throws -> Solution {
        try interruption.check()
        let length = system.dimension
        let vectors = (0..<count).flatMap { function(Array(rightHandSides[$0 * length..<($0 + 1) * length])) }
        // Only its numbers matter here: the identity's solution is as good a shell as any.
        return try IdentitySolver().solve(vectors, count: count, in: system, parallel: parallel, interruption: interruption)
    }
}
