import LinearAlgebra
import TestSupport
import Testing

/// The wrappers against the definitions, on matrices that are parts of wider ones.
@Suite("BLAS wrappers")
struct BLASTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let m: Int, n: Int, k: Int
        let a: Transposition, b: Transposition
        let alpha: Float, beta: Float

        var testDescription: String { "\(m)×\(n)×\(k), A \(a), B \(b), α = \(alpha), β = \(beta)" }

        static let all: [Case] = [(1, 1, 1), (2, 3, 5), (7, 10, 33), (32, 10, 129), (65, 17, 1)].flatMap { m, n, k in
            [(Transposition.none, Transposition.none), (.none, .transposed), (.transposed, .none), (.transposed, .transposed)]
                .flatMap { a, b in
                    [(Float(1), Float(0)), (-0.5, 1), (2, -1.5)].map { Case(m: m, n: n, k: k, a: a, b: b, alpha: $0, beta: $1) }
                }
        }
    }

    @Test("a product is the sum of products, whatever is transposed and however wide the rows are apart", arguments: Case.all)
    func multiply(_ c: Case) {
        var numbers = SeededNumbers(1)
        let (rowsA, columnsA) = c.a == .none ? (c.m, c.k) : (c.k, c.m)
        let (rowsB, columnsB) = c.b == .none ? (c.k, c.n) : (c.n, c.k)
        let (lda, ldb, ldc) = (columnsA + 3, columnsB + 1, c.n + 2)
        let a = numbers.floats(rowsA * lda)
        let b = numbers.floats(rowsB * ldb)
        let before = numbers.floats(c.m * ldc)
        var after = before
        BLAS.multiply(c.a, c.b, m: c.m, n: c.n, k: c.k, alpha: c.alpha, a, lda, b, ldb, beta: c.beta, &after, ldc)
        var expected = before.map { Double($0) }
        for i in 0..<c.m {
            for j in 0..<c.n {
                let sum = (0..<c.k).reduce(0.0) { sum, l in
                    let x = c.a == .none ? a[i * lda + l] : a[l * lda + i]
                    let y = c.b == .none ? b[l * ldb + j] : b[j * ldb + l]
                    return sum + Double(x) * Double(y)
                }
                expected[i * ldc + j] = Double(c.alpha) * sum + Double(c.beta) * expected[i * ldc + j]
            }
        }
        #expect(Closeness.largestError(after, expected) < 1e-5)
        for i in 0..<c.m { #expect(after[i * ldc + c.n..<(i + 1) * ldc] == before[i * ldc + c.n..<(i + 1) * ldc]) }
    }

    @Test("β = 0 overwrites what was there, even NaN")
    func overwrites() {
        var c = [Float](repeating: .nan, count: 6)
        BLAS.multiply(.none, .none, m: 2, n: 3, k: 1, alpha: 1, [1, 2], 1, [3, 4, 5], 3, beta: 0, &c, 3)
        #expect(c == [3, 4, 5, 6, 8, 10])
    }

    @Test("a Gram matrix fills the lower triangle and leaves the upper alone", arguments: [(1, 1), (3, 7), (8, 2), (33, 65)])
    func gram(n: Int, k: Int) {
        var numbers = SeededNumbers(2)
        let (lda, ldc) = (n + 1, n + 2)
        let a = numbers.floats(k * lda)
        let before = numbers.floats(n * ldc)
        var after = before
        BLAS.addGram(n: n, k: k, alpha: -0.75, a, lda, beta: 0.5, &after, ldc)
        var expected = before.map { Double($0) }
        for i in 0..<n {
            for j in 0...i {
                let sum = (0..<k).reduce(0.0) { $0 + Double(a[$1 * lda + i]) * Double(a[$1 * lda + j]) }
                expected[i * ldc + j] = -0.75 * sum + 0.5 * expected[i * ldc + j]
            }
        }
        #expect(Closeness.largestError(after, expected) < 1e-5)
        for i in 0..<n { #expect(after[i * ldc + i + 1..<(i + 1) * ldc] == before[i * ldc + i + 1..<(i + 1) * ldc]) }
    }

    @Test("adding and scaling touch exactly the elements counted", arguments: [0, 1, 7, 8, 9, 100])
    func vectors(count: Int) {
        var numbers = SeededNumbers(3)
        let x = numbers.floats(count + 1)
        let before = numbers.floats(count + 1)
        var sum = before
        BLAS.add(count, alpha: 2.5, x, to: &sum)
        var scaled = before
        BLAS.scale(count, by: -3, &scaled)
        for i in 0..<count {
            #expect(abs(Double(sum[i]) - (Double(before[i]) + 2.5 * Double(x[i]))) < 1e-6 * (abs(Double(before[i])) + 10))
            #expect(scaled[i] == -3 * before[i])
        }
        #expect(sum[count] == before[count])
        #expect(scaled[count] == before[count])
    }

    @Test("the library says what it is, and only the reference implementation has no kernels to name")
    func library() {
        let library = BLASLibrary.current
        #expect(!library.description.isEmpty)
        #expect(library.isReference == (library.core == nil))
        #expect(BLASLibrary.recommendedCore(environment: ["OPENBLAS_CORETYPE": "Haswell"]) == nil)
    }
}
