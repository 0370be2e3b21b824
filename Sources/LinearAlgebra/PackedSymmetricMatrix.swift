/// A symmetric matrix of single precision in LAPACK's rectangular full packed format (RFP; Gustavson et al. 2010, LAWN 199):
/// n(n+1)/2 elements, half of a square array, and still factored by matrix products.
///
/// Layout `TRANSR = 'N', UPLO = 'L'`: with h = n − ⌊n/2⌋ the array has h columns; the first h columns of the lower triangle
/// lie in it as they are (one row lower where n is even), and the triangle that is left over fills the gap above, transposed.
public struct PackedSymmetricMatrix: Sendable {
    /// Rows, and columns.
    public let order: Int
    /// The n(n+1)/2 elements.
    public let memory: AlignedMemory<Float>

    /// Elements that a matrix of this order takes; nil where that overflows.
    public static func elementCount(order: Int) -> Int? {
        let (product, overflow) = order.multipliedReportingOverflow(by: order + 1)
        return overflow ? nil : product / 2
    }

    /// A matrix of undefined elements.
    public init(uninitializedOrder order: Int) {
        precondition(order > 0, "a matrix needs rows")
        self.order = order
        memory = AlignedMemory(uninitialized: order * (order + 1) / 2)
    }

    /// h: columns of the array that hold the matrix's own first columns.
    var leftColumns: Int { order - order / 2 }
    /// How far the array's columns lie apart.
    var leading: Int { isEven ? order + 1 : order }
    private var isEven: Bool { order % 2 == 0 }

    /// The first h columns of the lower triangle, one after the other: (row, column) lies at column · `leading` + row.
    var left: UnsafeMutablePointer<Float> { memory.start + (isEven ? 1 : 0) }

    /// The triangle of the other rows and columns, row after row: (h + row, h + column) lies at row · `leading` + column.
    var right: UnsafeMutablePointer<Float> { memory.start + (isEven ? 0 : leading) }

    /// Where the element (row, column) with row ≥ column lies in `memory`. O(1).
    public func offset(row: Int, column: Int) -> Int {
        let h = leftColumns
        if column < h { return (row + (isEven ? 1 : 0)) + column * leading }
        return (column - h) + (row - h + (isEven ? 0 : 1)) * leading
    }

    /// An element of either triangle.
    public subscript(row: Int, column: Int) -> Float {
        get { memory.start[offset(row: max(row, column), column: min(row, column))] }
        nonmutating set { memory.start[offset(row: max(row, column), column: min(row, column))] = newValue }
    }
}
