public import LinearAlgebra

/// How much of one end of two rankings is the same.
public struct Overlap: Sendable, Equatable {
    /// |A ∩ B|.
    public let shared: Int
    /// |A ∩ B| / k, k being the longer end's length: what was asked for, or fewer where no more scores have the end's sign.
    public let fraction: Double
    /// |A ∩ B| / |A ∪ B|.
    public let jaccard: Double

    /// Compares two ends, each with its examples once and in any order; nil where both are empty.
    public init?(_ a: [Int], _ b: [Int]) {
        guard !a.isEmpty || !b.isEmpty else { return nil }
        let shared = Set(a).intersection(b).count
        self.shared = shared
        fraction = Double(shared) / Double(max(a.count, b.count))
        jaccard = Double(shared) / Double(a.count + b.count - shared)
    }
}

/// How far two methods agree about one query.
public struct Agreement: Sendable, Equatable {
    /// Kendall's τ-b and Spearman's ρ of all scores; nil where one method tells none of the examples apart, or a score is no number.
    public let kendall, spearman: Double?
    /// Of the k strongest proponents and opponents; nil where neither method has any.
    public let proponents, opponents: Overlap?

    /// Compares each of some methods with each of those after it: (0, 1), (0, 2), …, (1, 2), ….
    /// - Parameters:
    ///   - scores: of the same examples by each method.
    ///   - k: how long the ends are that are compared.
    /// - Throws: `Interrupted`.
    public static func ofPairs(
        of scores: [[Float]], k: Int, parallel: Parallel, interruption: Interruption = .never
    ) throws -> [Agreement] {
        let ranked = try parallel.map(scores.count, interruption: interruption) { method in
            try Ranked(scores[method], k, interruption)
        }
        let pairs = ranked.indices.flatMap { a in (a + 1..<ranked.count).map { (a, $0) } }
        return try parallel.map(pairs.count, interruption: interruption) { pair in
            try Agreement(ranked[pairs[pair].0], ranked[pairs[pair].1], interruption)
        }
    }

    private init(_ a: Ranked, _ b: Ranked, _ interruption: Interruption) throws(Interrupted) {
        if let a = a.ranks, let b = b.ranks {
            kendall = try RankCorrelation.kendall(a, b, interruption: interruption)
            spearman = try RankCorrelation.spearman(a, b, interruption: interruption)
        } else {
            (kendall, spearman) = (nil, nil)
        }
        proponents = Overlap(a.ends.proponents.map(\.index), b.ends.proponents.map(\.index))
        opponents = Overlap(a.ends.opponents.map(\.index), b.ends.opponents.map(\.index))
    }

    private struct Ranked: Sendable {
        let ranks: Ranks?
        let ends: TopK

        init(_ scores: [Float], _ k: Int, _ interruption: Interruption) throws(Interrupted) {
            ranks = try Ranks(scores, interruption: interruption)
            ends = scores.withUnsafeBufferPointer { TopK(of: $0, count: k) }
        }
    }
}
