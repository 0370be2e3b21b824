internal import LinearAlgebra

/// The bases of a layer's two sides: rows are vectors.
struct KroneckerBasis: Sendable {
    /// Q_A [D̃, D̃] and Q_G [C, C].
    let inputs, outputs: AlignedMemory<Float>
}

// The first way through the examples, and the eigenvectors of what it finds.
extension KroneckerEstimate {
    /// One of a layer's two factors.
    private struct Factor: Sendable {
        let layer: Int
        let isInput: Bool
        let order: Int
        /// Where its numbers lie among those of all.
        let offset: Int
    }

    /// The bases, layer by layer.
    func bases(_ parallel: Parallel, _ interruption: Interruption) throws -> [KroneckerBasis] {
        var factors: [Factor] = []
        var length = 0
        for (index, layer) in layers.enumerated() {
            for (isInput, order) in [(true, layer.order), (false, layer.outputs)] {
                factors.append(Factor(layer: index, isInput: isInput, order: order, offset: length))
                length += order * order
            }
        }
        let pieces = pieces(length)
        let sums = AlignedMemory<Float>(repeating: 0, count: pieces.count * length)
        let offsets = factors.map(\.offset)
        try parallel.forEach(pieces.count, interruption: interruption) { [length] piece in
            try addFactors(of: pieces[piece], to: sums.start + piece * length, offsets, interruption)
        }
        // The largest first, so that no thread begins with it when the others are done.
        let work = factors.indices.sorted { (factors[$1].order, $0) < (factors[$0].order, $1) }
        let bases = factors.map { AlignedMemory<Float>(uninitialized: $0.order * $0.order) }
        try parallel.forEach(work.count, interruption: interruption) { [factors, length] place in
            let factor = factors[work[place]]
            try writeBasis(factor, of: sums, pieces: pieces.count, length, to: bases[work[place]], interruption)
        }
        return layers.indices.map { KroneckerBasis(inputs: bases[2 * $0], outputs: bases[2 * $0 + 1]) }
    }

    /// Adds a piece's wᵢx̃x̃ᵀ and δδᵀ to its sums, those of a layer at its two offsets.
    private func addFactors(
        of piece: Range<Int>, to sums: UnsafeMutablePointer<Float>, _ offsets: [Int], _ interruption: Interruption
    ) throws {
        let grams = layers.enumerated().map { index, layer in
            (
                inputs: GramSum(order: layer.order, addingTo: sums + offsets[2 * index]),
                outputs: GramSum(order: layer.outputs, addingTo: sums + offsets[2 * index + 1])
            )
        }
        var pace = PacedInterruption(interruption)
        let check = { (operations: Int) throws in try pace.check(after: operations) }
        try forEachRoot(of: piece, interruption) { chunk, root, pass, batch in
            for (layer, gram) in zip(layers, grams) {
                let step = pass.network.steps[layer.step]
                let (x, dy) = pass.factors(of: layer.step)
                for row in 0..<chunk.count {
                    let weight = curvature.examples.weight(batch.example(chunk.lowerBound + row))
                    guard weight > 0 else { continue }
                    for position in 0..<(root == 0 ? layer.positions : 0) {
                        layer.writeInputs(at: position, of: x + row * step.inputWidth, into: gram.inputs.next)
                        try gram.inputs.take(weight: weight, check: check)
                    }
                    let deltas = layer.deltas(of: dy + row * step.outputWidth)
                    if layer.positions == 1 {
                        gram.outputs.next.update(from: deltas.start, count: layer.outputs)
                        try gram.outputs.take(check: check)
                    } else {
                        try gram.outputs.add(deltas, positions: layer.positions, check: check)
                    }
                    try check(root == 0 ? 4 * layer.positions * layer.order : layer.outputs)
                }
            }
        }
        for gram in grams {
            try gram.inputs.flush(check: check)
            try gram.outputs.flush(check: check)
        }
    }

    /// Writes the eigenvectors of a factor, the sum of all pieces'.
    private func writeBasis(
        _ factor: Factor, of sums: AlignedMemory<Float>, pieces: Int, _ length: Int, to basis: AlignedMemory<Float>,
        _ interruption: Interruption
    ) throws {
        let order = factor.order
        let matrix = AlignedMemory<Double>(repeating: 0, count: order * order)
        for piece in 0..<pieces {
            let sum = sums.start + piece * length + factor.offset
            for row in 0..<order {
                for place in row * order...row * order + row { matrix.start[place] += Double(sum[place]) }
            }
            try interruption.check()
        }
        do throws(EigenFailure) {
            let eigen = try SymmetricEigen(lower: matrix, order: order)
            for i in 0..<order * order { basis.start[i] = Float(eigen.vectors.start[i]) }
            withExtendedLifetime(eigen) {}
        } catch {
            let name = layers[factor.layer].name
            throw error == .notFinite ? KroneckerError.notFinite(layer: name) : KroneckerError.notConverged(layer: name)
        }
    }
}
