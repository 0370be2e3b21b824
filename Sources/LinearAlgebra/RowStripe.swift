/// One of the parts that a row of numbers is made of.
public enum RowFactor: Sendable, Equatable {
    /// δ ⊗ (x, 1) of δ and x, as of a linear layer's weights and biases; without the one where there are no biases.
    case outer(inputs: Int, outputs: Int, hasOne: Bool)
    /// So many numbers as they are.
    case plain(Int)

    /// Numbers that it is written with.
    public var width: Int {
        switch self {
        case .outer(let inputs, let outputs, _): inputs + outputs
        case .plain(let width): width
        }
    }
}

/// What neighbouring rows of a matrix are made of, factor by factor.
///
/// `@unchecked Sendable`: it is written once, in disjoint parts by the threads of one loop, and only read afterwards.
public final class RowStripe: @unchecked Sendable {
    /// Which rows.
    public let rows: Range<Int>
    /// What each is made of.
    public let factors: [RowFactor]
    private let memory: AlignedMemory<Float>
    private let starts: [UnsafeMutablePointer<Float>]

    /// Memory for some rows, of undefined numbers.
    public init(_ rows: Range<Int>, factors: [RowFactor]) {
        self.rows = rows
        self.factors = factors
        memory = AlignedMemory(uninitialized: rows.count * factors.reduce(0) { $0 + $1.width })
        var starts: [UnsafeMutablePointer<Float>] = []
        var next = memory.start
        for factor in factors {
            starts.append(next)
            next += rows.count * factor.width
        }
        self.starts = starts
    }

    /// x of a row's outer product, or the numbers of a plain factor; those of the next row follow.
    public func inputs(_ factor: Int, row: Int) -> UnsafeMutablePointer<Float> {
        switch factors[factor] {
        case .outer(let inputs, _, _): starts[factor] + (row - rows.lowerBound) * inputs
        case .plain(let width): starts[factor] + (row - rows.lowerBound) * width
        }
    }

    /// δ of a row's outer product; that of the next row follows.
    public func outputs(_ factor: Int, row: Int) -> UnsafeMutablePointer<Float> {
        guard case .outer(let inputs, let outputs, _) = factors[factor] else {
            preconditionFailure("plain numbers have no second factor")
        }
        return starts[factor] + rows.count * inputs + (row - rows.lowerBound) * outputs
    }
}

extension FisherRows {
    /// Bytes that what a row is made of takes.
    public var factorByteCount: Int { factors.reduce(0) { $0 + $1.width } * MemoryLayout<Float>.stride }

    /// Rows, and columns, of a tile of the Gram matrix: a piece of work.
    private static var tile: Int { 64 }
    /// Products that are summed before the next question whether to stop.
    private static var run: Int { 16_384 }

    /// Writes AAᵀ + λI, of all pairs of examples: the lower triangle.
    ///
    /// Of outer products (δᵢ ⊗ x̃ᵢ)·(δⱼ ⊗ x̃ⱼ) = (δᵢ·δⱼ)(x̃ᵢ·x̃ⱼ): n²·(C + D) flops for a layer of C·D weights, where rows that are written
    /// out take n²·C·D. What rows are made of is kept where all of it fits into `workingMemory`. Otherwise it is made again for each
    /// two stripes of rows, each of which takes half. An element has the same bits either way, and on any number of threads.
    /// - Parameters:
    ///   - shift: λ.
    ///   - matrix: of the order n.
    ///   - workingMemory: bytes that rows may take, of which there are two in any case.
    ///   - parallel: the threads.
    ///   - interruption: when to stop.
    /// - Throws: `Interrupted`, and what reading gradients may throw.
    public func writeGram(
        plus shift: Double, to matrix: PackedSymmetricMatrix, workingMemory: Int, parallel: Parallel, interruption: Interruption
    ) throws {
        precondition(matrix.order == exampleCount, "a row and a column for each example")
        let rowBytes = max(1, factorByteCount)
        let fits = exampleCount <= workingMemory / rowBytes
        let height = fits ? exampleCount : max(1, workingMemory / 2 / rowBytes)
        let ranges = stride(from: 0, to: exampleCount, by: height).map { $0..<min($0 + height, exampleCount) }
        for (index, range) in ranges.enumerated() {
            let stripe = RowStripe(range, factors: factors)
            try write(stripe, parallel: parallel, interruption: interruption)
            for other in ranges[..<index] {
                let before = RowStripe(other, factors: factors)
                try write(before, parallel: parallel, interruption: interruption)
                try Self.multiply(stripe, before, plus: shift, matrix, parallel, interruption)
            }
            try Self.multiply(stripe, stripe, plus: shift, matrix, parallel, interruption)
        }
    }

    /// The products of the rows of one stripe with those of another, which is not behind it.
    private static func multiply(
        _ left: RowStripe, _ right: RowStripe, plus shift: Double, _ matrix: PackedSymmetricMatrix, _ parallel: Parallel,
        _ interruption: Interruption
    ) throws {
        func tiles(_ rows: Range<Int>) -> [Range<Int>] {
            stride(from: rows.lowerBound, to: rows.upperBound, by: tile).map { $0..<min($0 + tile, rows.upperBound) }
        }
        let columns = tiles(right.rows)
        let pairs = tiles(left.rows).flatMap { rows in
            columns.filter { $0.lowerBound <= rows.lowerBound }.map { (rows: rows, columns: $0) }
        }
        try parallel.forEach(pairs.count, interruption: interruption) { pair in
            let (rows, columns) = pairs[pair]
            let (height, width) = (rows.count, columns.count)
            let sum = AlignedMemory<Double>(repeating: 0, count: height * width)
            let first = AlignedMemory<Float>(uninitialized: height * width)
            let second = AlignedMemory<Float>(uninitialized: height * width)
            func multiply(
                _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ length: Int, into result: AlignedMemory<Float>
            ) throws {
                if length == 0 { result.elements.update(repeating: 0) }
                for start in stride(from: 0, to: length, by: run) {
                    try interruption.check()
                    MatrixProduct.multiply(
                        .none, .transposed, m: height, n: width, k: min(run, length - start), alpha: 1, a + start, length,
                        b + start, length, beta: start == 0 ? 0 : 1, result.start, width)
                }
            }
            for (index, factor) in left.factors.enumerated() {
                let (a, b) = (
                    left.inputs(index, row: rows.lowerBound), right.inputs(index, row: columns.lowerBound)
                )
                switch factor {
                case .plain(let length):
                    try multiply(a, b, length, into: first)
                    for i in 0..<height * width { sum.start[i] += Double(first.start[i]) }
                case .outer(let inputs, let outputs, let hasOne):
                    try multiply(a, b, inputs, into: first)
                    try multiply(
                        left.outputs(index, row: rows.lowerBound), right.outputs(index, row: columns.lowerBound), outputs,
                        into: second)
                    let one: Double = hasOne ? 1 : 0
                    for i in 0..<height * width { sum.start[i] += Double(second.start[i]) * (Double(first.start[i]) + one) }
                }
            }
            for row in rows {
                for column in columns where column <= row {
                    let value = sum.start[(row - rows.lowerBound) * width + column - columns.lowerBound]
                    matrix[row, column] = Float(row == column ? value + shift : value)
                }
            }
        }
    }
}
