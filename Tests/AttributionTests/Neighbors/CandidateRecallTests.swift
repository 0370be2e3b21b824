import Attribution
import TestSupport
import Testing

@Suite("the recall of nearest neighbours")
struct CandidateRecallTests {
    /// FastIF's formula, with sets.
    private func recall(_ influential: [Int], _ neighbors: [UInt32], _ m: Int) -> Double? {
        guard !influential.isEmpty else { return nil }
        let retrieved = Set(neighbors.prefix(m).map { Int($0) })
        return Double(retrieved.intersection(influential).count) / Double(influential.count)
    }

    private func expect(_ share: CandidateRecall.Share, _ shares: [Double?]) {
        let known = shares.compactMap { $0 }
        let mean = known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
        let variance =
            known.count < 2 ? 0 : known.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(known.count - 1)
        #expect(share.testCount == known.count)
        #expect(abs(share.mean - mean) < 1e-14 && abs(share.standardDeviation - variance.squareRoot()) < 1e-14)
    }

    @Test("is the share of the most influential examples that are near, of either sign and of both, for each m and k")
    func formula() {
        var numbers = SeededNumbers(1)
        let count = 200
        // Ties and zeros, no opponents, no proponents, and nothing at all.
        let scores: [[Float]] = [
            numbers.floats(count), numbers.integers(count, below: 5).map { Float($0 - 2) },
            numbers.floats(count).map { abs($0) }, numbers.floats(count).map { -abs($0) }, [Float](repeating: 0, count: count),
            (0..<count).map { $0 == 7 ? .nan : $0 == 9 ? 1 : 0 },
        ]
        let neighbors = scores.map { _ in (0..<UInt32(count)).shuffled(using: &numbers) }
        let (ms, ks) = ([1, 10, 50, 200, 1000], [1, 5, 40, 500])
        var sample = RecallSample(neighborCounts: ms, ks: ks, trainingCount: count)
        #expect(sample.neighborCount == count)
        for (scores, neighbors) in zip(scores, neighbors) { sample.add(scores: scores, neighbors: neighbors) }
        func top(_ scores: [Float], _ k: Int, by strength: (Float) -> Float) -> [Int] {
            let sorted = scores.indices.filter { strength(scores[$0]) > 0 }.sorted {
                (-strength(scores[$0]), $0) < (-strength(scores[$1]), $1)
            }
            return Array(sorted.prefix(k))
        }
        let recalls = sample.recalls
        #expect(recalls.map(\.neighborCount) == ms.flatMap { m in ks.map { _ in m } })
        #expect(recalls.map(\.k) == ms.flatMap { _ in ks })
        for recall in recalls {
            func shares(_ strength: (Float) -> Float) -> [Double?] {
                zip(scores, neighbors).map {
                    self.recall(top($0, recall.k, by: strength), $1, recall.neighborCount)
                }
            }
            expect(recall.proponents, shares { $0 })
            expect(recall.opponents, shares { -$0 })
            expect(recall.both, shares { abs($0) })
            #expect(recall.trainingCount == count)
            #expect(recall.byChance == Double(min(recall.neighborCount, count)) / Double(count))
        }
        #expect(recalls[0].both.testCount == 5 && recalls[0].opponents.testCount == 3)
    }

    @Test("is 1 where all are candidates, and 0 where the influential ones are the farthest")
    func ends() {
        var sample = RecallSample(neighborCounts: [2, 4], ks: [1, 2], trainingCount: 4)
        #expect(sample.neighborCount == 4)
        sample.add(scores: [5, 4, -1, -2], neighbors: [2, 3, 1, 0])
        let recalls = sample.recalls
        #expect(recalls.map(\.proponents.mean) == [0, 0, 1, 1])
        #expect(recalls.map(\.opponents.mean) == [1, 1, 1, 1])
        #expect(recalls.map(\.both.mean) == [0, 0, 1, 1])
        #expect(recalls.allSatisfy { $0.both.standardDeviation == 0 && $0.both.testCount == 1 })
    }

    @Test("of no tests says that there were none")
    func empty() {
        let recalls = RecallSample(neighborCounts: [3], ks: [2], trainingCount: 10).recalls
        let none = CandidateRecall.Share(testCount: 0, mean: 0, standardDeviation: 0)
        #expect(
            recalls == [
                CandidateRecall(neighborCount: 3, k: 2, trainingCount: 10, proponents: none, opponents: none, both: none)
            ])
    }
}
