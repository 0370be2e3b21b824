/// Which known word an unknown one was most likely meant to be.
enum SpellingSuggestion {
    /// No suggestion for words longer than this: the comparison takes time in proportion to both lengths.
    private static let longestWord = 64

    /// The first of the `words` nearest to `word` by edits, if so few that it looks like a slip: one edit for each three
    /// letters, at least one.
    static func closest(to word: String, among words: [String]) -> String? {
        let letters = Array(word.lowercased().utf8)
        guard letters.count <= longestWord else { return nil }
        var best: (word: String, distance: Int)?
        for candidate in words where candidate.utf8.count <= longestWord {
            let distance = editDistance(letters, Array(candidate.lowercased().utf8))
            let limit = max(1, min(letters.count, candidate.utf8.count) / 3)
            if distance <= limit, best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
        }
        return best?.word
    }

    /// The least number of insertions, deletions, replacements and swaps of neighbours (each place edited once at most) that
    /// make `b` of `a`.
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var beforePrevious: [Int] = []
        var previous = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                let replacement = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                var distance = min(replacement, previous[j] + 1, row[j - 1] + 1)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    distance = min(distance, beforePrevious[j - 2] + 1)
                }
                row.append(distance)
            }
            (beforePrevious, previous) = (previous, row)
        }
        return previous[b.count]
    }
}
