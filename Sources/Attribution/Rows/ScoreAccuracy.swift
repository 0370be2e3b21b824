public import LinearAlgebra
public import Networks

/// How near scores from approximate gradients come to exact ones.
public struct ScoreAccuracy: Sendable, Equatable {
    /// ‖ŝ − s‖ / ‖s‖ over all pairs that were compared.
    public let relativeError: Double
    /// The mean over directions of Spearman's rank correlation between ŝ and s.
    public let rankCorrelation: Double

    /// Compares scores along directions, as many each time in the same order; nil where nothing can be said: where all exact scores are
    /// zero, or none of the directions tells its examples apart.
    /// - Throws: `Interrupted`.
    public init?(
        approximate: [[Float]], exact: [[Float]], interruption: Interruption = .never
    ) throws(Interrupted) {
        precondition(approximate.map(\.count) == exact.map(\.count), "the same scores")
        var (difference, size) = (0.0, 0.0)
        var correlations: [Double] = []
        for (estimates, truth) in zip(approximate, exact) {
            for (estimate, score) in zip(estimates, truth) {
                difference += (Double(estimate) - Double(score)) * (Double(estimate) - Double(score))
                size += Double(score) * Double(score)
            }
            guard let estimated = try Ranks(estimates, interruption: interruption),
                let trueRanks = try Ranks(truth, interruption: interruption),
                let correlation = try RankCorrelation.spearman(estimated, trueRanks, interruption: interruption)
            else { continue }
            correlations.append(correlation)
        }
        guard size > 0, difference.isFinite, size.isFinite, !correlations.isEmpty else { return nil }
        relativeError = (difference / size).squareRoot()
        rankCorrelation = correlations.reduce(0, +) / Double(correlations.count)
    }
}

/// The pairs of examples on which approximate gradients are compared with exact ones: directions that are gradients of evenly spread
/// examples, and evenly spread rows. An example's product with itself is left out: it is large, and easy to come near to.
public struct AccuracySample: Sendable {
    /// The examples whose gradients are the directions.
    public let directions: [Int]
    /// The examples whose rows are scored.
    public let rows: [Int]

    /// A sample of n examples.
    public init(of count: Int, directions: Int = 16, rows: Int = 512) {
        // The middles of equal stretches.
        func spread(_ wanted: Int) -> [Int] {
            let some = min(wanted, count)
            return (0..<some).map { (2 * $0 + 1) * count / (2 * some) }
        }
        self.directions = spread(directions)
        self.rows = spread(rows)
    }

    /// Measures what a writer makes of gradients, its rows encoded as a cache keeps them.
    /// - Parameters:
    ///   - projection: what directions are projected by to match the rows.
    ///   - memoryBudget: bytes for rows, of which there is one in any case.
    /// - Returns: nil where nothing can be said.
    /// - Throws: `Interrupted`; `EncodingError` where a row can't be encoded.
    public func accuracy(
        of writer: any GradientRowWriter, projection: (any DirectionProjection)?, encoding: RowEncoding,
        model: TrainedNetwork, examples: LabeledExamples, memoryBudget: Int, parallel: Parallel, interruption: Interruption
    ) throws -> ScoreAccuracy? {
        let gradients = AlignedMemory<Float>(uninitialized: directions.count * model.network.parameterCount)
        try model.writeGradients(
            of: directions.map { $0..<$0 + 1 }, in: examples, into: gradients.start, parallel: parallel,
            interruption: interruption)
        let vectors = gradients.copy
        let exact = try rows.map { UInt32($0) }.withUnsafeBufferPointer { rows in
            try model.scores(
                of: .indices(rows), in: examples, along: vectors, parallel: parallel, interruption: interruption)
        }
        let projected =
            try projection?.project(vectors, count: directions.count, parallel: parallel, interruption: interruption) ?? vectors
        let estimates = try scores(
            of: writer, along: projected, encoding: encoding, memoryBudget: memoryBudget, parallel: parallel,
            interruption: interruption)
        return try ScoreAccuracy(
            approximate: pairs(estimates.copy), exact: pairs(exact.copy), interruption: interruption)
    }

    /// The scores of the rows along vectors as wide as they are, [directions, rows].
    private func scores(
        of writer: any GradientRowWriter, along vectors: [Float], encoding: RowEncoding, memoryBudget: Int, parallel: Parallel,
        interruption: Interruption
    ) throws -> AlignedMemory<Float> {
        let width = writer.width
        let together = max(1, min(rows.count, memoryBudget / (width * MemoryLayout<Float>.stride)))
        let floats = AlignedMemory<Float>(uninitialized: together * width)
        let scores = AlignedMemory<Float>(uninitialized: directions.count * rows.count)
        for first in stride(from: 0, to: rows.count, by: together) {
            let some = Array(rows[first..<min(first + together, rows.count)])
            try writer.write(
                some.map { $0..<$0 + 1 }, into: floats.start, parallel: parallel, interruption: interruption)
            let bytes = AlignedMemory<UInt8>(uninitialized: try encoding.byteCount(rows: some.count, width: width))
            try encoding.encode(rows: floats.start, count: some.count, width: width, into: bytes.start)
            let encoded = try EncodedRows(
                UnsafeRawBufferPointer(bytes.elements), count: some.count, width: width, encoding: encoding)
            try vectors.withUnsafeBufferPointer { vectors in
                guard let start = vectors.baseAddress else { return }
                try encoded.score(
                    along: start, vectorCount: directions.count, into: scores.start + first, stride: rows.count,
                    parallel: parallel, interruption: interruption)
            }
            withExtendedLifetime(bytes) {}
        }
        return scores
    }

    /// Scores [directions, rows] direction by direction, without those of an example along its own gradient.
    private func pairs(_ scores: [Float]) -> [[Float]] {
        directions.enumerated().map { index, direction in
            zip(rows, scores[index * rows.count..<(index + 1) * rows.count]).filter { $0.0 != direction }.map(\.1)
        }
    }
}
