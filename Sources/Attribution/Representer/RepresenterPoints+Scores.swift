public import LinearAlgebra
internal import Networks

extension RepresenterPoints: ScoredExamples {
    /// Numbers in W and b.
    public var dimension: Int { network.network.parameterCount }

    /// See `ScoredExamples`. 2·D flops for each pair, and each output that the direction is not zero in.
    /// - Throws: `Interrupted`.
    public func scores(
        of selection: RowSelection, along directions: [Float], parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        precondition(directions.count % dimension == 0, "directions are as long as θ")
        let prepared = try stride(from: 0, to: directions.count, by: dimension).map {
            try interruption.check()
            return Direction(directions[$0..<$0 + dimension], outputs: outputCount, inputs: inputCount)
        }
        return try selection.withBatch(of: count) { batch in
            let values = AlignedMemory<Float>(uninitialized: batch.count * prepared.count)
            let (pieces, rowCount) = (Parallel.ranges(of: batch.count, pieces: 64), batch.count)
            // Only read, by every piece.
            nonisolated(unsafe) let batch = batch
            try parallel.forEach(pieces.count, interruption: interruption) { piece in
                let tile = RowTile()
                var pace = PacedInterruption(interruption)
                let picked = AlignedMemory<Float>(uninitialized: RowTile.capacity * outputCount)
                // Directions read a tile one after the other.
                let length = prepared.count > 1 ? RowTile.length(rowByteCount: features.rowByteCount) : RowTile.capacity
                for start in stride(from: pieces[piece].lowerBound, to: pieces[piece].upperBound, by: length) {
                    tile.load(start..<min(start + length, pieces[piece].upperBound), of: batch, from: features)
                    for d in prepared.indices {
                        let direction = prepared[d]
                        try pace.check(after: tile.count * (2 * inputCount + 4) * max(1, direction.outputs.count))
                        score(tile, along: direction, picked.start, into: values.start + d * rowCount + start)
                    }
                }
            }
            return Scores(rowCount: rowCount, directionCount: prepared.count, values: values)
        }
    }

    /// The rows of a direction, as a matrix [C, D + 1], that are not zero.
    ///
    /// A class: threads that passed its arrays around would wait for each other's counting of who holds them.
    private final class Direction: Sendable {
        let outputs: [Int]
        let weights: [Float]
        let bias: [Float]

        init(_ vector: ArraySlice<Float>, outputs count: Int, inputs width: Int) {
            let first = vector.startIndex
            let biases = vector.dropFirst(count * width)
            func row(_ c: Int) -> ArraySlice<Float> { vector[first + c * width..<first + (c + 1) * width] }
            func bias(_ c: Int) -> Float { biases.isEmpty ? 0 : biases[biases.startIndex + c] }
            outputs = (0..<count).filter { c in bias(c) != 0 || row(c).contains { $0 != 0 } }
            weights = outputs.flatMap { row($0) }
            self.bias = outputs.map { bias($0) }
        }
    }

    /// Σ_c r_ic·(h_i · S_c + s_c) over the rows of one tile, c among the direction's outputs.
    @inline(__always)
    private func score(
        _ tile: RowTile, along direction: Direction, _ picked: UnsafeMutablePointer<Float>,
        into scores: UnsafeMutablePointer<Float>
    ) {
        let width = direction.outputs.count
        guard width > 0 else { return scores.update(repeating: 0, count: tile.count) }
        // Once for the tile: it is looked up in the network.
        let outputCount = outputCount
        for place in 0..<width {
            let column = residuals.start + direction.outputs[place]
            for row in 0..<tile.count { picked[row * width + place] = column[tile.example(row) * outputCount] }
        }
        features.score(tile, on: direction.weights, vectorCount: width, coefficients: picked, into: scores)
        for row in 0..<tile.count { scores[row] *= features.multiplier }
        for place in 0..<width {
            let bias = direction.bias[place]
            for row in 0..<tile.count { scores[row] += picked[row * width + place] * bias }
        }
    }
}
