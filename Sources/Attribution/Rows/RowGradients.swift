public import LinearAlgebra

/// Gradients that are kept as rows: written out whole, or projected to fewer numbers.
///
/// A scan reads every row once, whatever the number of directions.
public struct RowGradients: TrainingGradients {
    /// The rows.
    public let rows: any GradientRows
    /// What makes a row's counterpart of a direction in θ; nil where rows are gradients in θ themselves.
    public let projection: (any DirectionProjection)?

    /// Gradients kept as rows.
    public init(rows: any GradientRows, projection: (any DirectionProjection)? = nil) {
        precondition(projection?.outputWidth ?? rows.width == rows.width, "directions become as wide as rows")
        self.rows = rows
        self.projection = projection
    }

    /// n.
    public var count: Int { rows.count }
    /// Numbers in a direction: p.
    public var dimension: Int { projection?.inputWidth ?? rows.width }

    /// See `TrainingGradients`. Products are those of the rows as they are kept; projected ones are unbiased estimates.
    /// - Throws: `Interrupted`, and what reading the rows may throw.
    public func scores(
        of selection: RowSelection, along directions: [Float], parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        let directionCount = directions.count / dimension
        precondition(directionCount * dimension == directions.count, "directions are as long as θ")
        let vectors =
            try projection?.project(directions, count: directionCount, parallel: parallel, interruption: interruption)
            ?? directions
        let values: AlignedMemory<Float>
        let rowCount: Int
        switch selection {
        case .all:
            rowCount = count
            values = AlignedMemory(uninitialized: count * directionCount)
            try rows.forEachStretch(parallel: parallel, interruption: interruption) { [values, count] stretch, view in
                try view.score(
                    0..<stretch.count, along: vectors, vectorCount: directionCount, into: values.start + stretch.lowerBound,
                    stride: count, interruption: interruption)
            }
        case .indices(let indices):
            rowCount = indices.count
            values = AlignedMemory(uninitialized: indices.count * directionCount)
            try rows.forEach(indices, interruption: interruption) { place, view in
                try view.score(
                    0..<1, along: vectors, vectorCount: directionCount, into: values.start + place, stride: indices.count,
                    interruption: interruption)
            }
        }
        return Scores(rowCount: rowCount, directionCount: directionCount, values: values)
    }
}

/// Makes of directions in θ what rows of projected gradients are multiplied with.
public protocol DirectionProjection: Sendable {
    /// p.
    var inputWidth: Int { get }
    /// d.
    var outputWidth: Int { get }

    /// Φv for each of `count` directions: [count, d].
    /// - Throws: `Interrupted`.
    func project(_ directions: [Float], count: Int, parallel: Parallel, interruption: Interruption) throws -> [Float]
}
