public import LinearAlgebra

extension EKFAC {
    /// In the bases (D̂ + λI)⁻¹ is diagonal, so that with g̃ = Q_G·G·Q_Aᵀ of each block
    ///
    ///     gᵀ(D̂ + λI)⁻¹g = Σ g̃²/(Λ + λ),   ‖(D̂ + λI)⁻¹g‖² = Σ g̃²/(Λ + λ)²
    ///
    /// and where a layer's gradient is one outer product, g̃ = (Q_G·δ) ⊗ (Q_A·x̃), both are products of matrices of squares: 2·D̃² flops an
    /// example for the rotation, 2·C² for the other, and 2·C·D̃ for each sum. Other layers' gradients are rotated as they are
    /// written out, 2·C·D̃·(C + D̃). All terms are positive: there is no cancellation, and no sum is negative.
    public func inverseNorms(
        of rows: any FisherRows, _ quantity: InverseNorms.Quantity, in system: DampedCurvature, memoryLimit: Int,
        parallel: Parallel, interruption: Interruption
    ) throws -> InverseNorms {
        precondition(rows.dimension == dimension && system.dimension == dimension, "gradients are as long as the system's order")
        // That all can be inverted is found out in one place.
        _ = try inverse(shift: system.shift)
        let sums = NormSums(count: rows.exampleCount, quantity)
        let parts = blocks.map { EKFACNorms(of: $0, shift: system.shift, among: rows.factors) }
        let bytesPerExample = max(1, parts.map(\.scratchPerExample).max() ?? 1) * MemoryLayout<Float>.stride
        let together = max(1, min(EKFACNorms.mostExamples, memoryLimit / 2 / parallel.threads / bytesPerExample))
        try rows.forEachStripe(memoryLimit: memoryLimit / 2, parallel: parallel, interruption: interruption) { stripe in
            let pieces = stride(from: stripe.rows.lowerBound, to: stripe.rows.upperBound, by: together).map {
                $0..<min($0 + together, stripe.rows.upperBound)
            }
            try parallel.forEach(pieces.count, interruption: interruption) { piece in
                for part in parts { try part.add(pieces[piece], of: stripe, to: sums, interruption) }
            }
        }
        return try sums.finished()
    }
}
