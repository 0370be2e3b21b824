public import LinearAlgebra

/// The empirical Fisher matrix of gradients that are kept as rows, (1/n) Σ gᵢgᵢᵀ: what is known of a curvature where there is no
/// network to differentiate, or where gradients are projected.
///
/// A product with an example is two products with its row: 4·d flops. Where examples have weights, rows being gᵢ = wᵢ∇ℓᵢ, it is
/// (1/n) Σ gᵢgᵢᵀ/wᵢ = (1/n) Σ wᵢ∇ℓᵢ∇ℓᵢᵀ, as it is of networks.
public struct RowFisher: CurvatureOperator {
    /// The rows. Where they are not in memory, products with single ones are slow; those over ranges, and the matrix itself, are not.
    public let rows: any GradientRows
    /// √(1/wᵢ) of each example, 0 for 1/0; nil where all are 1.
    let roots: [Float]?
    /// trace(D) and the largest ‖gᵢ‖².
    public let size: CurvatureSize

    /// d.
    public var dimension: Int { rows.width }
    /// n.
    public var exampleCount: Int { rows.count }

    /// The Fisher matrix of some rows; measures them once.
    /// - Parameter weights: what is in the rows already of each example; nil for 1.
    /// - Throws: `Interrupted`, and what reading the rows may throw.
    public init(
        _ rows: any GradientRows, weights: [Float]? = nil, parallel: Parallel, interruption: Interruption = .never
    ) throws {
        precondition(weights?.count ?? rows.count == rows.count, "one weight for each row")
        self.rows = rows
        let roots = weights.map { $0.map { $0 > 0 ? (1 / $0).squareRoot() : 0 } }
        self.roots = roots
        let norms = AlignedMemory<Double>(uninitialized: rows.count)
        try rows.forEachStretch(parallel: parallel, interruption: interruption) { stretch, view in
            let row = AlignedMemory<Float>(uninitialized: view.width)
            for place in 0..<stretch.count {
                if place % 64 == 0 { try interruption.check() }
                view.decode(place..<place + 1, into: row.start)
                let root = Double(roots?[stretch.lowerBound + place] ?? 1)
                norms.start[stretch.lowerBound + place] = Vectors.dot(row.start, row.start, view.width) * root * root
            }
        }
        size = CurvatureSize(
            trace: norms.elements.reduce(0, +) / Double(max(1, rows.count)), largestExampleNorm: norms.elements.max() ?? 0)
    }

    /// Its size, which is known.
    public func measure(parallel: Parallel, interruption: Interruption) throws -> CurvatureSize { size }

    /// One thread's memory.
    public final class Workspace {
        fileprivate let coefficients: AlignedMemory<Float>
        fileprivate let images: AlignedMemory<Float>
        fileprivate let interruption: Interruption

        fileprivate init(width: Int, vectorCount: Int, interruption: Interruption) {
            coefficients = AlignedMemory(uninitialized: vectorCount * RowFisher.rowsAtATime)
            images = AlignedMemory(uninitialized: vectorCount * width)
            self.interruption = interruption
        }
    }

    /// Rows whose products with the vectors are at hand before they are summed: they stay in the cache from one to the other.
    static let rowsAtATime = 32

    /// Memory for products with up to `vectorCount` vectors.
    public func makeWorkspace(vectorCount: Int, interruption: Interruption) -> Workspace {
        Workspace(width: dimension, vectorCount: vectorCount, interruption: interruption)
    }

    /// See `CurvatureOperator`.
    /// - Throws: `Interrupted`.
    public func addProduct(
        over batch: ExampleBatch, alpha: Float, of x: UnsafePointer<Float>, beta: Float, plus addend: UnsafePointer<Float>?,
        to y: UnsafeMutablePointer<Float>, vectorCount: Int, workspace: Workspace
    ) throws {
        precondition(batch.count > 0, "a mean needs examples")
        let factor = alpha / Float(batch.count)
        let (images, coefficients) = (workspace.images.start, workspace.coefficients.start)
        images.update(repeating: 0, count: vectorCount * dimension)
        func add(_ view: EncodedRows, _ example: (Int) -> Int) throws {
            let count = view.count
            try view.score(
                0..<count, along: x, vectorCount: vectorCount, into: coefficients, stride: count,
                interruption: workspace.interruption)
            for i in 0..<count * vectorCount { coefficients[i] *= factor }
            if let roots {
                for i in 0..<count * vectorCount {
                    let root = roots[example(i % count)]
                    coefficients[i] *= root * root
                }
            }
            try view.accumulate(
                0..<count, coefficients: coefficients, stride: count, vectorCount: vectorCount, into: images,
                interruption: workspace.interruption)
        }
        switch batch {
        case .range(let range):
            var first = range.lowerBound
            try rows.forEachPart(of: range, length: Self.rowsAtATime, interruption: workspace.interruption) { view in
                try add(view) { first + $0 }
                first += view.count
            }
        case .indices(let indices):
            try rows.forEach(Array(indices), interruption: workspace.interruption) { place, view in
                try add(view) { _ in Int(indices[place]) }
            }
        }
        for i in 0..<vectorCount * dimension {
            y[i] = (beta == 0 ? 0 : beta * y[i]) + (addend?[i] ?? 0) + images[i]
        }
    }

    /// Writes D + λI: a stripe of columns at a time, each from all rows; n·d² flops.
    /// - Throws: `Interrupted`.
    public func write(
        plus shift: Double, to matrix: PackedSymmetricMatrix, parallel: Parallel, interruption: Interruption
    ) throws {
        precondition(matrix.order == dimension, "the matrix is of the curvature's order")
        let (width, rowsAtATime) = (256, 128)
        try parallel.forEach((dimension + width - 1) / width, interruption: interruption) { stripe in
            let columns = stripe * width..<min((stripe + 1) * width, dimension)
            let height = dimension - columns.lowerBound
            let block = AlignedMemory<Float>(repeating: 0, count: height * columns.count)
            let decoded = AlignedMemory<Float>(uninitialized: rowsAtATime * dimension)
            var first = 0
            try rows.forEachPart(of: 0..<exampleCount, length: rowsAtATime, interruption: interruption) { view in
                view.decode(0..<view.count, into: decoded.start)
                if let roots {
                    for row in 0..<view.count {
                        BLAS.scale(dimension, by: roots[first + row], decoded.start + row * dimension)
                    }
                }
                first += view.count
                let part = decoded.start + columns.lowerBound
                MatrixProduct.multiply(
                    .transposed, .none, m: height, n: columns.count, k: view.count, alpha: 1 / Float(exampleCount), part,
                    dimension, part, dimension, beta: 1, block.start, columns.count)
            }
            for row in columns.lowerBound..<dimension {
                for column in columns where column <= row {
                    matrix[row, column] =
                        block.start[(row - columns.lowerBound) * columns.count + column - columns.lowerBound]
                        + (row == column ? Float(shift) : 0)
                }
            }
        }
    }
}
