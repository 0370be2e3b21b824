public import LinearAlgebra

/// The empirical Fisher matrix of gradients that are kept as rows, (1/n) Σ gᵢgᵢᵀ: what is known of a curvature where there is no
/// network to differentiate.
///
/// A product with an example is two products with its row: 4·d flops.
public struct RowFisher: CurvatureOperator {
    /// The rows, which must be in memory: solvers ask for single ones.
    public let rows: ResidentRows
    /// trace(D) and the largest ‖gᵢ‖².
    public let size: CurvatureSize

    /// d.
    public var dimension: Int { rows.width }
    /// n.
    public var exampleCount: Int { rows.count }

    /// The Fisher matrix of some rows; measures them once.
    /// - Throws: `Interrupted`.
    public init(_ rows: ResidentRows, parallel: Parallel, interruption: Interruption = .never) throws {
        self.rows = rows
        let norms = AlignedMemory<Double>(uninitialized: rows.count)
        try rows.forEachStretch(parallel: parallel, interruption: interruption) { stretch, view in
            let row = AlignedMemory<Float>(uninitialized: view.width)
            for place in 0..<stretch.count {
                view.decode(place..<place + 1, into: row.start)
                norms.start[stretch.lowerBound + place] = Vectors.dot(row.start, row.start, view.width)
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
    fileprivate static let rowsAtATime = 32

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
        func add(_ view: EncodedRows) throws {
            let count = view.count
            try view.score(
                0..<count, along: x, vectorCount: vectorCount, into: coefficients, stride: count,
                interruption: workspace.interruption)
            for i in 0..<count * vectorCount { coefficients[i] *= factor }
            try view.accumulate(
                0..<count, coefficients: coefficients, stride: count, vectorCount: vectorCount, into: images,
                interruption: workspace.interruption)
        }
        switch batch {
        case .range(let range):
            for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.rowsAtATime) {
                try add(rows.rows.part(start..<min(start + Self.rowsAtATime, range.upperBound)))
            }
        case .indices(let indices):
            for row in indices { try add(rows.rows.part(Int(row)..<Int(row) + 1)) }
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
            for start in stride(from: 0, to: exampleCount, by: rowsAtATime) {
                try interruption.check()
                let stretch = start..<min(start + rowsAtATime, exampleCount)
                rows.rows.decode(stretch, into: decoded.start)
                let part = decoded.start + columns.lowerBound
                MatrixProduct.multiply(
                    .transposed, .none, m: height, n: columns.count, k: stretch.count, alpha: 1 / Float(exampleCount), part,
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
