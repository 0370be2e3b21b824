import LinearAlgebra
import TestSupport
import Testing

@Suite("random streams")
struct RandomStreamTests {
    private func draws(_ stream: RandomStream, _ count: Int) -> [UInt64] {
        var stream = stream
        return (0..<count).map { _ in stream.next() }
    }

    @Test("a seed and an index name one stream, always the same")
    func deterministic() {
        #expect(draws(RandomStream(seed: 7, index: 3), 100) == draws(RandomStream(seed: 7, index: 3), 100))
        #expect(draws(RandomStream(seed: 7), 100) == draws(RandomStream(seed: 7, index: 0), 100))
    }

    @Test("streams of neighbouring seeds and indices share no numbers")
    func distinct() {
        var seen = Set<UInt64>()
        let seeds: [UInt64] = [0, 1, 2, 3, 41, 42, .max - 1, .max, 0x9e37_79b9_7f4a_7c15, 0x3c6e_f372_fe94_f82a]
        for seed in seeds {
            for index in [0, 1, 2, 3, 4, UInt64.max] {
                for value in draws(RandomStream(seed: seed, index: index), 50) { seen.insert(value) }
            }
        }
        #expect(seen.count == seeds.count * 6 * 50)
    }

    @Test("xoshiro256★★ gives the numbers its authors' code gives, for a state filled by SplitMix64")
    func reference() {
        // The definition, written out from the paper: SplitMix64's third output function, then the "★★" scrambler.
        func mixed(_ state: inout UInt64) -> UInt64 {
            state = state &+ 11_400_714_819_323_198_485
            var z = state
            z = (z ^ z >> 30) &* 13_787_848_793_156_543_929
            z = (z ^ z >> 27) &* 10_723_151_780_598_845_931
            return z ^ z >> 31
        }
        var outer: UInt64 = 99
        var inner = mixed(&outer)
        var s = (0..<4).map { _ in mixed(&inner) }
        let expected: [UInt64] = (0..<20).map { _ in
            let five = s[1] &* 5
            let result = (five << 7 | five >> 57) &* 9
            let shifted = s[1] << 17
            s[2] ^= s[0]
            s[3] ^= s[1]
            s[1] ^= s[2]
            s[0] ^= s[3]
            s[2] ^= shifted
            s[3] = s[3] << 45 | s[3] >> 19
            return result
        }
        #expect(draws(RandomStream(seed: 99), 20) == expected)
    }

    @Test("bounded numbers stay below the bound and are uniform", arguments: [1, 2, 3, 7, 10, 100] as [UInt32])
    func uniform(bound: UInt32) {
        for index in 0..<3 as Range<UInt64> {
            var stream = RandomStream(seed: 5, index: index)
            var counts = [Int](repeating: 0, count: Int(bound))
            let expected = 1000.0
            for _ in 0..<Int(bound) * 1000 { counts[Int(stream.next(below: bound))] += 1 }
            let chiSquare = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
            // Mean bound − 1, variance 2(bound − 1): five standard deviations.
            let freedom = Double(bound - 1)
            #expect(chiSquare <= freedom + 5 * (2 * freedom).squareRoot())
        }
        var stream = RandomStream(seed: 1)
        #expect((0..<1000).allSatisfy { _ in stream.next(below: .max) < .max })
    }

    @Test("normal numbers have the moments of the standard normal distribution")
    func normal() {
        var stream = RandomStream(seed: 11)
        let count = 40_000
        let values = (0..<count).map { _ in stream.nextNormal() }
        func moment(_ power: Int) -> Double {
            values.reduce(0) { sum, x in sum + (0..<power).reduce(1) { product, _ in product * x } } / Double(count)
        }
        // Five standard errors of each: the variances of x, x², x³, x⁴ are 1, 2, 15, 96.
        let unit = 5 / Double(count).squareRoot()
        #expect(abs(moment(1)) < unit)
        #expect(abs(moment(2) - 1) < unit * 2.0.squareRoot())
        #expect(abs(moment(3)) < unit * 15.0.squareRoot())
        #expect(abs(moment(4) - 3) < unit * 96.0.squareRoot())
        #expect(values.allSatisfy { $0.isFinite })
    }

    @Test("serves the standard library's shuffles")
    func generator() {
        var (first, second) = (RandomStream(seed: 3), RandomStream(seed: 3))
        #expect(Array(0..<50).shuffled(using: &first) == Array(0..<50).shuffled(using: &second))
    }
}
