internal import HeapModule

/// An example and its score.
public struct ScoredExample: Sendable, Equatable {
    /// Its row in the training dataset.
    public let index: Int
    /// Its score.
    public let score: Float

    /// A pair.
    public init(index: Int, score: Float) {
        self.index = index
        self.score = score
    }
}

/// The two ends of a list of scores.
public struct TopK: Sendable, Equatable {
    /// The most positive scores, largest first.
    public let proponents: [ScoredExample]
    /// The most negative scores, smallest first.
    public let opponents: [ScoredExample]

    /// Scores that are looked at together.
    private static let stretch = 64

    /// The `count` strongest of each sign: ties go to the lower index, zeros are in neither list, and no list is filled up with
    /// scores of the other sign. O(n + k·log k·log n) for scores in random order.
    ///
    /// - Parameter indices: the examples that `scores` belong to; nil where they are 0, 1, 2, …
    public init(of scores: UnsafeBufferPointer<Float>, indices: [UInt32]? = nil, count: Int) {
        var positive = Strongest(count: count)
        var negative = Strongest(count: count)
        for start in stride(from: 0, to: scores.count, by: Self.stretch) {
            let stretch = start..<min(start + Self.stretch, scores.count)
            // Most scores are weaker than those that are kept already, and need no more than this look.
            guard scores.reach(positive.threshold, negative.threshold, in: stretch) else { continue }
            for position in stretch {
                let score = scores[position]
                // Zero and NaN are neither.
                if score > 0 {
                    positive.offer(indices.map { Int($0[position]) } ?? position, strength: score)
                } else if score < 0 {
                    negative.offer(indices.map { Int($0[position]) } ?? position, strength: -score)
                }
            }
        }
        proponents = positive.sorted.map { ScoredExample(index: $0.index, score: $0.strength) }
        opponents = negative.sorted.map { ScoredExample(index: $0.index, score: -$0.strength) }
    }
}

extension UnsafeBufferPointer<Float> {
    /// Whether a score among some is as strong as a positive or a negative one has to be. Without branches, so that the compiler looks at
    /// several at a time.
    fileprivate func reach(_ positive: Float, _ negative: Float, in stretch: Range<Int>) -> Bool {
        guard let start = baseAddress else { return false }
        var found: UInt32 = 0
        for position in stretch {
            let score = start[position]
            found |= (score >= positive ? 1 : 0) | (score <= -negative ? 1 : 0)
        }
        return found != 0
    }
}

/// Keeps the strongest of what it is offered.
struct Strongest {
    struct Entry: Comparable {
        let strength: Float
        let index: Int

        /// Weaker first; of equals, the higher index is the weaker.
        static func < (a: Entry, b: Entry) -> Bool {
            a.strength == b.strength ? a.index > b.index : a.strength < b.strength
        }
    }

    private let count: Int
    private var heap = Heap<Entry>()

    init(count: Int) { self.count = count }

    /// What is kept, in no order.
    var indices: [Int] { heap.unordered.map(\.index) }

    /// What a strength above zero must reach to be kept, if its index is low enough.
    var threshold: Float { heap.count < count ? .leastNonzeroMagnitude : heap.min?.strength ?? .infinity }

    /// Whether it would be kept if it were offered.
    func admits(_ index: Int, strength: Float) -> Bool {
        heap.count < count || heap.min.map { $0 < Entry(strength: strength, index: index) } ?? false
    }

    @inline(__always)
    mutating func offer(_ index: Int, strength: Float) {
        let entry = Entry(strength: strength, index: index)
        if heap.count < count {
            heap.insert(entry)
        } else if let weakest = heap.min, weakest < entry {
            heap.replaceMin(with: entry)
        }
    }

    var sorted: [Entry] { heap.unordered.sorted(by: >) }
}
