public import LinearAlgebra

extension SpectrumEnds {
    /// Looks at both ends of a curvature's spectrum: whether it is indefinite, and what damping would help.
    /// - Parameters:
    ///   - curvature: D.
    ///   - steps: products to spend; the smallest eigenvalue, close to many others as a rule, takes more than the largest.
    ///   - parallel: the threads.
    ///   - interruption: when to stop.
    /// - Throws: `SolverError.notFinite`, `Interrupted`.
    public init(
        of curvature: any CurvatureOperator, steps: Int = 64, parallel: Parallel, interruption: Interruption = .never
    ) throws {
        do {
            self = try Lanczos.ends(
                dimension: curvature.dimension, steps: steps, parallel: parallel, interruption: interruption
            ) { x, y in
                try curvature.product(of: x, to: y, vectorCount: 1, parallel: parallel, interruption: interruption)
            }
        } catch LanczosError.notFinite {
            throw SolverError.notFinite
        }
    }

    /// The damping, beside a weight decay that is there already, that makes D + λI positive definite with something to spare: a tenth more
    /// than the search shows to be needed, as it shows the smallest eigenvalue from above. 0 where none is needed.
    public func dampingNeeded(weightDecay: Double) -> Double { max(0, 1.1 * shiftNeeded - weightDecay) }
}
