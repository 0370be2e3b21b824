public import LinearAlgebra

/// How similar the features of training examples are to those of tests, in the place of gradients: the method `nearest_neighbor`, the
/// baseline that the papers compare with (RelatIF, appendix H; FastIF, section 3.2).
///
/// An example's vector is its row of features, and a direction the features of a test, as they are, or of several that are scored as one.
/// Unlike those of gradients, scores are not linear in the direction (nor, by distance, in the row), so that directions must not be averaged
/// or scaled before: a score of several tests is the sum of theirs. A group's score is the sum of its members', as everywhere.
public struct FeatureSimilarities: ScoredExamples {
    /// One row for each training example.
    public let features: FeatureRows
    /// What is similar.
    public let metric: NeighborMetric
    /// Tests whose features, one behind the other, are one direction.
    public let testsTogether: Int

    /// Similarities of some features, which may be inputs or a layer's outputs.
    public init(_ features: FeatureRows, metric: NeighborMetric, testsTogether: Int = 1) {
        precondition(testsTogether > 0, "a direction is of a test")
        (self.features, self.metric, self.testsTogether) = (features, metric, testsTogether)
    }

    /// n.
    public var count: Int { features.count }
    /// Features of an example, for each of the tests that are one direction.
    public var dimension: Int { testsTogether * features.width }

    /// Σ `NeighborMetric.score` of each selected example and each test of a direction, added up in single precision in the tests' order.
    ///
    /// In double precision until a score is rounded, so that the order is that of `NearestNeighbors` but where floats are equal. 3·D flops
    /// for each pair (cosine: 2·D, and 3·D for each example), and the memory of the sums alone.
    /// - Throws: `Interrupted`.
    public func scores(
        of selection: RowSelection, along directions: [Float], parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        precondition(dimension > 0 && directions.count % dimension == 0, "tests have as many features as examples")
        let rowCount = selection.withBatch(of: count) { $0.count }
        let directionCount = directions.count / dimension
        let values = AlignedMemory<Float>(uninitialized: rowCount * directionCount)
        try forEachMeasure(of: selection, to: directions, parallel, interruption) { [metric, testsTogether] row, test, measure in
            let place = test / testsTogether * rowCount + row
            let score = metric.score(of: measure)
            values.start[place] = test % testsTogether == 0 ? score : values.start[place] + score
        }
        return Scores(rowCount: rowCount, directionCount: directionCount, values: values)
    }

    /// The distance or cosine of some examples, in their order, and a test: what their scores say. Infinite, or NaN, where features are
    /// not finite.
    /// - Throws: `Interrupted`.
    public func measures(
        of examples: [UInt32], to test: [Float], parallel: Parallel, interruption: Interruption = .never
    ) throws -> [Double] {
        let values = AlignedMemory<Double>(uninitialized: examples.count)
        try forEachMeasure(of: .indices(examples), to: test, parallel, interruption) { row, _, measure in
            values.start[row] = measure
        }
        return values.copy
    }

    /// Calls `body` with the place of each selected example, each test, and their measure: for an example with one test after the other.
    private func forEachMeasure(
        of selection: RowSelection, to tests: [Float], _ parallel: Parallel, _ interruption: Interruption,
        _ body: @escaping @Sendable (_ row: Int, _ test: Int, _ measure: Double) -> Void
    ) throws {
        let width = features.width
        let queries = stride(from: 0, to: tests.count, by: width).map { Array(tests[$0..<$0 + width]) }
        try selection.withBatch(of: count) { batch in
            let pieces = Parallel.ranges(of: batch.count, pieces: 64)
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
                        body(start + row, test, metric.measure(ofRemoteness: remoteness))
                    }
                }
            }
        }
    }
}
