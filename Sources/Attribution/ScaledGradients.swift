public import LinearAlgebra

/// Training gradients, each times a number of its own: scores along directions are too.
public struct ScaledGradients: ScoredExamples {
    private let base: any ScoredExamples
    private let factors: AlignedMemory<Float>

    /// factorᵢ·gᵢ, a factor for each example.
    public init(_ base: any ScoredExamples, by factors: AlignedMemory<Float>) {
        precondition(factors.count == base.count, "a factor for each example")
        (self.base, self.factors) = (base, factors)
    }

    /// n.
    public var count: Int { base.count }
    /// Numbers in a gradient.
    public var dimension: Int { base.dimension }

    /// See `ScoredExamples`.
    /// - Throws: what the gradients throw.
    public func scores(
        of selection: RowSelection, along directions: [Float], parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        let scores = try base.scores(of: selection, along: directions, parallel: parallel, interruption: interruption)
        let values = scores.values
        try selection.withBatch(of: count) { batch in
            // Only read, by every piece.
            nonisolated(unsafe) let batch = batch
            let rowCount = scores.rowCount
            try parallel.forEach(scores.directionCount, interruption: interruption) { [factors] direction in
                var pace = PacedInterruption(interruption)
                let start = values.start + direction * rowCount
                for place in 0..<rowCount {
                    try pace.check(after: 4)
                    switch batch {
                    case .range(let range): start[place] *= factors.start[range.lowerBound + place]
                    case .indices(let indices): start[place] *= factors.start[Int(indices[place])]
                    }
                }
            }
        }
        return scores
    }
}
