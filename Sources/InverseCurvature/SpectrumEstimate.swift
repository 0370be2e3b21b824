public import LinearAlgebra

/// What the automatic settings need to know of a curvature; estimated once for a checkpoint and kept.
public struct SpectrumEstimate: Sendable, Equatable, Codable {
    /// λ_max(D), by Lanczos: a lower bound that is tight to about a per cent.
    public let largestEigenvalue: Double
    /// trace(D), or an estimate.
    public let trace: Double
    /// A bound of maxᵢ ‖Cᵢ‖, or an estimate of one.
    public let largestExampleNorm: Double

    /// An estimate known from before.
    public init(largestEigenvalue: Double, trace: Double, largestExampleNorm: Double) {
        self.largestEigenvalue = largestEigenvalue
        self.trace = trace
        self.largestExampleNorm = largestExampleNorm
    }

    /// Estimates; 16 products over all examples.
    /// - Throws: `SolverError.notFinite`, `Interrupted`.
    public init(of curvature: any CurvatureOperator, parallel: Parallel, interruption: Interruption = .never) throws {
        largestEigenvalue = try Lanczos.largestEigenvalue(dimension: curvature.dimension) { x, y in
            try curvature.product(of: x, to: y, vectorCount: 1, parallel: parallel, interruption: interruption)
        }
        let size = try curvature.measure(parallel: parallel, interruption: interruption)
        trace = size.trace
        largestExampleNorm = size.largestExampleNorm
        guard largestEigenvalue.isFinite, trace.isFinite, largestExampleNorm.isFinite else { throw SolverError.notFinite }
    }
}
