/// A matrix of double precision and the few operations that references need, each by its definition.
public struct DenseMatrix: Sendable, Equatable {
    /// Extents.
    public let rows: Int, columns: Int
    /// Row after row.
    public var elements: [Double]

    /// A matrix of given elements, row after row.
    public init(rows: Int, columns: Int, elements: [Double]) {
        precondition(elements.count == rows * columns, "the elements fill the matrix")
        self.rows = rows
        self.columns = columns
        self.elements = elements
    }

    /// A matrix of zeros.
    public init(rows: Int, columns: Int) {
        self.init(rows: rows, columns: columns, elements: [Double](repeating: 0, count: rows * columns))
    }

    /// A diagonal matrix.
    public init(diagonal: [Double]) {
        self.init(rows: diagonal.count, columns: diagonal.count)
        for (i, value) in diagonal.enumerated() { self[i, i] = value }
    }

    /// Normal numbers.
    public init(rows: Int, columns: Int, random numbers: inout SeededNumbers) {
        self.init(rows: rows, columns: columns, elements: (0..<rows * columns).map { _ in numbers.normal() })
    }

    /// An element.
    public subscript(row: Int, column: Int) -> Double {
        get { elements[row * columns + column] }
        set { elements[row * columns + column] = newValue }
    }

    /// One row.
    public func row(_ row: Int) -> [Double] { Array(elements[row * columns..<(row + 1) * columns]) }

    /// The transpose.
    public var transposed: DenseMatrix {
        var result = DenseMatrix(rows: columns, columns: rows)
        for i in 0..<rows { for j in 0..<columns { result[j, i] = self[i, j] } }
        return result
    }

    /// The elements as they are after rounding to single precision.
    public var floats: [Float] { elements.map { Float($0) } }

    /// A·x.
    public func times(_ x: [some BinaryFloatingPoint]) -> [Double] {
        let x = x.map { Double($0) }
        return (0..<rows).map { i in (0..<columns).reduce(0) { $0 + self[i, $1] * x[$1] } }
    }

    /// A·B.
    public static func * (a: DenseMatrix, b: DenseMatrix) -> DenseMatrix {
        var result = DenseMatrix(rows: a.rows, columns: b.columns)
        for i in 0..<a.rows {
            for k in 0..<a.columns {
                for j in 0..<b.columns { result[i, j] += a[i, k] * b[k, j] }
            }
        }
        return result
    }

    /// A + λI.
    public func plus(diagonal shift: Double) -> DenseMatrix {
        var result = self
        for i in 0..<rows { result[i, i] += shift }
        return result
    }

    /// A⁻¹·b by Gaussian elimination with partial pivoting.
    public func solved(for rightHandSide: [some BinaryFloatingPoint]) -> [Double] {
        var a = self
        var b = rightHandSide.map { Double($0) }
        for k in 0..<rows {
            let pivot = (k..<rows).max { abs(a[$0, k]) < abs(a[$1, k]) } ?? k
            if pivot != k {
                for j in 0..<columns { (a[k, j], a[pivot, j]) = (a[pivot, j], a[k, j]) }
                b.swapAt(k, pivot)
            }
            for i in k + 1..<max(rows, k + 1) {
                let factor = a[i, k] / a[k, k]
                guard factor != 0 else { continue }
                for j in k..<columns { a[i, j] -= factor * a[k, j] }
                b[i] -= factor * b[k]
            }
        }
        for i in (0..<rows).reversed() {
            for j in i + 1..<max(columns, i + 1) { b[i] -= a[i, j] * b[j] }
            b[i] /= a[i, i]
        }
        return b
    }
}
