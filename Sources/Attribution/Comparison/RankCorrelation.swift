public import LinearAlgebra

/// How alike two rankings of the same examples are: 1 where they are the same, −1 where one is the other backwards.
public enum RankCorrelation {
    /// Spearman's ρ: Pearson's correlation of the ranks, equal scores sharing the mean of theirs. Nil where either side is all equal. O(n).
    /// - Throws: `Interrupted`.
    public static func spearman(_ a: Ranks, _ b: Ranks, interruption: Interruption = .never) throws(Interrupted) -> Double? {
        precondition(a.count == b.count, "the same examples")
        var paced = PacedInterruption(interruption)
        // The mean rank of either, from 0. All terms are multiples of a quarter, and the sums exact up to some 300,000 examples.
        let mean = Double(a.count - 1) / 2
        var (xy, xx, yy) = (0.0, 0.0, 0.0)
        for example in 0..<a.count {
            try paced.check(after: 16)
            let (x, y) = (a.middle(of: example) - mean, b.middle(of: example) - mean)
            xy += x * y
            xx += x * x
            yy += y * y
        }
        return xx > 0 && yy > 0 ? xy / (xx * yy).squareRoot() : nil
    }

    /// Kendall's τ-b: of all pairs of examples those in the same order less those in opposite order, divided by the geometric mean of
    /// what pairs each side tells apart,
    ///
    ///     τ_b = (C − D) / √((n₀ − n₁)(n₀ − n₂)),   n₀ = n(n − 1)/2, n₁ and n₂ pairs that are equal in a and in b.
    ///
    /// Counted by Knight's method (1966): sorted by a, and by b where a is equal, D is the number of exchanges of neighbours that sort by
    /// b, which merging counts. O(n log n), in whole numbers until the division. Nil where either side is all equal.
    /// - Throws: `Interrupted`.
    public static func kendall(_ a: Ranks, _ b: Ranks, interruption: Interruption = .never) throws(Interrupted) -> Double? {
        precondition(a.count == b.count, "the same examples")
        var paced = PacedInterruption(interruption)
        let pairs = Self.pairs(a.count)
        let (apartInA, apartInB) = (pairs - a.equalPairs, pairs - b.equalPairs)
        guard apartInA > 0, apartInB > 0 else { return nil }
        // b's levels in the order of a, and of b where a is equal: b's order, dealt out to a's levels.
        var (places, levels) = (a.starts, b.level)
        for example in b.order {
            try paced.check(after: 16)
            let place = Int(a.level[Int(example)])
            levels[Int(places[place])] = b.level[Int(example)]
            places[place] += 1
        }
        // Pairs that are equal in both are neighbours now.
        var (equalInBoth, run) = (0, 0)
        for level in a.starts.indices.dropLast() {
            for place in Int(a.starts[level])..<Int(a.starts[level + 1]) {
                try paced.check(after: 8)
                run = place > Int(a.starts[level]) && levels[place] == levels[place - 1] ? run + 1 : 0
                equalInBoth += run
            }
        }
        let discordant = try exchanges(sorting: levels, &paced)
        let difference = apartInA - b.equalPairs + equalInBoth - 2 * discordant
        return Double(difference) / (Double(apartInA) * Double(apartInB)).squareRoot()
    }

    /// Pairs of n things.
    static func pairs(_ count: Int) -> Int { count * (count - 1) / 2 }

    /// Exchanges of neighbours that sort some numbers.
    private static func exchanges(sorting numbers: [UInt32], _ paced: inout PacedInterruption) throws(Interrupted) -> Int {
        var (source, merged, exchanges, width) = (numbers, numbers, 0, 1)
        while width < source.count {
            for first in stride(from: 0, to: source.count, by: 2 * width) {
                let (middle, end) = (min(first + width, source.count), min(first + 2 * width, source.count))
                var (left, right) = (first, middle)
                for place in first..<end {
                    try paced.check(after: 32)
                    if right == end || left < middle && source[left] <= source[right] {
                        merged[place] = source[left]
                        left += 1
                    } else {
                        merged[place] = source[right]
                        right += 1
                        // It goes before all that is left of the first half.
                        exchanges += middle - left
                    }
                }
            }
            swap(&source, &merged)
            width *= 2
        }
        return exchanges
    }
}

extension Ranks {
    /// An example's rank from 0, equal scores sharing the mean of theirs.
    @inline(__always)
    fileprivate func middle(of example: Int) -> Double {
        let level = Int(level[example])
        return (Double(starts[level]) + Double(starts[level + 1]) - 1) / 2
    }

    /// Pairs of examples with equal scores.
    fileprivate var equalPairs: Int {
        zip(starts, starts.dropFirst()).reduce(0) { $0 + RankCorrelation.pairs(Int($1.1 - $1.0)) }
    }
}
