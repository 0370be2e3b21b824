import LinearAlgebra
import TestSupport
import Testing

@Suite("products of matrices")
struct MatrixProductTests {
    static let forms: [(Transposition, Transposition)] = [
        (.none, .none), (.none, .transposed), (.transposed, .none), (.transposed, .transposed),
    ]

    /// A [m, k] and B [k, n], rows 3 and 1 further apart than they are wide when stored.
    struct Factors {
        let m: Int, n: Int, k: Int
        let a: [Float], b: [Float]

        init(m: Int, n: Int, k: Int) {
            var numbers = SeededNumbers(UInt64(m * 1_000_000 + n * 1000 + k))
            (self.m, self.n, self.k) = (m, n, k)
            (a, b) = (numbers.floats(m * k), numbers.floats(k * n))
        }

        /// Some rows of A times some columns of B, stored as the form wants them, with NaN between the rows.
        func product(
            _ form: (Transposition, Transposition), rows: Range<Int>, columns: Range<Int>, alpha: Float = 1, beta: Float = 0,
            gap: Int = 1, onto before: (Int, Int) -> Float = { _, _ in .nan }
        ) -> [Float] {
            let (m, n) = (rows.count, columns.count)
            let lda = (form.0 == .none ? k : m) + gap
            let ldb = (form.1 == .none ? n : k) + 2 * gap
            let ldc = n + gap
            // Exactly as long as the last row needs: reading on would be seen by the sanitizer.
            var storedA = [Float](repeating: .nan, count: max(0, ((form.0 == .none ? m : k) - 1) * lda + lda - gap))
            var storedB = [Float](repeating: .nan, count: max(0, ((form.1 == .none ? k : n) - 1) * ldb + ldb - 2 * gap))
            for i in 0..<m {
                for p in 0..<k { storedA[form.0 == .none ? i * lda + p : p * lda + i] = a[(rows.lowerBound + i) * k + p] }
            }
            for p in 0..<k {
                for j in 0..<n { storedB[form.1 == .none ? p * ldb + j : j * ldb + p] = b[p * self.n + columns.lowerBound + j] }
            }
            var c = [Float](repeating: 123, count: m * ldc)
            for i in 0..<m { for j in 0..<n { c[i * ldc + j] = before(rows.lowerBound + i, columns.lowerBound + j) } }
            MatrixProduct.multiply(
                form.0, form.1, m: m, n: n, k: k, alpha: alpha, storedA, lda, storedB, ldb, beta: beta, &c, ldc)
            for i in 0..<m { #expect(c[i * ldc + n..<(i + 1) * ldc].allSatisfy { $0 == 123 }, "wrote between the rows") }
            return (0..<m).flatMap { c[$0 * ldc..<$0 * ldc + n] }
        }
    }

    /// Around tiles of 4, 6 and 12 rows, of one and two vectors of 4, 8 and 16, a panel's worth of rows, and runs of 400 products.
    static let shapes = [
        (1, 1, 1), (1, 10, 128), (2, 3, 5), (3, 17, 2), (4, 8, 16), (5, 33, 3), (6, 16, 31), (7, 10, 33), (8, 32, 40),
        (9, 31, 15),
        (10, 64, 1), (11, 7, 48), (12, 32, 64), (13, 5, 17), (16, 16, 399), (17, 48, 400), (25, 40, 401), (31, 33, 7),
        (32, 10, 128),
        (32, 37, 801), (49, 32, 20), (50, 9, 12), (65, 17, 1), (100, 1, 50), (1, 100, 50), (128, 49, 32), (481, 20, 9),
        (20, 481, 9),
    ]

    static func expectSums(_ shapes: [(Int, Int, Int)]) {
        for (m, n, k) in shapes {
            let factors = Factors(m: m, n: n, k: k)
            var (sums, sizes) = ([Double](repeating: 0, count: m * n), [Double](repeating: 0, count: m * n))
            for i in 0..<m {
                for j in 0..<n {
                    for p in 0..<k {
                        let term = Double(factors.a[i * k + p]) * Double(factors.b[p * n + j])
                        sums[i * n + j] += term
                        sizes[i * n + j] += abs(term)
                    }
                }
            }
            for form in forms {
                for (alpha, beta) in [(Float(1), Float(0)), (1, 1), (-0.5, 0), (2, -1.5)] {
                    func before(_ i: Int, _ j: Int) -> Float { beta == 0 ? .nan : Float((i * 7 + j * 3) % 11) - 5 }
                    let c = factors.product(form, rows: 0..<m, columns: 0..<n, alpha: alpha, beta: beta, onto: before)
                    let wrong = c.indices.first { index in
                        let old = beta == 0 ? 0 : Double(beta) * Double(before(index / n, index % n))
                        let expected = Double(alpha) * sums[index] + old
                        return !(abs(Double(c[index]) - expected) <= 1e-6 * (abs(Double(alpha)) * sizes[index] + abs(old)))
                    }
                    #expect(wrong == nil, "\(m)×\(n)×\(k) \(form), α \(alpha), β \(beta)")
                }
            }
        }
    }

    @Test("are sums of products, whatever is transposed and however far rows are apart; β = 0 overwrites even NaN")
    func sums() { Self.expectSums(Self.shapes) }

    static func expectIndependence(_ shapes: [(Int, Int, Int)]) {
        for (m, n, k) in shapes {
            let factors = Factors(m: m, n: n, k: k)
            func before(_ i: Int, _ j: Int) -> Float { Float((i * 7 + j * 3) % 11) / 3 }
            let whole = factors.product((.none, .none), rows: 0..<m, columns: 0..<n, alpha: 0.7, beta: 0.3, onto: before)
            for form in forms {
                for (rows, columns) in [
                    (0..<m, 0..<n), (m / 2..<m, 0..<n), (0..<m, n / 3..<n), (m / 3..<m / 3 + 1, 0..<n),
                    (0..<m, n / 2..<n / 2 + 1),
                    (m - 1..<m, n - 1..<n), (0..<(m + 1) / 2, 0..<(n + 1) / 2),
                ] {
                    let part = factors.product(
                        form, rows: rows, columns: columns, alpha: 0.7, beta: 0.3, gap: rows.count % 3, onto: before)
                    let expected = rows.flatMap { i in columns.map { whole[i * n + $0].bitPattern } }
                    #expect(part.map(\.bitPattern) == expected, "\(m)×\(n)×\(k) \(form) \(rows) \(columns)")
                }
            }
        }
    }

    @Test("an element has the same bits in any larger product, transposed or not, wherever it stands")
    func independence() { Self.expectIndependence(Self.shapes + [(60, 70, 1000)]) }

    @Test("and so on every vector unit that the processor has")
    func units() async {
        await #expect(processExitsWith: .success) {
            for unit in ["baseline", "AVX2", "AVX-512", "AVX-512 VNNI"] where VectorUnit.use(unit) {
                MatrixProductTests.expectSums(MatrixProductTests.shapes)
                MatrixProductTests.expectIndependence(MatrixProductTests.shapes)
            }
        }
    }

    @Test("NaN and infinity stay in their row and column")
    func notFinite() {
        let (m, n, k) = (40, 40, 50)
        var a = [Float](repeating: 1, count: m * k)
        var b = [Float](repeating: 1, count: n * k)
        a[13 * k + 7] = .nan
        b[29 * k + 49] = .infinity
        var c = [Float](repeating: 0, count: m * n)
        MatrixProduct.multiply(.none, .transposed, m: m, n: n, k: k, alpha: 1, a, k, b, k, beta: 0, &c, n)
        for i in 0..<m {
            for j in 0..<n {
                #expect(i == 13 ? c[i * n + j].isNaN : c[i * n + j] == (j == 29 ? .infinity : 50))
            }
        }
    }

    @Test(
        "without products or without α, C is only multiplied by β, and neither factor is read",
        arguments: [(0, Float(1)), (3, 0)])
    func empty(k: Int, alpha: Float) {
        for (beta, expected) in [(Float(0), [Float(0), 0, 0, 0]), (-2, [-2, -4, -6, -8])] {
            var c: [Float] = beta == 0 ? [.nan, .nan, .nan, .nan] : [1, 2, 3, 4]
            let nothing = [Float](repeating: .nan, count: 6)
            MatrixProduct.multiply(.none, .none, m: 2, n: 2, k: k, alpha: alpha, nothing, 3, nothing, 2, beta: beta, &c, 2)
            #expect(c == expected)
        }
    }

    @Test("a product of no rows or no columns touches nothing")
    func nothing() {
        var c: [Float] = [7]
        for (m, n) in [(0, 5), (5, 0), (0, 0)] {
            for form in Self.forms {
                MatrixProduct.multiply(form.0, form.1, m: m, n: n, k: 2, alpha: 1, [1, 2], 5, [3, 4], 5, beta: 0, &c, 5)
            }
        }
        #expect(c == [7])
    }
}
