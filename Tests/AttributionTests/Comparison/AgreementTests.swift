import LinearAlgebra
import TestSupport
import Testing

@testable import Attribution

@Suite("agreement of methods")
struct AgreementTests {
    @Test("the overlap of two ends is what they share, of the longer and of both together")
    func overlap() throws {
        let overlap = try #require(Overlap([4, 9, 1, 7], [7, 2, 4, 8]))
        #expect(overlap.shared == 2 && overlap.fraction == 0.5 && overlap.jaccard == 2.0 / 6)
        // One end is shorter as nothing more has its sign.
        let shorter = try #require(Overlap([3], [3, 5, 6, 2]))
        #expect(shorter.shared == 1 && shorter.fraction == 0.25 && shorter.jaccard == 0.25)
        let equal = try #require(Overlap([5, 1], [1, 5]))
        #expect(equal.fraction == 1 && equal.jaccard == 1)
        let none = try #require(Overlap([], [1, 5]))
        #expect(none.shared == 0 && none.fraction == 0 && none.jaccard == 0)
        #expect(Overlap([], []) == nil)
    }

    @Test("each pair of methods is compared, in order and with the same result on any number of threads", arguments: [1, 2, 5])
    func pairs(threads: Int) throws {
        var numbers = SeededNumbers(4)
        let scores = (0..<4).map { _ in numbers.floats(300) }
        let agreements = try Agreement.ofPairs(of: scores, k: 20, parallel: Parallel(threads: threads))
        let pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
        #expect(agreements.count == pairs.count)
        func strongest(_ scores: [Float], _ sign: Float) -> Set<Int> {
            Set(scores.indices.sorted { sign * scores[$0] > sign * scores[$1] }.prefix(20))
        }
        for ((a, b), agreement) in zip(pairs, agreements) {
            let (x, y) = (scores[a], scores[b])
            #expect(agreement.kendall == PlainCorrelation.kendall(x.map(Double.init), y.map(Double.init)))
            let spearman = try #require(PlainCorrelation.spearman(x.map(Double.init), y.map(Double.init)))
            #expect(try abs(#require(agreement.spearman) - spearman) < 1e-14)
            let proponents = strongest(x, 1).intersection(strongest(y, 1)).count
            let opponents = strongest(x, -1).intersection(strongest(y, -1)).count
            #expect(agreement.proponents?.shared == proponents && agreement.proponents?.fraction == Double(proponents) / 20)
            #expect(
                agreement.opponents?.shared == opponents
                    && agreement.opponents?.jaccard == Double(opponents) / Double(40 - opponents))
        }
        #expect(try Agreement.ofPairs(of: [scores[0]], k: 20, parallel: Parallel(threads: threads)).isEmpty)
    }

    @Test("what is not defined is left out: correlations of scores that are all equal or no numbers, ends that are empty")
    func undefined() throws {
        let parallel = Parallel(threads: 1)
        let equal = try Agreement.ofPairs(of: [[1, 2, 3], [0, 0, 0]], k: 2, parallel: parallel)[0]
        #expect(equal.kendall == nil && equal.spearman == nil && equal.opponents == nil && equal.proponents?.shared == 0)
        let bad = try Agreement.ofPairs(of: [[1, .nan, 3], [1, 2, 3]], k: 2, parallel: parallel)[0]
        #expect(bad.kendall == nil && bad.spearman == nil && bad.proponents?.shared == 1)
        let raised = Interruption { true }
        #expect(throws: Interrupted.self) {
            try Agreement.ofPairs(of: [[1, 2], [2, 1]], k: 1, parallel: parallel, interruption: raised)
        }
    }
}
