internal import LinearAlgebra

/// Some vectors of one length, Q [k, p] row after row, and products with them over fixed pieces of their length: an element's bits depend on
/// its own vector alone.
struct StackedRows: Sendable {
    /// Where the rows are: at least the first `count`, each of `dimension` numbers.
    let memory: AlignedMemory<Float>
    /// Which of the rows in memory these are.
    let range: Range<Int>
    /// p.
    let dimension: Int

    private static let pieceLength = 1024

    init(_ memory: AlignedMemory<Float>, range: Range<Int>, dimension: Int) {
        precondition(range.upperBound * dimension <= memory.count, "there are so many rows")
        (self.memory, self.range, self.dimension) = (memory, range, dimension)
    }

    init(_ memory: AlignedMemory<Float>, count: Int, dimension: Int) {
        self.init(memory, range: 0..<count, dimension: dimension)
    }

    /// k.
    var count: Int { range.count }
    /// The first row; valid as long as the memory is held.
    var start: UnsafeMutablePointer<Float> { memory.start + range.lowerBound * dimension }

    /// Some of the rows.
    subscript(_ part: Range<Int>) -> StackedRows {
        StackedRows(memory, range: range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound, dimension: dimension)
    }

    /// V·Qᵀ [count, k] for stacked vectors [count, p].
    /// - Throws: `Interrupted`.
    func coefficients(
        of vectors: UnsafePointer<Float>, count vectorCount: Int, parallel: Parallel, interruption: Interruption
    ) throws -> [Float] {
        let pieces = Parallel.ranges(of: dimension, pieces: dimension / Self.pieceLength)
        let (rank, dimension, basis) = (count, dimension, self)
        let partials = AlignedMemory<Float>(uninitialized: pieces.count * vectorCount * rank)
        // Only read, by every piece.
        nonisolated(unsafe) let vectors = vectors
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let range = pieces[piece]
            MatrixProduct.multiply(
                .none, .transposed, m: vectorCount, n: rank, k: range.count, alpha: 1, vectors + range.lowerBound, dimension,
                basis.start + range.lowerBound, dimension, beta: 0, partials.start + piece * vectorCount * rank, rank)
        }
        return (0..<vectorCount * rank).map { i in
            Float(pieces.indices.reduce(0.0) { $0 + Double(partials.start[$1 * vectorCount * rank + i]) })
        }
    }

    /// Y ← β·Y + W·Q for weights W [count, k] and stacked vectors Y [count, p].
    /// - Throws: `Interrupted`.
    func add(
        _ weights: [Float], beta: Float, to vectors: UnsafeMutablePointer<Float>, count vectorCount: Int, parallel: Parallel,
        interruption: Interruption
    ) throws {
        let pieces = Parallel.ranges(of: dimension, pieces: dimension / Self.pieceLength)
        let (rank, dimension, basis) = (count, dimension, self)
        // Every piece writes columns of its own.
        nonisolated(unsafe) let vectors = vectors
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let range = pieces[piece]
            weights.withUnsafeBufferPointer { weights in
                guard let weights = weights.baseAddress else { return }
                MatrixProduct.multiply(
                    .none, .none, m: vectorCount, n: range.count, k: rank, alpha: 1, weights, rank,
                    basis.start + range.lowerBound, dimension, beta: beta, vectors + range.lowerBound, dimension)
            }
        }
    }
}
