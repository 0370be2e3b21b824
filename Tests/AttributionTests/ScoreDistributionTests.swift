import LinearAlgebra
import TestSupport
import Testing

@testable import Attribution

@Suite("The spread of scores")
struct ScoreDistributionTests {
    /// By sorting, and by the formula in words: the scores lie at even distances from 0 to 1, and between them is a straight line.
    private func quantile(_ p: Double, of scores: [Double]) -> Double {
        let sorted = scores.sorted()
        guard sorted.count > 1 else { return sorted[0] }
        for (place, score) in sorted.enumerated() {
            let position = Double(place) / Double(sorted.count - 1)
            guard position >= p else { continue }
            guard place > 0, position > p else { return score }
            let before = Double(place - 1) / Double(sorted.count - 1)
            return sorted[place - 1] + (p - before) / (position - before) * (score - sorted[place - 1])
        }
        return sorted[sorted.count - 1]
    }

    @Test("quantiles and mean are those of sorting and adding up", arguments: [1, 2, 3, 10, 101, 1_397])
    func spread(count: Int) throws {
        var numbers = SeededNumbers(UInt64(count))
        let scores = (0..<count).map { _ in numbers.normal() }
        let distribution = try #require(try ScoreDistribution(of: scores, largest: 4))
        #expect(distribution.quantiles.map(\.probability) == [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1])
        for quantile in distribution.quantiles {
            #expect(abs(quantile.value - self.quantile(quantile.probability, of: scores)) < 1e-12)
        }
        #expect(distribution.quantiles[0].value == scores.min() && distribution.quantiles[8].value == scores.max())
        #expect(abs(distribution.mean - scores.reduce(0, +) / Double(count)) < 1e-12)
    }

    @Test("quantiles are those that R and NumPy give: of 1, 2, 3, 4 a quarter does not exceed 1.75")
    func type7() throws {
        let distribution = try #require(try ScoreDistribution(of: [4, 1, 3, 2], largest: 1))
        #expect(
            Closeness.largestError(
                distribution.quantiles.map(\.value), [1, 1.03, 1.15, 1.75, 2.5, 3.25, 3.85, 3.97, 4] as [Double]) < 1e-15)
        #expect(distribution.mean == 2.5)
    }

    @Test("the largest come first, of equals the lower index, and there are no more than there are scores")
    func largest() throws {
        let scores = [0.5, -1, 2, 0.5, 0, -0.0, 2, 0.5]
        let order = [2, 6, 0, 3, 7, 4, 5, 1]
        for count in 0...10 {
            #expect(try ScoreDistribution(of: scores, largest: count)?.largest == Array(order.prefix(count)))
        }
        #expect(try ScoreDistribution(of: [3], largest: 5)?.largest == [0])
        // Too near to each other for single precision.
        #expect(try ScoreDistribution(of: [1, 1 + 0x1p-40, 1e-200, 2e-200], largest: 4)?.largest == [1, 0, 3, 2])
    }

    @Test(
        "no scores, and scores that are no finite numbers, have no spread",
        arguments: [[], [.nan], [1, .infinity], [-.infinity, 0]] as [[Double]])
    func nothing(scores: [Double]) throws {
        #expect(try ScoreDistribution(of: scores, largest: 3) == nil)
    }

    @Test("who does not want it any more does not wait for it")
    func interruption() {
        let scores = [Double](repeating: 1, count: 1_000_000)
        #expect(throws: Interrupted.self) { try ScoreDistribution(of: scores, largest: 3, interruption: Interruption { true }) }
    }
}
