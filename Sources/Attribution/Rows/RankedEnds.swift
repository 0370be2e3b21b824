internal import LinearAlgebra
internal import Synchronization

/// What a scan is to find out beside scores along a direction: how the strongest examples of each sign score along further directions.
public struct WantedEnds: Sendable {
    /// How many of each sign.
    public let count: Int
    /// The further directions, one after the other, each as long as θ; none may be wanted.
    public let directions: [Float]

    /// Ends of `count` examples each.
    public init(count: Int, directions: [Float]) {
        self.count = count
        self.directions = directions
    }
}

/// Scores along further directions of those examples, and perhaps of some others.
public struct RankedEnds: Sendable {
    /// The scores along each direction, by example.
    let scores: [Int: [Float]]

    /// The scores of some examples: [directions][examples]; nil unless all are known.
    func scores(of examples: [ScoredExample], directionCount: Int) -> [[Double]]? {
        let found = examples.compactMap { scores[$0.index] }
        guard found.count == examples.count else { return nil }
        return (0..<directionCount).map { direction in found.map { Double($0[direction]) } }
    }
}

/// Scores the examples that are at an end so far, while their rows are at hand. Which ones stay does not depend on the order in which
/// rows go past.
final class EndKeeper: Sendable {
    private struct Kept {
        var proponents: Strongest
        var opponents: Strongest
        var scores: [Int: [Float]] = [:]

        /// Whether an example is at an end, as far as is known.
        func admits(_ index: Int, _ score: Float) -> Bool {
            score > 0 ? proponents.admits(index, strength: score) : opponents.admits(index, strength: -score)
        }
    }

    private let count: Int
    private let vectors: [Float]
    private let vectorCount: Int
    private let kept: Mutex<Kept>

    /// A keeper of ends of `count` examples each. `vectors` are as long as rows.
    init(count: Int, vectors: [Float], vectorCount: Int) {
        self.count = count
        self.vectors = vectors
        self.vectorCount = vectorCount
        kept = Mutex(Kept(proponents: Strongest(count: count), opponents: Strongest(count: count)))
    }

    /// All that was kept.
    var ends: RankedEnds { RankedEnds(scores: kept.withLock { $0.scores }) }

    /// Takes notice of a stretch of rows and their scores.
    /// - Throws: `Interrupted`.
    func look(
        at scores: UnsafeBufferPointer<Float>, of rows: EncodedRows, from first: Int, interruption: Interruption
    ) throws(Interrupted) {
        guard vectorCount > 0 else { return }
        let ends = TopK(of: scores, count: count)
        let admitted = kept.withLock { kept in
            (ends.proponents + ends.opponents).filter { kept.admits(first + $0.index, $0.score) }
        }
        var further = [[Float]](repeating: [Float](repeating: 0, count: vectorCount), count: admitted.count)
        for (place, example) in admitted.enumerated() {
            try rows.score(
                example.index..<example.index + 1, along: vectors, vectorCount: vectorCount, into: &further[place], stride: 1,
                interruption: interruption)
        }
        kept.withLock { kept in
            for (example, scores) in zip(admitted, further) where kept.admits(first + example.index, example.score) {
                if example.score > 0 {
                    kept.proponents.offer(first + example.index, strength: example.score)
                } else {
                    kept.opponents.offer(first + example.index, strength: -example.score)
                }
                kept.scores[first + example.index] = scores
            }
            guard kept.scores.count > 4 * count else { return }
            let still = Set(kept.proponents.indices + kept.opponents.indices)
            kept.scores = kept.scores.filter { still.contains($0.key) }
        }
    }
}
