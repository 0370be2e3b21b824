internal import LinearAlgebra

/// Σ rrᵀ over rows r that come one by one: they are gathered until there are enough of them for a product of matrices. One thread's own.
final class GramSum {
    /// Length of a row.
    let order: Int
    private let rows: AlignedMemory<Float>
    /// The sum's lower triangle, row-major [order, order]: what is above it has no meaning.
    private let sum: UnsafeMutablePointer<Float>
    private var filled = 0

    /// Rows that are gathered, and columns of the sum that are made at a time.
    static let capacity = 256
    private static let tileColumns = 128

    /// Adds to what is at `sum`.
    init(order: Int, addingTo sum: UnsafeMutablePointer<Float>) {
        self.order = order
        self.sum = sum
        rows = AlignedMemory(uninitialized: Self.capacity * order)
    }

    /// Where the next row goes.
    var next: UnsafeMutablePointer<Float> { rows.start + filled * order }

    /// Takes the row that was put there, times √weight. `check` is told of the operations that were done.
    func take(weight: Float = 1, check: (Int) throws -> Void) rethrows {
        if weight != 1 { BLAS.scale(order, by: weight.squareRoot(), next) }
        filled += 1
        if filled == Self.capacity { try flush(check: check) }
    }

    /// Adds δδᵀ of all positions of an example, straight from where they lie.
    func add(_ deltas: KroneckerDeltas, positions: Int, check: (Int) throws -> Void) rethrows {
        for row in stride(from: 0, to: order, by: Self.tileColumns) {
            // What is above the diagonal in the tile comes with it.
            let (height, width) = (min(Self.tileColumns, order - row), min(row + Self.tileColumns, order))
            MatrixProduct.multiply(
                deltas.byOutput, deltas.asRows, m: height, n: width, k: positions, alpha: 1,
                deltas.start + row * (deltas.byPosition ? 1 : deltas.stride), deltas.stride, deltas.start, deltas.stride, beta: 1,
                sum + row * order, order)
            try check(2 * height * width * positions)
        }
    }

    /// Adds what is gathered.
    func flush(check: (Int) throws -> Void) rethrows {
        defer { filled = 0 }
        guard filled > 0 else { return }
        for column in stride(from: 0, to: order, by: Self.tileColumns) {
            let (height, width) = (order - column, min(Self.tileColumns, order - column))
            MatrixProduct.multiply(
                .transposed, .none, m: height, n: width, k: filled, alpha: 1, rows.start + column, order, rows.start + column,
                order, beta: 1, sum + column * order + column, order)
            try check(2 * height * width * filled)
        }
    }
}
