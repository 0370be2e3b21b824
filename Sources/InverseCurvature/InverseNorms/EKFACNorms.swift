internal import LinearAlgebra

/// What one block of an approximation adds to the norms of examples.
///
/// Rows are made of length 1 before they are squared, and 1/(Λ + λ) is measured by its largest: squares stay in single precision whatever
/// the sizes of gradients.
struct EKFACNorms: Sendable {
    /// Examples at a time, more than which gain nothing.
    static let mostExamples = 256

    /// The block.
    let block: CurvatureBlock
    /// max 1/(Λ + λ), and (1/(Λ + λ))/max, and its squares: [C, D̃].
    let scale: Double
    let reciprocals, squares: AlignedMemory<Float>
    /// Which of a row's factors the block is of, and where θ's part of that begins.
    let factor: Int, start: Int
    let layers: [RowFactor]

    init(of block: CurvatureBlock, shift: Double, among factors: [RowFactor]) {
        self.block = block
        layers = factors
        let values = block.eigenvalues
        let smallest = Double(values.elements.min() ?? 0) + shift
        scale = 1 / smallest
        reciprocals = AlignedMemory(uninitialized: values.count)
        squares = AlignedMemory(uninitialized: values.count)
        for i in 0..<values.count {
            let ratio = smallest / (Double(values.start[i]) + shift)
            reciprocals.start[i] = Float(ratio)
            squares.start[i] = Float(ratio * ratio)
        }
        var (factor, start) = (0, 0)
        let first = block.parameters.map(\.lowerBound).min() ?? 0
        while factor < factors.count - 1, start + factors[factor].dimension <= first {
            start += factors[factor].dimension
            factor += 1
        }
        (self.factor, self.start) = (factor, start)
    }

    /// Whether the block is all of a layer whose gradients are outer products.
    private func isOuter(_ block: KroneckerBlock) -> Bool {
        guard layers[factor] == .outer(inputs: block.inputs, outputs: block.outputs, hasOne: block.biases != nil) else {
            return false
        }
        return block.weights == start
            && (block.biases ?? start + block.outputs * block.inputs) == start + block.outputs * block.inputs
    }

    /// Numbers of memory that an example takes on its way.
    var scratchPerExample: Int {
        guard case .kronecker(let block) = block else { return layers.reduce(0) { $0 + $1.dimension } }
        if isOuter(block) { return 2 * (block.order + block.outputs) + 2 * block.outputs }
        return 2 * block.outputs * block.order + layers.reduce(0) { $0 + $1.dimension }
    }

    /// Adds the block's part of the norms of some rows.
    /// - Throws: `Interrupted`.
    func add(_ examples: Range<Int>, of stripe: RowStripe, to sums: NormSums, _ interruption: Interruption) throws {
        switch block {
        case .diagonal(let offset, let values):
            try addElements(examples, of: stripe, offset..<offset + values.count, to: sums, interruption)
        case .kronecker(let block):
            if isOuter(block) {
                try addOuter(block, examples, of: stripe, to: sums, interruption)
            } else {
                try addWritten(block, examples, of: stripe, to: sums, interruption)
            }
        }
    }

    /// Columns of a product at a time, and products of numbers: a piece of work of some milliseconds at most.
    private static let (tileColumns, tileProducts) = (128, 1 << 26)

    /// result [m, n] ← a [m, k] · op(b), tile by tile.
    func multiply(
        _ transposition: Transposition, m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ ldb: Int,
        into result: UnsafeMutablePointer<Float>, _ interruption: Interruption
    ) throws {
        let height = max(8, Self.tileProducts / Self.tileColumns / max(1, k))
        for row in stride(from: 0, to: m, by: height) {
            for column in stride(from: 0, to: n, by: Self.tileColumns) {
                try interruption.check()
                MatrixProduct.multiply(
                    .none, transposition, m: min(height, m - row), n: min(Self.tileColumns, n - column), k: k, alpha: 1,
                    a + row * k, k, b + column * (transposition == .none ? 1 : ldb), ldb, beta: 0, result + row * n + column, n)
            }
        }
    }

    /// Σ_c (Q_G·δ)_c² Σ_d (Q_A·x̃)_d²·R_cd of δ and x̃ of length 1, times the squares of their lengths.
    private func addOuter(
        _ block: KroneckerBlock, _ examples: Range<Int>, of stripe: RowStripe, to sums: NormSums, _ interruption: Interruption
    ) throws {
        let (count, inputs, order, outputs) = (examples.count, block.inputs, block.order, block.outputs)
        let x = AlignedMemory<Float>(uninitialized: count * order)
        let deltas = AlignedMemory<Float>(uninitialized: count * outputs)
        var sizes = [Double](repeating: 0, count: count)
        var pace = PacedInterruption(interruption)
        for (place, example) in examples.enumerated() {
            let row = x.start + place * order
            row.update(from: stripe.inputs(factor, row: example), count: inputs)
            if block.biases != nil { row[inputs] = 1 }
            let delta = deltas.start + place * outputs
            delta.update(from: stripe.outputs(factor, row: example), count: outputs)
            let size = Self.normalize(row, order) * Self.normalize(delta, outputs)
            sizes[place] = size * size
            try pace.check(after: 4 * (order + outputs))
        }
        let rotated = AlignedMemory<Float>(uninitialized: count * order)
        try multiply(
            .transposed, m: count, n: order, k: order, x.start, block.inputVectors.start, order, into: rotated.start, interruption
        )
        let rotatedDeltas = AlignedMemory<Float>(uninitialized: count * outputs)
        try multiply(
            .transposed, m: count, n: outputs, k: outputs, deltas.start, block.outputVectors.start, outputs,
            into: rotatedDeltas.start, interruption)
        for i in 0..<count * order { rotated.start[i] *= rotated.start[i] }
        for i in 0..<count * outputs { rotatedDeltas.start[i] *= rotatedDeltas.start[i] }
        /// Σ_cd of all examples, for one power.
        func quadratic(_ weights: AlignedMemory<Float>) throws -> [Double] {
            // In memory that δ needs no more.
            try multiply(
                .transposed, m: count, n: outputs, k: order, rotated.start, weights.start, order, into: deltas.start, interruption
            )
            return (0..<count).map { place in
                Vectors.dot(deltas.start + place * outputs, rotatedDeltas.start + place * outputs, outputs)
            }
        }
        let influence = try quadratic(reciprocals)
        let steps = sums.needsSteps ? try quadratic(squares) : [Double](repeating: 0, count: count)
        for (place, example) in examples.enumerated() {
            let size = sizes[place] * scale
            sums.add(example, influence: size * influence[place], squaredStep: size * scale * steps[place])
        }
        withExtendedLifetime((x, deltas, rotated, rotatedDeltas)) {}
    }

    /// Makes a vector of length 1, unless it is zero, and says how long it was.
    static func normalize(_ x: UnsafeMutablePointer<Float>, _ count: Int) -> Double {
        let length = Vectors.norm(x, count)
        guard length > 0 else { return length }
        let factor = 1 / length
        for i in 0..<count { x[i] = Float(Double(x[i]) * factor) }
        return length
    }
}
