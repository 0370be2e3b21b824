import LinearAlgebra
import TestSupport
import Testing

@Suite("sums over vectors")
struct VectorsTests {
    @Test(
        "dot products of every length around the vector registers' equal the plain sum",
        arguments: [0, 1, 7, 8, 9, 15, 16, 17, 1003])
    func dot(count: Int) {
        var numbers = SeededNumbers(9)
        let (x, y) = (numbers.floats(count), numbers.floats(count))
        let expected = zip(x, y).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let size = zip(x, y).reduce(0.0) { $0 + abs(Double($1.0) * Double($1.1)) }
        #expect(abs(Vectors.dot(x, y) - expected) <= 1e-14 * size)
        #expect(abs(Vectors.norm(x) - Vectors.dot(x, x).squareRoot()) == 0)
    }

    @Test("a million small terms beside large ones that cancel keep their sum, which single precision would lose")
    func accuracy() {
        var x = [Float](repeating: 1, count: 1_000_002)
        var y = [Float](repeating: 1e-3, count: x.count)
        (x[0], y[0]) = (1e3, 1e3)
        (x[x.count - 1], y[y.count - 1]) = (1e3, -1e3)
        #expect(abs(Vectors.dot(x, y) - 1e6 * Double(Float(1e-3))) < 1e-3)
        #expect(abs(Vectors.norm([Float](repeating: 1e-3, count: 1_000_000)) - 1000 * Double(Float(1e-3))) < 1e-9)
    }

    @Test("products beyond single precision's range are no matter, and what is not finite shows")
    func range() {
        #expect(Vectors.dot([1e30, 1], [1e30, 1]) > 9e59)
        #expect(Vectors.norm([1e-30, 0, 0]) > 0.9e-30)
        #expect(Vectors.norm([1, .infinity]) == .infinity)
        #expect(Vectors.norm([1, .nan, 2]).isNaN)
    }

    @Test("the order of summation does not depend on where the vectors lie in memory")
    func unaligned() {
        var numbers = SeededNumbers(10)
        let (x, y) = (numbers.floats(100), numbers.floats(100))
        let expected = Vectors.dot(x, y)
        for shift in 1..<9 {
            let moved = [Float](repeating: 0, count: shift) + x
            let dot = moved.withUnsafeBufferPointer { moved in
                y.withUnsafeBufferPointer { Vectors.dot(moved.baseAddress! + shift, $0.baseAddress!, 100) }
            }
            #expect(dot == expected)
        }
    }

    @Test("vectors of different lengths are a programmer's error")
    func lengths() async {
        await #expect(processExitsWith: .failure) { _ = Vectors.dot([1, 2], [1]) }
    }

    @Test("tell an element that is not finite wherever it is", arguments: [Float.infinity, -.infinity, .nan, .signalingNaN])
    func finite(value: Float) {
        let numbers: [Float] = [0, -0.0, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, 1]
        let all = (0..<101).map { numbers[$0 % numbers.count] }
        #expect(Vectors.areFinite(all))
        #expect(Vectors.areFinite([]))
        for place in [0, 1, 63, 64, 100] {
            var some = all
            some[place] = value
            #expect(!Vectors.areFinite(some))
        }
    }
}
