internal import Foundation
public import LinearAlgebra

/// One example of a ranking.
public struct RankedExample: Sendable, Equatable {
    /// Its row in the training dataset.
    public let index: Int
    /// Positive for a proponent.
    public let score: Float
    /// Of the score, over the solver's repeats; nil for deterministic solvers and for a single repeat.
    public let standardError: Float?
}

/// The proponents and opponents of one test, strongest first.
public struct Ranking: Sendable, Equatable {
    /// The k most positive scores.
    public let proponents: [RankedExample]
    /// The k most negative scores.
    public let opponents: [RankedExample]
    /// Whether the k-th and the (k+1)-th score differ by more than two standard errors at both ends; nil where a single repeat
    /// leaves the error unknown.
    public let isStable: Bool?
}

/// A named set of training examples, scored as a whole.
public struct GroupScore: Sendable, Equatable {
    /// The sum of the members' scores: removing all of them, to first order (Koh et al. 2019, section 2).
    public let score: Float
    /// Of the sum, over the solver's repeats.
    public let standardError: Float?
}

extension ScoreFormula {
    /// Ranks the scored examples.
    ///
    /// - Parameters:
    ///   - scores: of the selected examples, by this formula.
    ///   - selection: which examples `scores` are of.
    ///   - ends: what a scan found of the `k + 1` strongest of each sign along each of the repeats; nil to score those again.
    ///   - k: how many at each end.
    /// - Throws: `Interrupted`, and what reading gradients may throw.
    public func ranking(
        of scores: [Float], selection: RowSelection, ends known: RankedEnds? = nil, k: Int, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Ranking {
        precondition(k > 0 && k < Int.max, "a ranking has a length")
        let indices: [UInt32]? = if case .indices(let indices) = selection { indices } else { nil }
        // One more than is asked for: whether the ranking is settled is decided between the k-th and the next.
        let ends = scores.withUnsafeBufferPointer { TopK(of: $0, indices: indices, count: k + 1) }
        let proponents = try errors(of: ends.proponents, known, parallel, interruption)
        let opponents = try errors(of: ends.opponents, known, parallel, interruption)
        let isStable: Bool? =
            if let p = proponents.isSettled(at: k), let o = opponents.isSettled(at: k) { p && o } else { nil }
        return Ranking(
            proponents: proponents.examples(k), opponents: opponents.examples(k), isStable: isStable)
    }

    /// Scores a set of examples as a whole. An example named twice counts twice.
    /// - Throws: `Interrupted`, and what reading gradients may throw.
    public func groupScore(
        of members: [UInt32], parallel: Parallel, interruption: Interruption = .never
    ) throws -> GroupScore {
        func sum(_ scores: [Float]) -> Double { scores.reduce(0.0) { $0 + Double($1) } }
        let selection = RowSelection.indices(members)
        let score = try sum(scores(of: selection, parallel: parallel, interruption: interruption))
        let repeats = try repeatScores(of: selection, parallel: parallel, interruption: interruption).map(sum)
        return GroupScore(score: Float(score), standardError: standardError(of: repeats).map { Float($0) })
    }

    private func errors(
        of ends: [ScoredExample], _ known: RankedEnds?, _ parallel: Parallel, _ interruption: Interruption
    ) throws -> ScoredEnd {
        if let scores = known?.scores(of: ends, directionCount: repeats.count) {
            return ScoredEnd(scored: ends, repeatScores: scores)
        }
        guard !repeats.isEmpty, !ends.isEmpty else { return ScoredEnd(scored: ends, repeatScores: []) }
        let scores = try repeatScores(
            of: .indices(ends.map { UInt32($0.index) }), parallel: parallel, interruption: interruption)
        return ScoredEnd(scored: ends, repeatScores: scores.map { $0.map(Double.init) })
    }
}

/// One end of a ranking with what each repeat says of it.
private struct ScoredEnd {
    let scored: [ScoredExample]
    /// What single precision and directions of 16 bits may move a score by, relative to it.
    private static let rounding = 1e-4
    /// [repeats][examples]; empty for a deterministic solver.
    let repeatScores: [[Double]]

    func examples(_ k: Int) -> [RankedExample] {
        scored.prefix(k).enumerated().map { position, example in
            RankedExample(
                index: example.index, score: example.score,
                standardError: standardError(of: repeatScores.map { $0[position] }).map { Float($0) })
        }
    }

    /// Whether the cut after the k-th would fall there again; nil where that can't be known.
    func isSettled(at k: Int) -> Bool? {
        guard scored.count > k else { return true }
        let gap = abs(Double(scored[k - 1].score) - Double(scored[k].score))
        // Without repeats what is uncertain is rounding alone.
        if repeatScores.isEmpty { return gap > Self.rounding * abs(Double(scored[k - 1].score)) }
        // Of the difference itself: the repeats move both scores together.
        return standardError(of: repeatScores.map { $0[k - 1] - $0[k] }).map { gap > 2 * $0 }
    }
}

/// The standard error of the mean of independent values; nil for fewer than two.
private func standardError(of values: [Double]) -> Double? {
    guard values.count > 1 else { return nil }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1) / count).squareRoot()
}
