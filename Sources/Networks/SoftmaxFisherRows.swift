public import LinearAlgebra

/// The gradients of a softmax regression, aᵢ = rᵢ ⊗ x̃ᵢ with rᵢ = p − onehot(y): see `FisherRows`. One block; features stay as they
/// are stored.
public struct SoftmaxFisherRows: FisherRows {
    /// The model.
    public let model: SoftmaxRegression
    /// The training examples' inputs.
    public let features: FeatureRows
    /// r, [n, C].
    private let residuals: [Float]
    /// ‖rᵢ‖²·‖x̃ᵢ‖².
    private let norms: AlignedMemory<Double>

    /// p.
    public var dimension: Int { model.parameterCount }
    /// n.
    public var exampleCount: Int { features.count }
    /// The whole of θ.
    public var blocks: [Range<Int>] { [0..<dimension] }
    /// rᵢ and xᵢ.
    public var factors: [RowFactor] {
        [.outer(inputs: model.inputWidth, outputs: model.classCount, hasOne: model.hasBias)]
    }

    /// The gradients of given features and residuals, [n, C]; measures them once.
    /// - Throws: `Interrupted`.
    public init(
        model: SoftmaxRegression, features: FeatureRows, residuals: [Float], parallel: Parallel,
        interruption: Interruption = .never
    ) throws {
        precondition(features.width == model.inputWidth, "features are as wide as the model's input")
        precondition(residuals.count == features.count * model.classCount, "one row of residuals for each example")
        (self.model, self.features, self.residuals) = (model, features, residuals)
        let norms = AlignedMemory<Double>(uninitialized: features.count)
        let pieces = Parallel.ranges(of: features.count, pieces: (features.count + 511) / 512)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            var pace = PacedInterruption(interruption)
            try residuals.withUnsafeBufferPointer { residuals in
                guard let start = residuals.baseAddress else { return }
                for row in pieces[piece] {
                    let r = start + row * model.classCount
                    norms.start[row] =
                        Vectors.dot(r, r, model.classCount) * (features.squaredNorm(of: row) + (model.hasBias ? 1 : 0))
                    try pace.check(after: 2 * features.width)
                }
            }
        }
        self.norms = norms
    }

    /// See `FisherRows`. 2·p flops an example and vector for products, and as many for sums; rows are read once for all vectors.
    /// - Throws: `Interrupted`, and what `body` throws.
    public func visit(
        _ rows: Range<Int>, along x: UnsafePointer<Float>?, addingTo y: UnsafeMutablePointer<Float>?, vectorCount: Int,
        needsNorms: Bool, interruption: Interruption, _ body: (RowProducts) throws -> Void
    ) throws {
        let (classes, length) = (model.classCount, dimension)
        let tile = RowTile()
        let values = AlignedMemory<Float>(repeating: 0, count: vectorCount * RowTile.capacity)
        let weights = AlignedMemory<Float>(uninitialized: RowTile.capacity * classes)
        var pace = PacedInterruption(interruption)
        try residuals.withUnsafeBufferPointer { residuals in
            guard let all = residuals.baseAddress else { return }
            for start in stride(from: 0, to: rows.count, by: RowTile.capacity) {
                tile.load(start..<min(start + RowTile.capacity, rows.count), of: .range(rows), from: features)
                let first = rows.lowerBound + start
                let r = all + first * classes
                if let x {
                    for vector in 0..<vectorCount {
                        multiply(tile, r, along: x + vector * length, into: values.start + vector * RowTile.capacity)
                        try pace.check(after: 2 * tile.count * length)
                    }
                }
                try body(
                    RowProducts(
                        block: 0, rows: first..<first + tile.count,
                        squaredNorms: needsNorms ? UnsafePointer(norms.start + first) : nil, values: values.start,
                        stride: RowTile.capacity))
                guard let y else { continue }
                for vector in 0..<vectorCount {
                    let coefficients = values.start + vector * RowTile.capacity
                    for row in 0..<tile.count {
                        for c in row * classes..<(row + 1) * classes { weights.start[c] = coefficients[row] * r[c] }
                    }
                    model.accumulate(
                        weights.start, of: tile, in: features, alpha: 1, beta: 1, into: y + vector * length)
                    try pace.check(after: 2 * tile.count * length)
                }
            }
        }
    }

    /// rᵢ · (S xᵢ + b) for the rows of a tile.
    @inline(__always)
    private func multiply(
        _ tile: RowTile, _ r: UnsafePointer<Float>, along x: UnsafePointer<Float>, into products: UnsafeMutablePointer<Float>
    ) {
        let classes = model.classCount
        features.score(tile, on: x, vectorCount: classes, coefficients: r, into: products)
        for row in 0..<tile.count { products[row] *= features.multiplier }
        guard model.hasBias else { return }
        let biases = x + classes * model.inputWidth
        for row in 0..<tile.count {
            for c in 0..<classes { products[row] += r[row * classes + c] * biases[c] }
        }
    }

    /// See `FisherRows`.
    /// - Throws: `Interrupted`.
    public func write(_ stripe: RowStripe, parallel: Parallel, interruption: Interruption) throws {
        let pieces = stride(from: stripe.rows.lowerBound, to: stripe.rows.upperBound, by: 256).map {
            $0..<min($0 + 256, stripe.rows.upperBound)
        }
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let rows = pieces[piece]
            features.copyValues(of: rows, into: stripe.inputs(0, row: rows.lowerBound))
            let target = stripe.outputs(0, row: rows.lowerBound)
            for i in 0..<rows.count * model.classCount { target[i] = residuals[rows.lowerBound * model.classCount + i] }
        }
    }
}
