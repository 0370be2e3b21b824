public import LinearAlgebra

/// How similar the features of training examples are to those of tests, in the place of gradients: the method `nearest_neighbor`, the
/// baseline that the papers compare with (RelatIF, appendix H; FastIF, section 3.2).
///
/// An example's vector is its row of features and a direction the features of a test, as they are. Unlike those of gradients, scores are not
/// linear in the direction (nor, by distance, in the row), so that directions must not be averaged or scaled before: a score of several
/// tests is the mean of theirs. A group's score is the sum of its members', as everywhere.
public struct FeatureSimilarities: ScoredExamples {
    /// One row for each training example.
    public let features: FeatureRows
    /// What is similar.
    public let metric: NeighborMetric

    /// Similarities of some features, which may be inputs or a layer's outputs.
    public init(_ features: FeatureRows, metric: NeighborMetric) {
        self.features = features
        self.metric = metric
    }

    /// n.
    public var count: Int { features.count }
    /// Features of an example.
    public var dimension: Int { features.width }

    /// `NeighborMetric.score` of each selected example and each of some tests, whose features are stacked.
    ///
    /// In double precision until the score is rounded, so that the order is that of `NearestNeighbors` but where floats are equal. 3·D flops
    /// for each pair (cosine: 2·D, and 3·D for each example).
    /// - Throws: `Interrupted`.
    public func scores(
        of selection: RowSelection, along directions: [Float], parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        let measures = try measures(of: selection, to: directions, parallel: parallel, interruption: interruption)
        let values = AlignedMemory<Float>(uninitialized: measures.values.count)
        for start in stride(from: 0, to: values.count, by: 1 << 16) {
            try interruption.check()
            for i in start..<min(start + 1 << 16, values.count) { values.start[i] = metric.score(of: measures.values.start[i]) }
        }
        return Scores(rowCount: measures.rowCount, directionCount: measures.testCount, values: values)
    }

    /// The distance or cosine of some examples, in their order, and a test: what their scores say. Infinite, or NaN, where features are
    /// not finite.
    /// - Throws: `Interrupted`.
    public func measures(
        of examples: [UInt32], to test: [Float], parallel: Parallel, interruption: Interruption = .never
    ) throws -> [Double] {
        try measures(of: .indices(examples), to: test, parallel: parallel, interruption: interruption).values.copy
    }

    /// [tests, examples].
    private func measures(
        of selection: RowSelection, to tests: [Float], parallel: Parallel, interruption: Interruption
    ) throws -> (rowCount: Int, testCount: Int, values: AlignedMemory<Double>) {
        precondition(dimension > 0 && tests.count % dimension == 0, "tests have as many features as examples")
        let queries = stride(from: 0, to: tests.count, by: dimension).map { Array(tests[$0..<$0 + dimension]) }
        return try selection.withBatch(of: count) { batch in
            let rowCount = batch.count
            let values = AlignedMemory<Double>(uninitialized: rowCount * queries.count)
            let pieces = Parallel.ranges(of: rowCount, pieces: 64)
            // Only read, by every piece.
            nonisolated(unsafe) let batch = batch
            try parallel.forEach(pieces.count, interruption: interruption) { piece in
                let (tile, rows) = (RowTile(), RowRemoteness(features, queries, metric))
                var pace = PacedInterruption(interruption)
                let length = RowTile.length(rowByteCount: features.rowByteCount)
                for start in stride(from: pieces[piece].lowerBound, to: pieces[piece].upperBound, by: length) {
                    tile.load(start..<min(start + length, pieces[piece].upperBound), of: batch, from: features)
                    try pace.check(after: tile.count * rows.operations)
                    rows.forEach(tile) { row, test, remoteness in
                        values.start[test * rowCount + start + row] = metric.measure(ofRemoteness: remoteness)
                    }
                }
            }
            return (rowCount, queries.count, values)
        }
    }
}
