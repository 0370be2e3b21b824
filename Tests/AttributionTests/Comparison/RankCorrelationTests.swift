import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@testable import Attribution

@Suite("rank correlations")
struct RankCorrelationTests {
    private func both(_ a: [Float], _ b: [Float]) throws -> (spearman: Double?, kendall: Double?) {
        let (a, b) = (try #require(try Ranks(a)), try #require(try Ranks(b)))
        return (try RankCorrelation.spearman(a, b), try RankCorrelation.kendall(a, b))
    }

    @Test("both are what their definitions say, with any ties", arguments: [2, 3, 7, 31, 120], [2, 5, 40, 1 << 20])
    func definitions(count: Int, different: Int) throws {
        var numbers = SeededNumbers(UInt64(count * different))
        for _ in 0..<5 {
            // Alike by half, of both signs and all sizes.
            let a = numbers.integers(count, below: different).map { Float($0 - different / 2) }
            let b = zip(a, numbers.integers(count, below: different)).map { $0 + Float($1 - different / 3) }.map { $0 * $0 * $0 }
            let (spearman, kendall) = try both(a, b)
            let expected = (
                PlainCorrelation.spearman(a.map(Double.init), b.map(Double.init)),
                PlainCorrelation.kendall(a.map(Double.init), b.map(Double.init))
            )
            #expect(kendall == expected.1)
            #expect((spearman == nil) == (expected.0 == nil))
            if let spearman, let plain = expected.0 { #expect(abs(spearman - plain) < 1e-14) }
        }
    }

    @Test("small cases by hand")
    func byHand() throws {
        // Ranks (0, 1.5, 1.5, 3) and (0, 1, 2, 3): 4.5 / √(4.5 · 5); five pairs agree, one is equal: 5 / √(5 · 6).
        let (spearman, kendall) = try both([1, 2, 2, 7], [1, 3, 4, 9])
        #expect(spearman == 4.5 / (4.5 * 5.0).squareRoot() && kendall == 5 / 30.0.squareRoot())
        #expect(try both([-1, 0, 5], [9, 3, -8]) == (-1, -1))
        #expect(try both([1, 2, 3], [1, 3, 2]) == (0.5, 1.0 / 3))
        #expect(try both([-.infinity, -1, 1, .infinity], [0, 1, 2, 3]) == (1, 1))
    }

    @Test("nothing is said of scores that are all equal, of one, of none; and a score that is no number has no rank")
    func undefined() throws {
        for (a, b) in [([2, 2, 2], [1, 2, 3]), ([1, 2], [3, 3]), ([], []), ([1], [1]), ([0, -0.0], [1, 2])]
            as [([Float], [Float])]
        {
            let (spearman, kendall) = try both(a, b)
            #expect(spearman == nil && kendall == nil)
        }
        #expect(try Ranks([1, .nan, 2] as [Float]) == nil)
    }

    @Test(
        "the same rankings correlate by exactly 1, opposite ones by −1, and neither side nor the examples' order matters to any bit"
    )
    func invariances() throws {
        var numbers = SeededNumbers(1)
        let count = 20_000
        // With ties, and both signs.
        let a = numbers.floats(count).map { ($0 * 500).rounded() }
        let b = zip(a, numbers.floats(count)).map { $0 + ($1 * 700).rounded() }
        #expect(try both(a, a) == (1, 1))
        #expect(try both(a, a.map { -$0 }) == (-1, -1))
        let found = try both(a, b)
        #expect(try both(b, a) == found)
        let order = (0..<count).shuffled(using: &numbers)
        #expect(try both(order.map { a[$0] }, order.map { b[$0] }) == found)
        // A rising function changes no rank.
        #expect(try both(a.map { $0 * $0 * $0 }, b.map { $0 / 3 }) == found)
        // Normal numbers with ρ = 1/√(1 + 1.4²): τ = 2/π·asin ρ = 0.395 (Kendall & Gibbons), ρ_s = 6/π·asin(ρ/2) = 0.565.
        let (spearman, kendall) = (try #require(found.spearman), try #require(found.kendall))
        #expect(abs(kendall - 0.395) < 0.02 && abs(spearman - 0.565) < 0.02)
    }

    @Test("scores in double precision are ranked by all their digits")
    func doubles() throws {
        let scores = [1 + 0x1p-52, 1, 1 - 0x1p-53, -1e-300, -1e300]
        let ranks = try #require(try Ranks(scores))
        #expect(ranks.order == [4, 3, 2, 1, 0] && ranks.count == 5)
    }

    @Test("each step can be interrupted, soon after it is asked to be")
    func interruption() throws {
        var numbers = SeededNumbers(2)
        let (first, second) = (numbers.floats(300_000), numbers.floats(300_000))
        let (a, b) = (try #require(try Ranks(first)), try #require(try Ranks(second)))
        let raised = Interruption { true }
        #expect(throws: Interrupted.self) { try Ranks(first, interruption: raised) }
        #expect(throws: Interrupted.self) { try RankCorrelation.spearman(a, b, interruption: raised) }
        #expect(throws: Interrupted.self) { try RankCorrelation.kendall(a, b, interruption: raised) }
        // Each four million operations, about.
        let questions = Mutex(0)
        let counting = Interruption {
            questions.withLock { $0 += 1 }
            return false
        }
        _ = try Ranks(first, interruption: counting)
        #expect(questions.withLock { $0 } >= 4)
        _ = try RankCorrelation.kendall(a, b, interruption: counting)
        #expect(questions.withLock { $0 } >= 25)
    }
}
