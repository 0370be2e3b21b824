public import LinearAlgebra
internal import Networks

/// Scores of some examples along some directions.
public struct Scores: Sendable {
    /// Examples scored.
    public let rowCount: Int
    /// Directions they were scored along.
    public let directionCount: Int
    /// direction · gᵢ: [directions, rows].
    public let values: AlignedMemory<Float>

    /// The scores along one direction, copied.
    public subscript(direction: Int) -> [Float] {
        Array(values.elements[direction * rowCount..<(direction + 1) * rowCount])
    }
}

extension FactoredGradients {
    /// Examples that a thread scores at a time: their widened rows stay in the second-level cache.
    private static var tile: Int { 32 }

    /// direction · gᵢ for each direction, `model.parameterCount` long and stacked, and each selected example:
    /// 2·D·C flops for each pair. A tile's rows are read once for all directions.
    ///
    /// An example's score has the same bits in whatever selection it stands, as long as the tile it falls in is as full.
    /// - Throws: `Interrupted`.
    public func scores(
        of selection: RowSelection = .all, along directions: [Float], parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Scores {
        let length = model.parameterCount
        precondition(directions.count % length == 0, "directions are as long as θ")
        let directionCount = directions.count / length
        let rowCount =
            switch selection {
            case .all: count
            case .indices(let indices): indices.count
            }
        let values = AlignedMemory<Float>(uninitialized: rowCount * directionCount)
        let tiles = (rowCount + Self.tile - 1) / Self.tile
        let pieces = Parallel.ranges(of: tiles, pieces: 64)
        try directions.withUnsafeBufferPointer { directions in
            nonisolated(unsafe) let directions = directions
            try parallel.forEach(pieces.count, interruption: interruption) { piece in
                let scratch = AlignedMemory<Float>(uninitialized: Self.tile * model.inputWidth)
                let outputs = AlignedMemory<Float>(uninitialized: Self.tile * model.classCount)
                for tile in pieces[piece] {
                    let rows = tile * Self.tile..<min((tile + 1) * Self.tile, rowCount)
                    withTile(rows, of: selection, scratch: scratch.start) { features, example in
                        for d in 0..<directionCount {
                            scoreTile(
                                features, count: rows.count, example: example, along: directions.baseAddress! + d * length,
                                outputs: outputs.start, into: values.start + d * rowCount + rows.lowerBound)
                        }
                    }
                }
            }
        }
        return Scores(rowCount: rowCount, directionCount: directionCount, values: values)
    }

    @inline(__always)
    private func withTile(
        _ rows: Range<Int>, of selection: RowSelection, scratch: UnsafeMutablePointer<Float>,
        _ body: (UnsafePointer<Float>, (Int) -> Int) -> Void
    ) {
        switch selection {
        case .all:
            features.withRows(rows, scratch: scratch) { body($0, { rows.lowerBound + $0 }) }
        case .indices(let indices):
            indices.withUnsafeBufferPointer { indices in
                let chosen = UnsafeBufferPointer(rebasing: indices[rows])
                features.gather(chosen, into: scratch)
                body(UnsafePointer(scratch), { Int(chosen[$0]) })
            }
        }
    }

    /// rᵢ · (S x̃ᵢ) for the rows of one tile: S x̃ᵢ is what the model would put out, were S its parameters.
    @inline(__always)
    private func scoreTile(
        _ rows: UnsafePointer<Float>, count: Int, example: (Int) -> Int, along direction: UnsafePointer<Float>,
        outputs: UnsafeMutablePointer<Float>, into scores: UnsafeMutablePointer<Float>
    ) {
        model.outputs(direction, rows: rows, rowCount: count, multiplier: features.multiplier, into: outputs)
        let classes = model.classCount
        residuals.withUnsafeBufferPointer { residuals in
            for row in 0..<count {
                let r = residuals.baseAddress! + example(row) * classes
                let u = outputs + row * classes
                var sum: Float = 0
                for c in 0..<classes { sum += r[c] * u[c] }
                scores[row] = sum
            }
        }
    }
}
