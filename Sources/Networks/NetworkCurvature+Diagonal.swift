public import LinearAlgebra

/// The diagonal of a curvature, or an estimate of it.
public struct CurvatureDiagonal: Sendable, Equatable {
    /// diag(D), as long as θ.
    public let values: [Float]
    /// Of each value, as the probes differ; nil where the diagonal is exact to rounding.
    public let standardErrors: [Float]?
}

extension NetworkCurvature {
    /// diag(D), over all examples.
    ///
    /// The empirical Fisher matrix's is (1/n) Σ wᵢ(∇ℓᵢ)², at the cost of two gradients. The Gauss-Newton matrix's is (1/n) Σᵢ Σₖ (JᵢᵀBᵢeₖ)²
    /// with BBᵀ = w∂²ℓ/∂out², one way back for each of up to 32 outputs; for more of them each probe puts random signs e in place of
    /// the eₖ, which is right in the mean. A Hessian that is not also the Gauss-Newton matrix is known by its products: z∘Hz with a vector z
    /// of random signs is diag(H) in the mean, each element with the variance Σ_{j≠i} Hᵢⱼ² (Bekas, Kokiopoulou & Saad 2007), at
    /// the cost of a product for each probe.
    /// - Parameters:
    ///   - probes: random vectors to take the mean over, at least 2, where one is taken: errors fall with the root of their number.
    ///   - seed: what these are drawn from; the values' bits depend on it, and not on the number of threads.
    ///   - parallel: the threads.
    ///   - interruption: when to stop.
    /// - Throws: `Interrupted`.
    public func diagonal(
        probes: Int = 32, seed: UInt64 = 0, parallel: Parallel, interruption: Interruption = .never
    ) throws -> CurvatureDiagonal {
        precondition(probes > 1, "an error is known from two probes on")
        guard substance == .hessian else {
            let (roots, _) = roots(draws: probes, seed: seed)
            guard case .draws(let draws, _) = roots else {
                return CurvatureDiagonal(
                    values: try squares(roots, parallel: parallel, interruption: interruption).copy, standardErrors: nil)
            }
            var moments = ElementMoments(count: dimension)
            for draw in draws {
                moments.add(
                    try squares(.draws(draw..<draw + 1, seed: seed), parallel: parallel, interruption: interruption))
            }
            return moments.diagonal
        }
        let most = 4
        var moments = ElementMoments(count: dimension)
        for (block, range) in Parallel.ranges(of: probes, pieces: (probes + most - 1) / most).enumerated() {
            let signs = try signs(range.count, seed: seed, block: block, interruption: interruption)
            let images = AlignedMemory<Float>(uninitialized: signs.count)
            try product(
                of: signs, to: images.start, vectorCount: range.count, parallel: parallel, interruption: interruption)
            for i in signs.indices { images.start[i] *= signs[i] }
            for k in 0..<range.count {
                try interruption.check()
                moments.add(images, from: k * dimension)
            }
        }
        return moments.diagonal
    }

    /// (1/n) Σᵢ Σₖ aᵢₖ².
    private func squares(_ roots: Roots, parallel: Parallel, interruption: Interruption) throws -> AlignedMemory<Float> {
        precondition(exampleCount > 0, "a mean needs examples")
        let ranges = Parallel.ranges(of: exampleCount, pieces: ExamplePieces.count(of: exampleCount, dimension: dimension))
        let partials = AlignedMemory<Float>(repeating: 0, count: dimension * ranges.count)
        try parallel.forEach(ranges.count, interruption: interruption) { piece in
            let gradient = AlignedMemory<Float>(repeating: 0, count: dimension)
            try model.computation.withPass(.first, interruption: interruption) { pass in
                try forEachRoot(roots, of: .range(ranges[piece]), in: pass) { _ in
                    try pass.addSquares(
                        model.computation.parameters, to: partials.start + piece * dimension, gradient: gradient.start)
                }
            }
        }
        let sum = AlignedMemory<Float>(repeating: 0, count: dimension)
        for piece in ranges.indices {
            BLAS.add(dimension, alpha: 1 / Float(exampleCount), partials.start + piece * dimension, to: sum.start)
        }
        return sum
    }
}

/// Means of vectors, and how far they vary, element by element (Welford 1962).
private struct ElementMoments {
    private var count = 0.0
    private var means: [Double]
    private var squares: [Double]

    init(count: Int) {
        means = Array(repeating: 0, count: count)
        squares = means
    }

    mutating func add(_ values: AlignedMemory<Float>, from offset: Int = 0) {
        count += 1
        for i in means.indices {
            let value = Double(values.start[offset + i])
            let distance = value - means[i]
            means[i] += distance / count
            squares[i] += distance * (value - means[i])
        }
    }

    var diagonal: CurvatureDiagonal {
        CurvatureDiagonal(
            values: means.map { Float($0) },
            standardErrors: squares.map { Float(($0 / (count - 1) / count).squareRoot()) })
    }
}
