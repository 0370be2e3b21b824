import LinearAlgebra
import TestSupport
import Testing

@Suite("softmax of rows")
struct SoftmaxTests {
    /// Around vectors of 2, 4 and 8.
    static let widths = [1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 31, 100, 1000]

    static func expectPrecision() {
        for classes in widths {
            var numbers = SeededNumbers(UInt64(classes))
            for scale in [1e-3, 1, 30, 1000] {
                let x = numbers.floats(7 * classes, scale: scale)
                var (p, sums) = ([Float](repeating: 9, count: x.count + 1), [Double](repeating: 9, count: 8))
                Softmax.rows(x, rows: 7, classes: classes, probabilities: &p, logSums: &sums)
                var (reference, expected) = ([Double](repeating: 9, count: x.count), [Double](repeating: 9, count: 7))
                Softmax.rows(x.map { Double($0) }, rows: 7, classes: classes, probabilities: &reference, logSums: &expected)
                #expect(p.last == 9 && sums.last == 9)
                for i in x.indices { #expect(abs(Double(p[i]) - reference[i]) <= 1.3e-7 * reference[i] + 1e-37) }
                for row in 0..<7 { #expect(abs(sums[row] - expected[row]) <= 1e-9) }
            }
        }
    }

    @Test("agrees with double precision to the last bits, as do the logarithms of the sums")
    func precision() { Self.expectPrecision() }

    @Test("double precision is the definition")
    func definition() {
        let x = [0.5, -1, 2, 700, 699, -700]
        var (p, sums) = ([Double](repeating: 0, count: 6), [Double](repeating: 0, count: 2))
        Softmax.rows(x, rows: 2, classes: 3, probabilities: &p, logSums: &sums)
        // Computed to thirty digits by mpmath.
        let expected = [0.1752903921400367, 0.03911257327068745, 0.7855970345892759, 0.7310585786300049, 0.2689414213699951, 0]
        for (p, e) in zip(p, expected) { #expect(abs(p - e) < 1e-15) }
        #expect(abs(sums[0] - 2.2413112966571571) < 1e-14 && abs(sums[1] - 700.31326168751822) < 1e-12)
    }

    @Test("a row's results have the same bits alone and among others, in place or not, and whatever else is asked for")
    func independence() {
        for classes in Self.widths where classes < 100 {
            var numbers = SeededNumbers(8)
            let x = numbers.floats(9 * classes, scale: 4)
            var (p, sums) = (x, [Double](repeating: 0, count: 9))
            p.withUnsafeMutableBufferPointer { p in
                let place = p.baseAddress!
                Softmax.rows(UnsafePointer(place), rows: 9, classes: classes, probabilities: place, logSums: &sums)
            }
            for row in 0..<9 {
                let scores = Array(x[row * classes..<(row + 1) * classes])
                var (alone, sum) = ([Float](repeating: 0, count: classes), 0.0)
                Softmax.rows(scores, rows: 1, classes: classes, probabilities: &alone)
                Softmax.rows(scores, rows: 1, classes: classes, logSums: &sum)
                #expect(alone.map(\.bitPattern) == p[row * classes..<(row + 1) * classes].map(\.bitPattern))
                #expect(sum == sums[row])
            }
        }
    }

    @Test("large scores neither overflow nor vanish, and −∞ has no probability")
    func extremes() {
        let x: [Float] = [3e38, -3e38, 0, -.infinity, 5, 5, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 0]
        var (p, sums) = ([Float](repeating: 9, count: 9), [Double](repeating: 9, count: 3))
        Softmax.rows(x, rows: 3, classes: 3, probabilities: &p, logSums: &sums)
        #expect(Array(p.prefix(6)) == [1, 0, 0, 0, 0.5, 0.5])
        #expect(p.suffix(3).allSatisfy { abs($0 - 1 / 3) < 1e-7 })
        #expect(
            sums[0] == Double(Float(3e38)) && abs(sums[1] - 5.693147180559945) < 1e-9 && abs(sums[2] - 1.0986122886681098) < 1e-9)
    }

    @Test("a row with NaN or +∞, or of −∞ alone, gives NaN, and its neighbours are untouched by that")
    func notFinite() {
        for bad in [[Float.nan, 1, 2], [1, 2, .infinity], [-.infinity, -.infinity, -.infinity], [.nan, .nan, .nan]] {
            let x = [0, 0, 0] + bad + [0, 0, 0]
            var (p, sums) = ([Float](repeating: 9, count: 9), [Double](repeating: 9, count: 3))
            Softmax.rows(x, rows: 3, classes: 3, probabilities: &p, logSums: &sums)
            #expect(p[3..<6].allSatisfy(\.isNaN) && sums[1].isNaN)
            #expect((p[0..<3] + p[6..<9]).allSatisfy { abs($0 - 1 / 3) < 1e-7 } && sums[0] == sums[2] && !sums[0].isNaN)
            var (q, logs) = ([Double](repeating: 9, count: 9), [Double](repeating: 9, count: 3))
            Softmax.rows(x.map { Double($0) }, rows: 3, classes: 3, probabilities: &q, logSums: &logs)
            #expect(q[3..<6].allSatisfy(\.isNaN) && logs[1].isNaN && !logs[0].isNaN)
        }
    }
}
