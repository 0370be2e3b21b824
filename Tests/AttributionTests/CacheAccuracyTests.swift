import LinearAlgebra
import TestSupport
import Testing

@testable import Attribution

@Suite("How near approximate scores come")
struct CacheAccuracyTests {
    @Test("equal scores have no error and rank alike")
    func equal() throws {
        let accuracy = try #require(try ScoreAccuracy(approximate: [[1, 2, 3], [5, -1, 0]], exact: [[1, 2, 3], [5, -1, 0]]))
        #expect(try accuracy == ScoreAccuracy(approximate: [[3, 1, 2]], exact: [[3, 1, 2]]))
        #expect(accuracy.relativeError == 0 && accuracy.rankCorrelation == 1)
    }

    @Test("the error is relative to all scores together, and the correlation a mean over directions")
    func values() throws {
        let accuracy = try #require(
            try ScoreAccuracy(approximate: [[1, 2, 3, 5], [4, 3, 2, 1]], exact: [[1, 2, 3, 4], [1, 2, 3, 4]]))
        // (1 + 9 + 1 + 1 + 9) / 60; ranks the same in the first, and the other way round in the second.
        #expect(abs(accuracy.relativeError - (21.0 / 60).squareRoot()) < 1e-12)
        #expect(abs(accuracy.rankCorrelation) < 1e-12)
    }

    @Test("nothing is said where there is nothing to compare")
    func nothing() throws {
        #expect(try ScoreAccuracy(approximate: [[0, 0]], exact: [[0, 0]]) == nil)
        #expect(try ScoreAccuracy(approximate: [[1, 1]], exact: [[1, 2]]) == nil)
        #expect(try ScoreAccuracy(approximate: [[]], exact: [[]]) == nil)
        #expect(try ScoreAccuracy(approximate: [[.infinity, 1]], exact: [[1, 2]]) == nil)
    }

    @Test("a sample is spread evenly, and never larger than what there is", arguments: [1, 2, 15, 16, 17, 511, 5_000])
    func sample(count: Int) {
        let sample = AccuracySample(of: count)
        #expect(sample.directions.count == min(16, count) && sample.rows.count == min(512, count))
        for rows in [sample.directions, sample.rows] {
            #expect(Set(rows).count == rows.count && rows == rows.sorted())
            #expect(rows.allSatisfy { (0..<count).contains($0) })
            let gaps = zip(rows.dropFirst(), rows).map { $0 - $1 }
            #expect((gaps.max() ?? 0) - (gaps.min() ?? 0) <= 1)
        }
    }
}
