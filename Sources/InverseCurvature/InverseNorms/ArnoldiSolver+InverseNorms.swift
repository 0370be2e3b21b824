public import LinearAlgebra

extension ArnoldiSolver {
    /// Gradients whose rests a common τ is fitted to, evenly spread.
    private static let sampleCount = 64
    /// Those of them that are multiplied with the data at a time: a product takes many times their memory.
    private static let sampledTogether = 16

    /// With c = Qg, r = g − Qᵀc and f what stands for 1/(τ + λ),
    ///
    ///     gᵀ(D + λI)⁻¹g ≈ Σⱼ cⱼ²/(θⱼ + λ) + f·‖r‖²,   ‖(D + λI)⁻¹g‖² ≈ Σⱼ cⱼ²/(θⱼ + λ)² + f²·‖r‖²
    ///
    /// at 4·p·k flops an example. A fitted τ is the same for all examples here, so that it is one matrix that is inverted and no gradient
    /// takes a product with the data: Σ r·Dr/Σ r·r over the rests of 64 of them.
    public func inverseNorms(
        of rows: any FisherRows, _ quantity: InverseNorms.Quantity, in system: DampedCurvature, memoryLimit: Int,
        parallel: Parallel, interruption: Interruption
    ) throws -> InverseNorms {
        let (length, rank) = (pairs.dimension, pairs.count)
        precondition(rows.dimension == length && system.dimension == length, "gradients are as long as the system's order")
        try checkDefinite(shift: system.shift)
        let weights = pairs.values.map { 1 / ($0 + system.shift) }
        let restFactor = try commonRestFactor(of: rows, in: system, memoryLimit, parallel, interruption)
        let sums = NormSums(count: rows.exampleCount, quantity)
        let bytes = max(1, length * MemoryLayout<Float>.stride)
        let together = max(1, min(pairs.rows.mostTogether, memoryLimit / 2 / 4 / bytes))
        try rows.forEachStripe(memoryLimit: memoryLimit / 2, parallel: parallel, interruption: interruption) { stripe in
            for first in stride(from: stripe.rows.lowerBound, to: stripe.rows.upperBound, by: together) {
                let examples = first..<min(first + together, stripe.rows.upperBound)
                let (coefficients, rests) = try split(
                    try stripe.gradients(of: examples, interruption), count: examples.count, parallel, interruption)
                for (place, example) in examples.enumerated() {
                    try interruption.check()
                    let rest = Self.squaredNorm(rests, place, length)
                    var (influence, step) = (restFactor * rest, restFactor * restFactor * rest)
                    for pair in 0..<rank {
                        let square = Double(coefficients[place * rank + pair]) * Double(coefficients[place * rank + pair])
                        influence += square * weights[pair]
                        step += square * weights[pair] * weights[pair]
                    }
                    sums.add(example, influence: influence, squaredStep: step)
                }
            }
        }
        return try sums.finished { _, _ in
            throw SolverError.indefinite(shift: system.shift, curvature: (pairs.values.min() ?? 0) + system.shift)
        }
    }

    /// Qg, and what that leaves of g, of some stacked vectors.
    private func split(
        _ gradients: [Float], count: Int, _ parallel: Parallel, _ interruption: Interruption
    ) throws -> (coefficients: [Float], rests: [Float]) {
        let coefficients = try pairs.rows.coefficients(
            of: gradients, count: count, parallel: parallel, interruption: interruption)
        var rests = gradients
        try pairs.rows.add(
            coefficients.map { -$0 }, beta: 1, to: &rests, count: count, parallel: parallel, interruption: interruption)
        return (coefficients, rests)
    }

    /// 1/(τ + λ) for all examples; 0 where nothing stands for the rest.
    private func commonRestFactor(
        of rows: any FisherRows, in system: DampedCurvature, _ memoryLimit: Int, _ parallel: Parallel,
        _ interruption: Interruption
    ) throws -> Double {
        let length = pairs.dimension
        guard pairs.count < length, complement != .dropped else { return 0 }
        var tau = complementValue
        if complement == .fitted {
            var (products, sizes) = (0.0, 0.0)
            let sample = Parallel.ranges(of: rows.exampleCount, pieces: Self.sampleCount).map(\.lowerBound)
            for first in stride(from: 0, to: sample.count, by: Self.sampledTogether) {
                let examples = sample[first..<min(first + Self.sampledTogether, sample.count)]
                let gradients = try examples.flatMap { example in
                    let stripe = RowStripe(example..<example + 1, factors: rows.factors)
                    try rows.write(stripe, parallel: parallel, interruption: interruption)
                    return try stripe.gradients(of: stripe.rows, interruption)
                }
                let (_, rests) = try split(gradients, count: examples.count, parallel, interruption)
                let images = try system.remainder(
                    of: [Float](repeating: 0, count: rests.count), after: rests, count: examples.count, parallel: parallel,
                    interruption: interruption)
                products -= Vectors.dot(rests, images)
                sizes += Vectors.dot(rests, rests)
            }
            // That of D + λI; where the pairs leave nothing of any gradient it doesn't matter.
            if sizes > 0 { tau = products / sizes - system.shift }
        }
        guard !tau.isNaN else { throw SolverError.notFinite }
        guard tau + system.shift > 0 else { throw SolverError.notPositiveDefinite(shift: system.shift) }
        return 1 / (tau + system.shift)
    }

    private static func squaredNorm(_ vectors: [Float], _ place: Int, _ length: Int) -> Double {
        vectors.withUnsafeBufferPointer { vectors in
            guard let start = vectors.baseAddress else { return 0 }
            return Vectors.dot(start + place * length, start + place * length, length)
        }
    }
}
