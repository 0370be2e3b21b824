/// The Cholesky factor L of a symmetric positive definite A = LLᵀ in double precision, as a square: for matrices of a few thousand rows
/// whose condition single precision has not the digits for.
public struct DoubleCholeskyFactor: Sendable {
    /// Rows of A.
    public let order: Int
    /// L, row-major [order, order]; above its diagonal A's numbers.
    private let lower: AlignedMemory<Double>

    /// A factor made earlier.
    /// - Parameter lowerTriangle: L's rows one after the other, each up to its diagonal element.
    public init(lowerTriangle: some Sequence<Double>, order n: Int) {
        (order, lower) = (n, AlignedMemory(repeating: 0, count: n * n))
        var (row, column) = (0, 0)
        for number in lowerTriangle {
            precondition(row < n, "a triangle of the factor's order")
            lower.start[row * n + column] = number
            (row, column) = column == row ? (row + 1, 0) : (row, column + 1)
        }
        precondition(row == n, "a triangle of the factor's order")
    }

    /// A row of L up to its diagonal element, copied.
    public func row(_ row: Int) -> [Double] { Array(lower.elements[row * order...row * order + row]) }

    /// Columns that are factored together, and rows below them that are one piece of work of milliseconds.
    private static let (blockColumns, blockRows) = (64, 128)

    /// Factors a matrix of which the lower triangle is given, row-major [order, order]; its memory becomes the factor's. n³/3 flops.
    ///
    /// By blocks of columns, left-looking (Golub & Van Loan 4.2.6). A pivot that is no more than what rounding makes of an element of its
    /// size, 4·n·2⁻⁵³ times the diagonal element it came from, is none. The bits do not depend on the number of threads.
    /// - Throws: `NotPositiveDefinite`, `Interrupted`; the matrix is destroyed then.
    public init(
        factoring matrix: AlignedMemory<Double>, order n: Int, parallel: Parallel = Parallel(threads: 1),
        interruption: Interruption = .never
    ) throws {
        precondition(n > 0 && matrix.count == n * n, "a matrix is square")
        // Each piece writes its own rows.
        nonisolated(unsafe) let a = matrix.start
        let least = (0..<n).map { 4 * Double(n) * 0x1p-53 * a[$0 * n + $0] }
        for first in stride(from: 0, to: n, by: Self.blockColumns) {
            try interruption.check()
            let columns = first..<min(first + Self.blockColumns, n)
            Self.subtract(first, from: columns, columns, a, n)
            try Self.factor(columns, a, n, least)
            let below = stride(from: columns.upperBound, to: n, by: Self.blockRows).map { $0..<min($0 + Self.blockRows, n) }
            try parallel.forEach(below.count, interruption: interruption) { piece in
                Self.subtract(first, from: below[piece], columns, a, n)
                for row in below[piece] { Self.eliminate(columns, a + row * n, a, n) }
            }
        }
        (order, lower) = (n, matrix)
    }

    /// A[rows, columns] ← A[rows, columns] − L[rows, 0..<k]·L[columns, 0..<k]ᵀ.
    private static func subtract(
        _ k: Int, from rows: Range<Int>, _ columns: Range<Int>, _ a: UnsafeMutablePointer<Double>, _ n: Int
    ) {
        guard k > 0 else { return }
        BLAS.multiply(
            .none, .transposed, m: rows.count, n: columns.count, k: k, alpha: -1, a + rows.lowerBound * n, n,
            a + columns.lowerBound * n, n, beta: 1, a + rows.lowerBound * n + columns.lowerBound, n)
    }

    /// Factors a diagonal block.
    private static func factor(
        _ columns: Range<Int>, _ a: UnsafeMutablePointer<Double>, _ n: Int, _ least: [Double]
    ) throws(NotPositiveDefinite) {
        for row in columns {
            eliminate(columns.lowerBound..<row, a + row * n, a, n)
            let x = a + row * n + columns.lowerBound
            let pivot = a[row * n + row] - dot(x, x, row - columns.lowerBound)
            guard pivot > least[row], pivot > 0, pivot.isFinite else { throw NotPositiveDefinite(minor: row + 1) }
            a[row * n + row] = pivot.squareRoot()
        }
    }

    /// Solves x·L[columns, columns]ᵀ = a row's part in these columns, in place.
    private static func eliminate(
        _ columns: Range<Int>, _ row: UnsafeMutablePointer<Double>, _ a: UnsafeMutablePointer<Double>, _ n: Int
    ) {
        let x = row + columns.lowerBound
        for column in columns {
            let l = a + column * n
            row[column] = (row[column] - dot(x, l + columns.lowerBound, column - columns.lowerBound)) / l[column]
        }
    }

    /// x · y, in a fixed order.
    private static func dot(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int) -> Double {
        var lanes = SIMD8<Double>.zero
        let blocked = count & ~7
        for i in stride(from: 0, to: blocked, by: 8) {
            lanes +=
                UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Double>.self)
                * UnsafeRawPointer(y + i).loadUnaligned(as: SIMD8<Double>.self)
        }
        var total = lanes.sum()
        for i in blocked..<count { total += x[i] * y[i] }
        return total
    }

    /// Solves A·x = b in place for stacked right-hand sides, each `order` long: 2·n² flops each. A solution has the same bits alone as among
    /// others, on any number of threads.
    /// - Throws: `Interrupted`; the right-hand sides are destroyed then.
    public func solve(
        _ sides: AlignedMemory<Double>, parallel: Parallel = Parallel(threads: 1), interruption: Interruption = .never
    ) throws {
        precondition(sides.count % order == 0, "right-hand sides are as long as the matrix has rows")
        try parallel.forEach(sides.count / order, interruption: interruption) { [self] side in
            let (x, n) = (sides.start + side * order, order)
            var pace = PacedInterruption(interruption)
            for row in 0..<n {
                let l = lower.start + row * n
                x[row] = (x[row] - Self.dot(x, l, row)) / l[row]
                try pace.check(after: 2 * row)
            }
            for row in (0..<n).reversed() {
                let l = lower.start + row * n
                x[row] /= l[row]
                let value = x[row]
                for i in 0..<row { x[i] -= value * l[i] }
                try pace.check(after: 2 * row)
            }
        }
    }
}
