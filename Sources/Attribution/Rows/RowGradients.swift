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
        guard case .indices(let indices) = selection else {
            return try scan(along: directions, keepers: [], parallel: parallel, interruption: interruption)
        }
        let (vectors, directionCount) = try vectors(directions, parallel, interruption)
        let values = AlignedMemory<Float>(uninitialized: indices.count * directionCount)
        try rows.forEach(indices, interruption: interruption) { place, view in
            try view.score(
                0..<1, along: vectors, vectorCount: directionCount, into: values.start + place, stride: indices.count,
                interruption: interruption)
        }
        return Scores(rowCount: indices.count, directionCount: directionCount, values: values)
    }

    /// See `TrainingGradients`. Rows that are not in memory are read once: to find those at the ends again is to read a whole block for each.
    public func scan(
        along directions: [Float], ends: [WantedEnds], imaging curvature: (any CurvatureOperator)?, parallel: Parallel,
        interruption: Interruption
    ) throws -> Scan {
        let keepers = try (rows.isResident ? [] : ends).map { wanted in
            let (vectors, count) = try vectors(wanted.directions, parallel, interruption)
            return EndKeeper(count: wanted.count, vectors: vectors, vectorCount: count)
        }
        let scores = try scan(along: directions, keepers: keepers, parallel: parallel, interruption: interruption)
        let images = try curvature?.images(of: directions, parallel: parallel, interruption: interruption)
        return Scan(scores: scores, ends: rows.isResident ? nil : keepers.map(\.ends), images: images)
    }

    private func scan(
        along directions: [Float], keepers: [EndKeeper], parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        let (vectors, directionCount) = try vectors(directions, parallel, interruption)
        let values = AlignedMemory<Float>(uninitialized: count * directionCount)
        try rows.forEachStretch(parallel: parallel, interruption: interruption) { [values, count] stretch, view in
            let start = values.start + stretch.lowerBound
            try view.score(
                0..<stretch.count, along: vectors, vectorCount: directionCount, into: start, stride: count,
                interruption: interruption)
            for (direction, keeper) in keepers.enumerated() {
                try keeper.look(
                    at: UnsafeBufferPointer(start: start + direction * count, count: stretch.count), of: view,
                    from: stretch.lowerBound, interruption: interruption)
            }
        }
        return Scores(rowCount: count, directionCount: directionCount, values: values)
    }

    /// What rows are multiplied with, and how many there are.
    private func vectors(
        _ directions: [Float], _ parallel: Parallel, _ interruption: Interruption
    ) throws -> ([Float], count: Int) {
        let count = directions.count / dimension
        precondition(count * dimension == directions.count, "directions are as long as θ")
        guard let projection, count > 0 else { return (directions, count) }
        return (try projection.project(directions, count: count, parallel: parallel, interruption: interruption), count)
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
