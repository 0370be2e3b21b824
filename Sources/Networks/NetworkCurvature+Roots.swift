internal import LinearAlgebra

// An example's curvature as a sum of squares, Cᵢ = Σₖ aₖaₖᵀ: its trace is Σ‖aₖ‖² and its diagonal Σ aₖ².
extension NetworkCurvature {
    /// Which squares.
    enum Roots {
        /// One: √w∇ℓ, of the empirical Fisher matrix.
        case gradient
        /// The columns of JᵀB, where BBᵀ = wA, of the Gauss-Newton matrix: as many as outputs.
        case columns
        /// JᵀBe for vectors e of random signs, each of which is the sum in the mean (Hutchinson 1990): of the Gauss-Newton matrix where
        /// outputs are many. An example's signs are its own, whatever it is computed with.
        case draws(Range<Int>, seed: UInt64)
    }

    /// Outputs up to which the Gauss-Newton matrix is taken apart exactly.
    static var mostColumns: Int { 32 }

    /// The squares that an example's empirical Fisher or Gauss-Newton matrix is best taken apart into, and what their sum is multiplied by.
    func roots(draws: Int, seed: UInt64) -> (roots: Roots, scale: Double) {
        if kind == .empiricalFisher { return (.gradient, 1) }
        if model.network.outputWidth <= Self.mostColumns { return (.columns, 1) }
        return (.draws(0..<draws, seed: seed), 1 / Double(draws))
    }

    /// Calls `body` for each chunk of a batch and each k with the chunk's places, the ways forward and back having left the factors of aₖ in
    /// the pass, which is made for derivatives. 1 + k ways.
    /// - Throws: `Interrupted`, and what `body` throws.
    func forEachRoot(
        _ roots: Roots, of batch: ExampleBatch, in pass: Pass<Float>, _ body: (Range<Int>) throws -> Void
    ) throws {
        let computation = model.computation
        let (loss, width) = (computation.loss, model.network.outputWidth)
        let state = AlignedMemory<Float>(uninitialized: pass.capacity * loss.stateWidth)
        let signs = AlignedMemory<Float>(uninitialized: width)
        let squares =
            switch roots {
            case .gradient: 0..<1
            case .columns: 0..<width
            case .draws(let draws, _): draws
            }
        try computation.forEachChunk(of: batch, examples.features, in: pass) { chunk in
            computation.differentiateLoss(chunk, of: batch, examples, factor: 1, in: pass, state: state.start)
            for k in squares {
                for row in 0..<chunk.count {
                    let example = batch.example(chunk.lowerBound + row)
                    let delta = pass.outputGradients + row * width
                    switch roots {
                    case .gradient:
                        // δ = w·r already.
                        let weight = examples.weight(example)
                        let factor = weight == 0 ? 0 : 1 / weight.squareRoot()
                        for c in 0..<width { delta[c] *= factor }
                        continue
                    case .columns:
                        signs.elements.update(repeating: 0)
                        signs.start[k] = 1
                    case .draws(_, let seed):
                        var stream = RandomStream(seed: seed &+ UInt64(k), index: UInt64(example))
                        for c in 0..<width { signs.start[c] = stream.nextSign() }
                    }
                    loss.multiplyRoot(state.start + row * loss.stateWidth, signs.start, into: delta)
                }
                try pass.backward(computation.parameters)
                try body(chunk)
            }
        }
    }
}

extension RandomStream {
    /// 1 or −1.
    mutating func nextSign() -> Float { next() >> 63 == 0 ? 1 : -1 }
}
