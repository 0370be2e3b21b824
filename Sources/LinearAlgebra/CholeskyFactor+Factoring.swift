extension CholeskyFactor {
    /// Columns that are factored together, and rows below them that are one piece of work: enough for matrix products at full speed,
    /// few enough for one to take milliseconds.
    private static let (blockColumns, blockRows) = (256, 512)

    /// Factors a matrix in place: its memory becomes the factor's. n³/3 flops.
    ///
    /// By blocks of columns, each made good with what is left of it before it is factored itself (left-looking; Golub & Van Loan
    /// 4.2.6). The blocks below a diagonal one are independent of each other; the bits do not depend on the number of threads.
    /// - Throws: `NotPositiveDefinite`, `Interrupted`; the matrix is destroyed then.
    public init(
        factoring matrix: PackedSymmetricMatrix, parallel: Parallel = Parallel(threads: 1), interruption: Interruption = .never
    ) throws {
        let diagonal = AlignedMemory<Float>(uninitialized: Self.blockColumns * Self.blockColumns)
        try Self.factorLeft(of: matrix, diagonal, parallel, interruption)
        try Self.factorRight(of: matrix, diagonal, parallel, interruption)
        self.init(packed: matrix)
    }

    /// The first h columns, all rows of them. Read row by row the array holds U = Lᵀ there, so that A's block (i, j) less the products
    /// of the columns before is C − Uⱼᵀ·Uᵢ.
    private static func factorLeft(
        of matrix: PackedSymmetricMatrix, _ diagonal: AlignedMemory<Float>, _ parallel: Parallel, _ interruption: Interruption
    ) throws {
        let (u, stride) = (matrix.left, matrix.leading)
        nonisolated(unsafe) let shared = u
        for j in blocks(of: 0..<matrix.leftColumns, by: blockColumns) {
            try interruption.check()
            let corner = u + j.lowerBound * stride + j.lowerBound
            BLAS.addGram(.upper, n: j.count, k: j.lowerBound, alpha: -1, u + j.lowerBound, stride, beta: 1, corner, stride)
            try factorDiagonal(corner, rowStride: 1, columnStride: stride, order: j.count, after: j.lowerBound, in: diagonal)
            let below = blocks(of: j.upperBound..<matrix.order, by: blockRows)
            try parallel.forEach(below.count, interruption: interruption) { piece in
                let (u, i) = (shared, below[piece])
                let block = u + j.lowerBound * stride + i.lowerBound
                BLAS.multiply(
                    .transposed, .none, m: j.count, n: i.count, k: j.lowerBound, alpha: -1, u + j.lowerBound, stride,
                    u + i.lowerBound, stride, beta: 1, block, stride)
                BLAS.solve(.left, lower: diagonal.start, j.count, .none, m: j.count, n: i.count, block, stride)
            }
        }
    }

    /// The triangle that is left over, which the array holds as it is, row by row: less what the first h columns take away, and then
    /// as these.
    private static func factorRight(
        of matrix: PackedSymmetricMatrix, _ diagonal: AlignedMemory<Float>, _ parallel: Parallel, _ interruption: Interruption
    ) throws {
        let (h, stride) = (matrix.leftColumns, matrix.leading)
        let (u, l) = (matrix.left + h, matrix.right)
        nonisolated(unsafe) let shared = (u: u, l: l)
        for j in blocks(of: 0..<matrix.order - h, by: blockColumns) {
            try interruption.check()
            let corner = l + j.lowerBound * stride + j.lowerBound
            BLAS.addGram(n: j.count, k: h, alpha: -1, u + j.lowerBound, stride, beta: 1, corner, stride)
            BLAS.addGram(
                .lower, .none, n: j.count, k: j.lowerBound, alpha: -1, l + j.lowerBound * stride, stride, beta: 1, corner, stride)
            try factorDiagonal(corner, rowStride: stride, columnStride: 1, order: j.count, after: h + j.lowerBound, in: diagonal)
            let below = blocks(of: j.upperBound..<matrix.order - h, by: blockRows)
            try parallel.forEach(below.count, interruption: interruption) { piece in
                let (u, l, i) = (shared.u, shared.l, below[piece])
                let block = l + i.lowerBound * stride + j.lowerBound
                BLAS.multiply(
                    .transposed, .none, m: i.count, n: j.count, k: h, alpha: -1, u + i.lowerBound, stride, u + j.lowerBound,
                    stride, beta: 1, block, stride)
                try interruption.check()
                BLAS.multiply(
                    .none, .transposed, m: i.count, n: j.count, k: j.lowerBound, alpha: -1, l + i.lowerBound * stride, stride,
                    l + j.lowerBound * stride, stride, beta: 1, block, stride)
                BLAS.solve(.right, lower: diagonal.start, j.count, .transposed, m: i.count, n: j.count, block, stride)
            }
        }
    }

    private static func blocks(of range: Range<Int>, by size: Int) -> [Range<Int>] {
        stride(from: range.lowerBound, to: range.upperBound, by: size).map { $0..<min($0 + size, range.upperBound) }
    }

    /// Factors a diagonal block, and leaves its factor in `diagonal` too, row by row: [order, order].
    private static func factorDiagonal(
        _ corner: UnsafeMutablePointer<Float>, rowStride: Int, columnStride: Int, order: Int, after minor: Int,
        in diagonal: AlignedMemory<Float>
    ) throws(NotPositiveDefinite) {
        for row in 0..<order {
            for column in 0...row {
                diagonal.start[row * order + column] = corner[row * rowStride + column * columnStride]
            }
        }
        try factorLower(diagonal.start, order, stride: order, after: minor)
        for row in 0..<order {
            for column in 0...row {
                corner[row * rowStride + column * columnStride] = diagonal.start[row * order + column]
            }
        }
    }

    /// Factors a lower triangle that lies row by row, by halves: nearly all of the work is in matrix products again.
    private static func factorLower(
        _ a: UnsafeMutablePointer<Float>, _ order: Int, stride: Int, after minor: Int
    ) throws(NotPositiveDefinite) {
        guard order > 32 else { return try factorSmall(a, order, stride: stride, after: minor) }
        let (first, second) = (order / 2, order - order / 2)
        let below = a + first * stride
        try factorLower(a, first, stride: stride, after: minor)
        BLAS.solve(.right, lower: a, stride, .transposed, m: second, n: first, below, stride)
        BLAS.addGram(.lower, .none, n: second, k: first, alpha: -1, below, stride, beta: 1, below + first, stride)
        try factorLower(below + first, second, stride: stride, after: minor + first)
    }

    /// The same element by element, summed in double precision.
    private static func factorSmall(
        _ a: UnsafeMutablePointer<Float>, _ order: Int, stride: Int, after minor: Int
    ) throws(NotPositiveDefinite) {
        for column in 0..<order {
            for row in column..<order {
                var sum = Double(a[row * stride + column])
                for k in 0..<column { sum -= Double(a[row * stride + k]) * Double(a[column * stride + k]) }
                guard row == column else {
                    a[row * stride + column] = Float(sum / Double(a[column * stride + column]))
                    continue
                }
                // Rounded first: what single precision makes zero or infinite is no pivot.
                let pivot = Float(sum.squareRoot())
                guard pivot > 0, pivot.isFinite else { throw NotPositiveDefinite(minor: minor + column + 1) }
                a[row * stride + column] = pivot
            }
        }
    }
}
