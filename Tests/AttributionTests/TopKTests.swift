import Attribution
import TestSupport
import Testing

@Suite("the strongest of each sign")
struct TopKTests {
    private func top(_ scores: [Float], indices: [UInt32]? = nil, _ count: Int) -> TopK {
        scores.withUnsafeBufferPointer { TopK(of: $0, indices: indices, count: count) }
    }

    /// A full sort, by the contract's words.
    private func sorted(_ scores: [Float], indices: [UInt32]? = nil, _ count: Int) -> (
        proponents: [ScoredExample], opponents: [ScoredExample]
    ) {
        let all = scores.indices.map { i in ScoredExample(index: indices.map { Int($0[i]) } ?? i, score: scores[i]) }
        let positive = all.filter { $0.score > 0 }.sorted { ($1.score, $0.index) < ($0.score, $1.index) }
        let negative = all.filter { $0.score < 0 }.sorted { ($0.score, $0.index) < ($1.score, $1.index) }
        return (Array(positive.prefix(count)), Array(negative.prefix(count)))
    }

    static let lists: [[Float]] = {
        var numbers = SeededNumbers(1)
        return [
            [], [0], [1], [-1], [.nan], [0, -0.0, 0],
            numbers.floats(500),
            numbers.integers(300, below: 7).map { Float($0 - 3) },  // many ties, and zeros among them
            numbers.floats(100).map { abs($0) }, numbers.floats(100).map { -abs($0) },
            numbers.floats(60).enumerated().map { $0.offset % 4 == 0 ? .nan : $0.element },
            numbers.floats(700).enumerated().map { $0.offset % 3 == 0 ? .nan : $0.offset == 650 ? -.infinity : $0.element },
            [Float](repeating: 2, count: 40), [Float](repeating: -2, count: 40),
            (0..<200).map { Float($0 - 100) }, (0..<200).map { Float(100 - $0) },
            [.infinity, 1, -.infinity, .greatestFiniteMagnitude, -1, .leastNonzeroMagnitude, -.leastNonzeroMagnitude],
        ]
    }()

    @Test(
        "are the ends of a full sort: ties by lower index, no zeros, no NaN, never the other sign", arguments: lists,
        [0, 1, 2, 5, 50, 1000])
    func sort(scores: [Float], count: Int) {
        let top = top(scores, count)
        let expected = sorted(scores, count)
        #expect(top.proponents == expected.proponents)
        #expect(top.opponents == expected.opponents)
    }

    @Test("name the examples the scores belong to, and break ties by these", arguments: [1, 3, 10, 100])
    func indices(count: Int) {
        var numbers = SeededNumbers(2)
        let scores = numbers.integers(80, below: 9).map { Float($0 - 4) }
        let indices = Array(0..<80 as Range<UInt32>).map { 3 * $0 }.shuffled(using: &numbers)
        let top = top(scores, indices: indices, count)
        let expected = sorted(scores, indices: indices, count)
        #expect(top.proponents == expected.proponents)
        #expect(top.opponents == expected.opponents)
    }

    @Test("five are the first five of fifty")
    func prefix() {
        var numbers = SeededNumbers(3)
        let scores = numbers.integers(2000, below: 101).map { Float($0 - 50) }
        let (five, fifty) = (top(scores, 5), top(scores, 50))
        #expect(five.proponents == Array(fifty.proponents.prefix(5)))
        #expect(five.opponents == Array(fifty.opponents.prefix(5)))
    }
}
