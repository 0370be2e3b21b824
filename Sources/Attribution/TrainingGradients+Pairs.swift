public import LinearAlgebra
public import Networks

extension ScoredExamples {
    /// The scores along the gradients written out: of gradients that know no factors.
    public func scores(
        of selection: RowSelection, like gradients: ExampleGradients, parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        try scores(of: selection, along: gradients.vectors, parallel: parallel, interruption: interruption)
    }

    /// Scores along each of several gradients, some of which are known as factors and others, sums of gradients say, as vectors alone:
    /// all of a kind read the examples once, and each has the bits that it has alone.
    /// - Throws: as `scores(of:like:parallel:interruption:)`.
    public func scores(
        of selection: RowSelection, likeEach gradients: [ExampleGradients], parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        // Usually all are of a kind.
        if !gradients.isEmpty, Set(gradients.map { $0.factors != nil }).count == 1 {
            return try scores(
                of: selection, like: ExampleGradients(joining: gradients), parallel: parallel, interruption: interruption)
        }
        let rowCount = selection.withBatch(of: count) { $0.count }
        let starts = gradients.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
        let values = AlignedMemory<Float>(uninitialized: rowCount * starts[gradients.count])
        for areFactored in [true, false] {
            let some = gradients.indices.filter { (gradients[$0].factors != nil) == areFactored }
            guard !some.isEmpty else { continue }
            let scores = try scores(
                of: selection, like: ExampleGradients(joining: some.map { gradients[$0] }), parallel: parallel,
                interruption: interruption)
            var source = scores.values.start
            for index in some {
                let length = gradients[index].count * rowCount
                (values.start + starts[index] * rowCount).update(from: source, count: length)
                source += length
            }
        }
        return Scores(rowCount: rowCount, directionCount: starts[gradients.count], values: values)
    }

    /// Scores along some gradients that nothing interrupts, of all examples unless said.
    public func scores(
        of selection: RowSelection = .all, like gradients: ExampleGradients, parallel: Parallel
    ) throws -> Scores {
        try scores(of: selection, like: gradients, parallel: parallel, interruption: .never)
    }
}

extension NetworkGradients {
    /// See `TrainingGradients`. From factors in memory D + C products for a linear layer's part of a pair; without them each example goes
    /// forward and back once (see `GradientPairs`).
    /// - Throws: `Interrupted`.
    public func scores(
        of selection: RowSelection, like gradients: ExampleGradients, parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        guard let pairs = GradientPairs(model, with: gradients) else {
            return try scores(of: selection, along: gradients.vectors, parallel: parallel, interruption: interruption)
        }
        return try selection.withBatch(of: count) { batch in
            let values = try pairs.scores(
                of: batch, in: examples, factors: factors.map { UnsafePointer($0.start) }, parallel: parallel,
                interruption: interruption)
            return Scores(rowCount: batch.count, directionCount: gradients.count, values: values)
        }
    }
}

extension FactorRowGradients {
    /// See `TrainingGradients`. What `NetworkGradients` makes of factors in memory, to the last bit.
    /// - Throws: `Interrupted`, and what reading the rows may throw.
    public func scores(
        of selection: RowSelection, like gradients: ExampleGradients, parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        guard let pairs = GradientPairs(model, with: gradients) else {
            return try scores(of: selection, along: gradients.vectors, parallel: parallel, interruption: interruption)
        }
        return try scores(of: selection, directionCount: gradients.count, parallel, interruption) { [examples] in
            try pairs.writeScores(
                ofFactors: $0, of: $1, in: examples, into: $2, stride: $3, interruption: interruption)
        }
    }
}
