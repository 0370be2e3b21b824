public import LinearAlgebra
public import Networks

/// The gradients of a network by rows of their factors, wherever those are kept: exact.
///
/// What `NetworkGradients` makes of factors in memory this makes of rows that go past, to the last bit.
public struct FactorRowGradients: TrainingGradients {
    /// The network at its parameters.
    public let model: TrainedNetwork
    /// The training examples.
    public let examples: LabeledExamples
    /// The gradient factors of each example, in single precision.
    public let rows: any GradientRows

    /// n.
    public var count: Int { examples.count }
    /// p.
    public var dimension: Int { model.network.parameterCount }

    /// Floats of rows that are picked out one by one and scored together: 4 MiB.
    private static let gathered = 1 << 20

    /// Gradients by rows of `model.factorWidth` floats, one for each example.
    public init(model: TrainedNetwork, examples: LabeledExamples, rows: any GradientRows) {
        precondition(rows.count == examples.count && rows.width == model.factorWidth, "a row for each example")
        self.model = model
        self.examples = examples
        self.rows = rows
    }

    /// See `TrainingGradients`.
    /// - Throws: `Interrupted`, and what reading the rows may throw.
    public func scores(
        of selection: RowSelection, along directions: [Float], parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        let directionCount = directions.count / dimension
        precondition(directionCount * dimension == directions.count, "directions are as long as θ")
        return try scores(of: selection, directionCount: directionCount, parallel, interruption) { [model, examples] in
            try model.writeScores(
                ofFactors: $0, of: $1, in: examples, along: directions, into: $2, stride: $3, interruption: interruption)
        }
    }

    /// Scores that `write` makes of the factors of a batch, one row behind the other: it is told where those lie, the batch, where its
    /// scores go, and how far those of one direction lie from the next one's.
    func scores(
        of selection: RowSelection, directionCount: Int, _ parallel: Parallel, _ interruption: Interruption,
        _ write: @escaping @Sendable (UnsafePointer<Float>, ExampleBatch, UnsafeMutablePointer<Float>, Int) throws -> Void
    ) throws -> Scores {
        switch selection {
        case .all:
            let values = AlignedMemory<Float>(uninitialized: count * directionCount)
            try rows.forEachStretch(parallel: parallel, interruption: interruption) { [count] stretch, view in
                try write(Self.floats(view), .range(stretch), values.start + stretch.lowerBound, count)
            }
            return Scores(rowCount: count, directionCount: directionCount, values: values)
        case .indices(let indices):
            let values = AlignedMemory<Float>(uninitialized: indices.count * directionCount)
            let together = max(1, Self.gathered / rows.width)
            let factors = AlignedMemory<Float>(uninitialized: min(together, indices.count) * rows.width)
            for first in stride(from: 0, to: indices.count, by: together) {
                let some = indices[first..<min(first + together, indices.count)]
                try rows.forEach(Array(some), interruption: interruption) { place, view in
                    (factors.start + place * rows.width).update(from: Self.floats(view), count: rows.width)
                }
                try some.withUnsafeBufferPointer {
                    try write(factors.start, .indices($0), values.start + first, indices.count)
                }
            }
            return Scores(rowCount: indices.count, directionCount: directionCount, values: values)
        }
    }

    static func floats(_ view: EncodedRows) -> UnsafePointer<Float> {
        precondition(view.encoding == .float32, "factors are kept in single precision")
        return view.start.assumingMemoryBound(to: Float.self)
    }
}
