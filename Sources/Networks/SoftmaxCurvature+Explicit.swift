public import LinearAlgebra

extension SoftmaxCurvature {
    /// Writes D + λI block by block.
    ///
    /// The block of classes (a, b) is X̃ᵀ diag(w) X̃ / n with wᵢ = (Aᵢ)ₐᵦ, itself symmetric. Each row of Aᵢ sums to zero, so only the
    /// blocks with a > b are computed, and each block on the diagonal is minus the sum of those beside it. Off the diagonal the
    /// Hessian's weights −pₐpᵦ have one sign: a Gram product of √(pₐpᵦ)·X̃ then does half the work of a general one.
    /// C(C−1)/2 · n · (D+1)² flops for the Hessian, twice that for the empirical Fisher.
    /// - Throws: `Interrupted`.
    public func write(
        plus shift: Double, to matrix: PackedSymmetricMatrix, parallel: Parallel, interruption: Interruption
    ) throws {
        precondition(matrix.order == dimension, "the matrix has the curvature's order")
        let pairs = (1..<model.classCount).flatMap { a in (0..<a).map { b in (a, b) } }
        let width = model.inputWidth + (model.hasBias ? 1 : 0)
        try parallel.forEach(pairs.count, interruption: interruption) { pair in
            let (a, b) = pairs[pair]
            let block = try offDiagonalBlock(a, b, width: width, interruption: interruption)
            for column in 0..<width {
                for row in 0..<width {
                    // Only the lower triangle of the block was computed.
                    matrix[position(a, row), position(b, column)] =
                        block.start[max(row, column) * width + min(row, column)]
                }
            }
        }
        try parallel.forEach(model.classCount, interruption: interruption) { a in
            for column in 0..<width {
                try interruption.check()
                for row in column..<width {
                    var sum = 0.0
                    for b in 0..<model.classCount where b != a {
                        sum += Double(matrix[position(max(a, b), row), position(min(a, b), column)])
                    }
                    matrix[position(a, row), position(a, column)] = Float((row == column ? shift : 0) - sum)
                }
            }
        }
    }

    /// Where a class's feature (or its bias, the last one) stands in θ.
    private func position(_ c: Int, _ feature: Int) -> Int {
        feature < model.inputWidth ? c * model.inputWidth + feature : model.classCount * model.inputWidth + c
    }

    /// The lower triangle of one block, [width, width].
    private func offDiagonalBlock(
        _ a: Int, _ b: Int, width: Int, interruption: Interruption
    ) throws -> AlignedMemory<Float> {
        // Rows at a time: enough for a full-speed product, few enough to stay in the second-level cache.
        let tile = 256
        let block = AlignedMemory<Float>(repeating: 0, count: width * width)
        let rows = AlignedMemory<Float>(uninitialized: tile * model.inputWidth)
        let plain = AlignedMemory<Float>(uninitialized: tile * width)
        let weighted = AlignedMemory<Float>(uninitialized: tile * width)
        let classes = model.classCount
        for start in stride(from: 0, to: exampleCount, by: tile) {
            try interruption.check()
            let range = start..<min(start + tile, exampleCount)
            features.withRows(range, scratch: rows.start) { stored in
                for i in 0..<range.count {
                    let wa = outputFactors[(start + i) * classes + a]
                    let wb = outputFactors[(start + i) * classes + b]
                    // A probability that is known as one minus the others may be a rounding below zero.
                    let weight = kind == .hessian ? max(0, wa * wb).squareRoot() : wa * wb
                    let source = stored + i * model.inputWidth
                    let target = weighted.start + i * width
                    let factor = weight * features.multiplier
                    for j in 0..<model.inputWidth { target[j] = factor * source[j] }
                    if model.hasBias { target[model.inputWidth] = weight }
                    guard kind == .empiricalFisher else { continue }
                    let copy = plain.start + i * width
                    for j in 0..<model.inputWidth { copy[j] = features.multiplier * source[j] }
                    if model.hasBias { copy[model.inputWidth] = 1 }
                }
            }
            let n = Float(exampleCount)
            switch kind {
            case .hessian:
                BLAS.addGram(n: width, k: range.count, alpha: -1 / n, weighted.start, width, beta: 1, block.start, width)
            case .empiricalFisher:
                BLAS.multiply(
                    .transposed, .none, m: width, n: width, k: range.count, alpha: 1 / n, plain.start, width,
                    weighted.start, width, beta: 1, block.start, width)
            }
        }
        return block
    }
}
