public import LinearAlgebra

extension RitzSpectrum {
    /// Looks for the largest eigenvalues of a curvature over all examples, and for the smallest where that is not known from the kind of
    /// the curvature: at most `steps` products.
    /// - Parameters:
    ///   - curvature: D.
    ///   - count: how many of the largest are to be found to `tolerance`.
    ///   - findsSmallest: whether the smallest is, too.
    ///   - steps: products to spend at most; memory is taken for one vector more.
    ///   - tolerance: of the largest magnitude.
    ///   - parallel: the threads.
    ///   - interruption: when to stop.
    /// - Throws: `SolverError.notFinite`, `Interrupted`.
    public init(
        of curvature: any CurvatureOperator, largest count: Int, findsSmallest: Bool, steps: Int, tolerance: Double = 1e-4,
        parallel: Parallel, interruption: Interruption = .never
    ) throws {
        do {
            self = try Lanczos.values(
                largest: count, findsSmallest: findsSmallest, dimension: curvature.dimension, steps: steps, tolerance: tolerance,
                parallel: parallel, interruption: interruption
            ) { x, y in
                try curvature.product(of: x, to: y, vectorCount: 1, parallel: parallel, interruption: interruption)
            }
        } catch LanczosError.notFinite {
            throw SolverError.notFinite
        }
    }
}

extension SpectrumDensity {
    /// The density of a spectrum of which every eigenvalue is known; nil where they are not all.
    public init?(_ spectrum: RitzSpectrum) {
        guard spectrum.isComplete else { return nil }
        let nodes = spectrum.values.map(\.value)
        self.init(
            dimension: spectrum.dimension,
            probes: [SpectralQuadrature(nodes: nodes, weights: nodes.map { _ in 1 / Double(nodes.count) })])
    }
}
