public import LinearAlgebra
public import Networks

extension FactoredGradients {
    /// (x′·xᵢ + 1)(r′·rᵢ), the one being for the biases (TracIn, appendix F): D + C products for a pair. The features are read once for all
    /// of the others, as they are stored, and nothing is rounded to fewer bits.
    /// - Throws: `Interrupted`.
    public func scores(
        of selection: RowSelection, like gradients: ExampleGradients, parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        guard let factors = gradients.factors, gradients.count > 0,
            factors.inputs.count == gradients.count * model.inputWidth, factors.rows.count == gradients.count * model.classCount
        else { return try scores(of: selection, along: gradients.vectors, parallel: parallel, interruption: interruption) }
        let (others, classes) = (gradients.count, model.classCount)
        return try selection.withBatch(of: count) { batch in
            let rowCount = batch.count
            let values = AlignedMemory<Float>(uninitialized: rowCount * others)
            let pieces = Parallel.ranges(of: rowCount, pieces: 64)
            // Only read, by every piece.
            nonisolated(unsafe) let batch = batch
            try parallel.forEach(pieces.count, interruption: interruption) { piece in
                let tile = RowTile()
                var pace = PacedInterruption(interruption)
                let inputProducts = AlignedMemory<Float>(uninitialized: RowTile.capacity * others)
                let residualProducts = AlignedMemory<Float>(uninitialized: RowTile.capacity * others)
                let own = AlignedMemory<Float>(uninitialized: RowTile.capacity * classes)
                for start in stride(from: pieces[piece].lowerBound, to: pieces[piece].upperBound, by: RowTile.capacity) {
                    tile.load(start..<min(start + RowTile.capacity, pieces[piece].upperBound), of: batch, from: features)
                    features.project(tile, on: factors.inputs, vectorCount: others, into: inputProducts.start)
                    try withResiduals(of: tile, gathered: own.start) {
                        try $0.score(
                            0..<tile.count, along: factors.rows, vectorCount: others, into: residualProducts.start,
                            stride: RowTile.capacity)
                    }
                    let (one, multiplier): (Float, Float) = (model.hasBias ? 1 : 0, features.multiplier)
                    for k in 0..<others {
                        for row in 0..<tile.count {
                            values.start[k * rowCount + start + row] =
                                (multiplier * inputProducts.start[row * others + k] + one)
                                * residualProducts.start[k * RowTile.capacity + row]
                        }
                    }
                    try pace.check(after: 2 * tile.count * others * (model.inputWidth + classes))
                }
            }
            return Scores(rowCount: rowCount, directionCount: others, values: values)
        }
    }

    /// Calls `body` with a view of the residuals of a tile's rows: neighbours stay where they are, with those that come next behind them,
    /// and others are brought together.
    private func withResiduals(
        of tile: RowTile, gathered: UnsafeMutablePointer<Float>, _ body: (EncodedRows) throws -> Void
    ) throws {
        let (classes, first) = (model.classCount, tile.example(0))
        let size = classes * MemoryLayout<Float>.stride
        try residuals.withUnsafeBytes { all in
            guard !tile.isContiguous else {
                let bytes = UnsafeRawBufferPointer(rebasing: all[(first * size)...])
                return try body(EncodedRows(bytes, count: count - first, width: classes, encoding: .float32))
            }
            let bytes = UnsafeMutableRawBufferPointer(start: gathered, count: tile.count * size)
            for row in 0..<tile.count {
                let place = tile.example(row) * size
                UnsafeMutableRawBufferPointer(rebasing: bytes[(row * size)...]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: all[place..<place + size]))
            }
            try body(EncodedRows(UnsafeRawBufferPointer(bytes), count: tile.count, width: classes, encoding: .float32))
        }
    }
}
