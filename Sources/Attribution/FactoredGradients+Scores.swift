public import LinearAlgebra
internal import Networks

extension FactoredGradients {
    /// direction · gᵢ for each direction, `model.parameterCount` long and stacked, and each selected example:
    /// 2·D·C flops for each pair. A tile's rows are read once for all directions. Where rows are bytes the directions are rounded to
    /// 16 bits an element if that changes them by less than 3·10⁻⁴ (see `QuantizedVectors`).
    ///
    /// An example's score along a direction has the same bits in whatever selection and beside whichever directions it stands, on any
    /// number of threads.
    /// - Throws: `Interrupted`.
    public func scores(
        of selection: RowSelection, along directions: [Float], parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        let length = model.parameterCount
        precondition(directions.count % length == 0, "directions are as long as θ")
        let directionCount = directions.count / length
        return try selection.withBatch(of: count) { batch in
            Scores(
                rowCount: batch.count, directionCount: directionCount,
                values: try scores(
                    of: batch, along: directions, count: directionCount, parallel: parallel, interruption: interruption))
        }
    }

    /// Scores of all examples and products with their curvature, from one reading of the features: both multiply the same rows.
    /// - Throws: `Interrupted`.
    public func scan(
        along directions: [Float], ends: [WantedEnds], imaging curvature: (any CurvatureOperator)?, parallel: Parallel,
        interruption: Interruption
    ) throws -> Scan {
        guard let softmax = curvature as? SoftmaxCurvature, softmax.features === features, softmax.model == model,
            !directions.isEmpty
        else {
            let scores = try scores(of: .all, along: directions, parallel: parallel, interruption: interruption)
            let images = try curvature?.images(of: directions, parallel: parallel, interruption: interruption)
            return Scan(scores: scores, ends: nil, images: images)
        }
        let directionCount = directions.count / model.parameterCount
        let prepared = try prepared(directions, interruption)
        let values = AlignedMemory<Float>(uninitialized: count * directionCount)
        let observed = softmax.showingRows { [self, count] tile in
            for d in 0..<directionCount {
                score(tile, along: prepared[d], gathered: nil, into: values.start + d * count + tile.example(0))
            }
        }
        let images = try observed.images(of: directions, parallel: parallel, interruption: interruption)
        return Scan(scores: Scores(rowCount: count, directionCount: directionCount, values: values), ends: nil, images: images)
    }

    private func prepared(_ directions: [Float], _ interruption: Interruption) throws -> [Direction] {
        let length = model.parameterCount
        precondition(directions.count % length == 0, "directions are as long as θ")
        return try stride(from: 0, to: directions.count, by: length).map {
            try interruption.check()
            return Direction(directions[$0..<$0 + length], self)
        }
    }

    private func scores(
        of batch: ExampleBatch, along directions: [Float], count directionCount: Int, parallel: Parallel,
        interruption: Interruption
    ) throws -> AlignedMemory<Float> {
        let rowCount = batch.count
        let values = AlignedMemory<Float>(uninitialized: rowCount * directionCount)
        let pieces = Parallel.ranges(of: rowCount, pieces: 64)
        let prepared = try prepared(directions, interruption)
        // Only read, by every piece.
        nonisolated(unsafe) let batch = batch
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let tile = RowTile()
            var pace = PacedInterruption(interruption)
            let gathered = AlignedMemory<Float>(uninitialized: RowTile.capacity * model.classCount)
            // Directions read a tile one after the other.
            let length = directionCount > 1 ? RowTile.length(rowByteCount: features.rowByteCount) : RowTile.capacity
            for start in stride(from: pieces[piece].lowerBound, to: pieces[piece].upperBound, by: length) {
                tile.load(start..<min(start + length, pieces[piece].upperBound), of: batch, from: features)
                let operations = 2 * tile.count * model.parameterCount
                for d in 0..<directionCount {
                    try pace.check(after: operations)
                    score(tile, along: prepared[d], gathered: gathered.start, into: values.start + d * rowCount + start)
                }
            }
        }
        return values
    }

    /// A vector in θ that gradients are multiplied with: S [C, D] and its part b for the biases. A class: threads that passed its arrays
    /// around would wait for each other's counting of who holds them.
    private final class Direction: Sendable {
        let weights: [Float]
        let bias: [Float]
        /// S in 16 bits, where rows are bytes and that is exact enough.
        let quantized: QuantizedVectors?
        /// What the products of stored numbers with kept weights are multiplied by.
        let unit: Float

        init(_ vector: ArraySlice<Float>, _ gradients: FactoredGradients) {
            let model = gradients.model
            let features = gradients.features
            weights = Array(vector.prefix(model.classCount * model.inputWidth))
            bias = Array(vector.dropFirst(weights.count))
            quantized =
                features.isBytes ? QuantizedVectors(weights, count: model.classCount, width: model.inputWidth) : nil
            unit = features.multiplier * (quantized?.scale ?? 1)
        }
    }

    /// rᵢ · (S xᵢ + b) for the rows of one tile: Σ_c r_ic · (x_i · S_c), and the biases. `gathered` has room for the tile's residuals;
    /// rows that are neighbours need none.
    @inline(__always)
    private func score(
        _ tile: RowTile, along direction: Direction, gathered: UnsafeMutablePointer<Float>?,
        into scores: UnsafeMutablePointer<Float>
    ) {
        let classes = model.classCount
        residuals.withUnsafeBufferPointer { all in
            var residuals = all.baseAddress! + tile.example(0) * classes
            if !tile.isContiguous, let gathered {
                for row in 0..<tile.count {
                    (gathered + row * classes).update(from: all.baseAddress! + tile.example(row) * classes, count: classes)
                }
                residuals = UnsafePointer(gathered)
            }
            if let quantized = direction.quantized {
                features.score(tile, on: quantized, coefficients: residuals, into: scores)
            } else {
                features.score(tile, on: direction.weights, vectorCount: classes, coefficients: residuals, into: scores)
            }
            for row in 0..<tile.count { scores[row] *= direction.unit }
            guard !direction.bias.isEmpty else { return }
            direction.bias.withUnsafeBufferPointer { bias in
                for row in 0..<tile.count {
                    var score = scores[row]
                    for c in 0..<classes { score += residuals[row * classes + c] * bias[c] }
                    scores[row] = score
                }
            }
        }
    }
}
