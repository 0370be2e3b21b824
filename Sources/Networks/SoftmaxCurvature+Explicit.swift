public import LinearAlgebra

extension SoftmaxCurvature: ExplicitCurvature {
    /// Writes D + λI block by block.
    /// - Throws: `Interrupted`.
    public func write(
        plus shift: Double, to matrix: PackedSymmetricMatrix, parallel: Parallel, interruption: Interruption
    ) throws {
        try write(over: .range(0..<exampleCount), plus: shift, to: matrix, parallel: parallel, interruption: interruption)
    }

    /// Writes (1/|B|) Σ_{i∈B} Cᵢ + λI block by block.
    ///
    /// The block of classes (a, b) is X̃ᵀ diag(w) X̃ / |B| with wᵢ = (Aᵢ)ₐᵦ, itself symmetric. Each row of Aᵢ sums to zero, so only the
    /// blocks with a > b are computed, and each block on the diagonal is minus the sum of those beside it. Off the diagonal the
    /// Hessian's weights −pₐpᵦ have one sign: a Gram product of √(pₐpᵦ)·X̃ then does half the work of a general one.
    /// C(C−1)/2 · |B| · (D+1)² flops for the Hessian, twice that for the empirical Fisher.
    /// - Throws: `Interrupted`.
    public func write(
        over batch: ExampleBatch, plus shift: Double, to matrix: PackedSymmetricMatrix, parallel: Parallel,
        interruption: Interruption
    ) throws {
        precondition(
            matrix.order == dimension && batch.count > 0, "the matrix has the curvature's order, and a mean needs examples")
        let pairs = (1..<model.classCount).flatMap { a in (0..<a).map { b in (a, b) } }
        let width = model.inputWidth + (model.hasBias ? 1 : 0)
        // Of few classes there are few blocks: each is then summed in parts, as far as 64 MiB hold them, which depends on sizes alone.
        let affordable = (64 << 20) / max(1, pairs.count * width * width * MemoryLayout<Float>.stride)
        let parts = Parallel.ranges(of: batch.count, pieces: max(1, min(16 / pairs.count, affordable, batch.count / 512)))
        let sums = AlignedMemory<Float>(repeating: 0, count: parts.count * pairs.count * width * width)
        // Only read, by every piece.
        nonisolated(unsafe) let batch = batch
        try parallel.forEach(pairs.count * parts.count, interruption: interruption) { piece in
            let (a, b) = pairs[piece / parts.count]
            try addOffDiagonalBlock(
                a, b, width: width, over: batch, places: parts[piece % parts.count], to: sums.start + piece * width * width,
                interruption: interruption)
        }
        try parallel.forEach(pairs.count, interruption: interruption) { pair in
            let (a, b) = pairs[pair]
            let block = sums.start + pair * parts.count * width * width
            for part in parts.indices.dropFirst() {
                try interruption.check()
                BLAS.add(width * width, alpha: 1, block + part * width * width, to: block)
            }
            for column in 0..<width {
                for row in 0..<width {
                    // Only the lower triangle of the block was computed.
                    matrix[position(a, row), position(b, column)] = block[max(row, column) * width + min(row, column)]
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

    /// Adds the lower triangle of one block, [width, width], as far as some places of a batch make it.
    private func addOffDiagonalBlock(
        _ a: Int, _ b: Int, width: Int, over batch: ExampleBatch, places: Range<Int>, to block: UnsafeMutablePointer<Float>,
        interruption: Interruption
    ) throws {
        // Rows at a time: enough for a full-speed product, few enough to stay in the second-level cache.
        let tile = 256
        let row = AlignedMemory<Float>(uninitialized: model.inputWidth)
        let plain = AlignedMemory<Float>(uninitialized: kind == .empiricalFisher ? tile * width : 0)
        let weighted = AlignedMemory<Float>(uninitialized: tile * width)
        let (classes, n) = (model.classCount, Float(batch.count))
        for start in stride(from: places.lowerBound, to: places.upperBound, by: tile) {
            try interruption.check()
            let count = min(tile, places.upperBound - start)
            for i in 0..<count {
                let example = batch.example(start + i)
                let wa = outputFactors[example * classes + a]
                let wb = outputFactors[example * classes + b]
                // A probability that is known as one minus the others may be a rounding below zero.
                let weight = kind == .hessian ? max(0, wa * wb).squareRoot() : wa * wb
                features.withRows(example..<example + 1, scratch: row.start) { source in
                    let target = weighted.start + i * width
                    let factor = weight * features.multiplier
                    for j in 0..<model.inputWidth { target[j] = factor * source[j] }
                    if model.hasBias { target[model.inputWidth] = weight }
                    guard kind == .empiricalFisher else { return }
                    let copy = plain.start + i * width
                    for j in 0..<model.inputWidth { copy[j] = features.multiplier * source[j] }
                    if model.hasBias { copy[model.inputWidth] = 1 }
                }
            }
            switch kind {
            case .hessian:
                BLAS.addGram(n: width, k: count, alpha: -1 / n, weighted.start, width, beta: 1, block, width)
            case .empiricalFisher:
                BLAS.multiply(
                    .transposed, .none, m: width, n: width, k: count, alpha: 1 / n, plain.start, width, weighted.start, width,
                    beta: 1, block, width)
            }
        }
    }
}
