/// Substitution through a Cholesky factor for many right-hand sides, by products of matrices: at their full speed where
/// `CholeskyFactor.solve` waits for the factor to come from memory.
///
/// The blocks on the diagonal are inverted beforehand, in double precision, so that all of a substitution is products, of `MatrixProduct`:
/// a right-hand side's image has the same bits in whatever batch.
public struct CholeskyBatches: Sendable {
    /// L.
    public let factor: CholeskyFactor
    /// Columns of L, none of which are on both sides of the packed layout's seam.
    private let blocks: [Range<Int>]
    /// The inverse of each block on the diagonal, row by row, so far apart.
    private let inverses: AlignedMemory<Float>

    /// Columns in a block, and products that are summed between two questions whether to stop.
    private static let (width, run) = (128, 4096)

    /// Right-hand sides in a batch, more than which gain nothing.
    public static let usualCount = 256

    /// Numbers of scratch memory for a batch.
    public static func scratchCount(_ count: Int) -> Int { count * width }

    /// Inverts the blocks on the diagonal: n·64² flops or so.
    /// - Throws: `Interrupted`.
    public init(_ factor: CholeskyFactor, parallel: Parallel, interruption: Interruption = .never) throws {
        self.factor = factor
        let (order, seam, width) = (factor.order, factor.packed.leftColumns, Self.width)
        let blocks = [0..<seam, seam..<order].flatMap { part in
            stride(from: part.lowerBound, to: part.upperBound, by: width).map { $0..<min($0 + width, part.upperBound) }
        }
        let inverses = AlignedMemory<Float>(uninitialized: blocks.count * width * width)
        try parallel.forEach(blocks.count, interruption: interruption) { index in
            Self.invert(factor.packed, blocks[index], into: inverses.start + index * width * width)
        }
        (self.blocks, self.inverses) = (blocks, inverses)
    }

    /// Columns of the inverse of a block, one by one; zeros above the diagonal.
    private static func invert(_ matrix: PackedSymmetricMatrix, _ block: Range<Int>, into inverse: UnsafeMutablePointer<Float>) {
        let (count, first) = (block.count, block.lowerBound)
        var l = [Double](repeating: 0, count: count * count)
        for row in 0..<count { for column in 0...row { l[row * count + column] = Double(matrix[first + row, first + column]) } }
        var x = [Double](repeating: 0, count: count)
        for column in 0..<count {
            for row in 0..<count {
                guard row >= column else {
                    inverse[row * count + column] = 0
                    continue
                }
                var sum = row == column ? 1.0 : 0
                for k in column..<row { sum -= l[row * count + k] * x[k] }
                x[row] = sum / l[row * count + row]
                inverse[row * count + column] = Float(x[row])
            }
        }
    }

    /// x ← L⁻¹x for each of `count` stacked vectors: n² flops each, and a few of a hundred more.
    /// - Parameter scratch: `scratchCount` numbers.
    /// - Throws: `Interrupted`.
    public func substituteForward(
        _ x: UnsafeMutablePointer<Float>, count: Int, scratch: UnsafeMutablePointer<Float>, interruption: Interruption
    ) throws {
        let packed = factor.packed
        let (order, seam, leading) = (factor.order, packed.leftColumns, packed.leading)
        for (index, block) in blocks.enumerated() {
            // Columns on the left lie one after the other, and what they have in the block's rows is transposed; on the right rows do.
            try subtract(
                x, 0..<min(seam, block.lowerBound), .none, packed.left + block.lowerBound, leading, from: block, count,
                interruption)
            if block.lowerBound > seam {
                try subtract(
                    x, seam..<block.lowerBound, .transposed, packed.right + (block.lowerBound - seam) * leading, leading,
                    from: block, count, interruption)
            }
            Self.copy(x + block.lowerBound, order, count, block.count, to: scratch)
            MatrixProduct.multiply(
                .none, .transposed, m: count, n: block.count, k: block.count, alpha: 1, scratch, block.count,
                inverses.start + index * Self.width * Self.width, block.count, beta: 0, x + block.lowerBound, order)
        }
    }

    /// x ← L⁻ᵀx: the same from the end.
    /// - Throws: `Interrupted`.
    public func substituteBackward(
        _ x: UnsafeMutablePointer<Float>, count: Int, scratch: UnsafeMutablePointer<Float>, interruption: Interruption
    ) throws {
        let packed = factor.packed
        let (order, seam, leading) = (factor.order, packed.leftColumns, packed.leading)
        for (index, block) in blocks.enumerated().reversed() {
            let rows = block.upperBound..<order
            if block.lowerBound < seam {
                try subtract(
                    x, rows, .transposed, packed.left + block.lowerBound * leading + rows.lowerBound, leading, from: block, count,
                    interruption)
            } else {
                try subtract(
                    x, rows, .none, packed.right + (rows.lowerBound - seam) * leading + block.lowerBound - seam, leading,
                    from: block, count, interruption)
            }
            Self.copy(x + block.lowerBound, order, count, block.count, to: scratch)
            MatrixProduct.multiply(
                .none, .none, m: count, n: block.count, k: block.count, alpha: 1, scratch, block.count,
                inverses.start + index * Self.width * Self.width, block.count, beta: 0, x + block.lowerBound, order)
        }
    }

    /// Takes the products of known elements with L, or its transpose, out of a block's.
    private func subtract(
        _ x: UnsafeMutablePointer<Float>, _ known: Range<Int>, _ transposition: Transposition, _ l: UnsafePointer<Float>,
        _ leading: Int, from block: Range<Int>, _ count: Int, _ interruption: Interruption
    ) throws {
        for start in stride(from: 0, to: known.count, by: Self.run) {
            try interruption.check()
            MatrixProduct.multiply(
                .none, transposition, m: count, n: block.count, k: min(Self.run, known.count - start), alpha: -1,
                x + known.lowerBound + start, factor.order, l + start * (transposition == .none ? leading : 1), leading, beta: 1,
                x + block.lowerBound, factor.order)
        }
    }

    private static func copy(
        _ x: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ width: Int, to scratch: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<rows { (scratch + row * width).update(from: x + row * stride, count: width) }
    }
}
