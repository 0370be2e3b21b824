/// The rows aᵢ = √wᵢ·∇ℓᵢ of a matrix A [n, p] that the empirical Fisher matrix is made of, F = (1/n) AᵀA = (1/n) Σ wᵢ∇ℓᵢ∇ℓᵢᵀ: known by
/// their products and sums, as A itself is rarely worth its memory.
///
/// All that a solver needs to know of gradients: Aᵀ and A apply in one way through the examples, with any function of an example's
/// products between them, and AAᵀ comes from what rows are made of.
public protocol FisherRows: Sendable {
    /// p: the length of a row.
    var dimension: Int { get }
    /// n.
    var exampleCount: Int { get }
    /// The parts of a row that belong together, as a layer's parameters do: one after the other they make up 0..<p.
    var blocks: [Range<Int>] { get }
    /// What a row is made of, as `write` writes it.
    var factors: [RowFactor] { get }

    /// One way through some examples, a few at a time, by one thread.
    ///
    /// For each few examples and each block l, one after the other, `body` finds aᵢₗ·xₖₗ for each of the vectors xₖ, and puts numbers cᵢₖ
    /// in their place, of which yₖₗ ← yₖₗ + Σᵢ cᵢₖ·aᵢₗ is made then. The vectors are stacked, p apart. A product, and a sum, has the same
    /// bits whatever other vectors there are; sums depend on the range of examples.
    /// - Parameters:
    ///   - rows: the examples.
    ///   - x: nil where products are not needed: what `body` finds in their place is of no value.
    ///   - y: nil where sums are not needed.
    ///   - vectorCount: how many vectors x and y are, at least 1.
    ///   - needsNorms: whether `body` asks for ‖aᵢₗ‖².
    ///   - interruption: when to stop.
    ///   - body: told of the products of a few examples, in order.
    /// - Throws: `Interrupted`, what `body` throws, and what reading gradients may throw.
    func visit(
        _ rows: Range<Int>, along x: UnsafePointer<Float>?, addingTo y: UnsafeMutablePointer<Float>?, vectorCount: Int,
        needsNorms: Bool, interruption: Interruption, _ body: (RowProducts) throws -> Void) throws

    /// Writes what the rows of a stripe are made of, on several threads.
    /// - Throws: `Interrupted`, and what reading gradients may throw.
    func write(_ stripe: RowStripe, parallel: Parallel, interruption: Interruption) throws
}

/// Products of one block of a few rows with some vectors: lent while the function runs that is shown them.
public struct RowProducts {
    /// Which of the blocks.
    public let block: Int
    /// The examples.
    public let rows: Range<Int>
    /// ‖aᵢₗ‖², one for each example; nil unless asked for.
    public let squaredNorms: UnsafePointer<Double>?
    /// aᵢₗ·xₖₗ at k·`stride` + place of i among the examples; in its place goes what the row is multiplied by in the sum yₖ.
    public let values: UnsafeMutablePointer<Float>
    /// How far one vector's products are from the next one's.
    public let stride: Int

    /// Products at some place.
    public init(
        block: Int, rows: Range<Int>, squaredNorms: UnsafePointer<Double>?, values: UnsafeMutablePointer<Float>, stride: Int
    ) {
        (self.block, self.rows, self.squaredNorms) = (block, rows, squaredNorms)
        (self.values, self.stride) = (values, stride)
    }
}

extension FisherRows {
    /// A·x for each of some stacked vectors: [vectors, n]. One way through all examples.
    /// - Throws: as `visit`.
    public func products(
        with x: [Float], vectorCount: Int, parallel: Parallel, interruption: Interruption
    ) throws -> AlignedMemory<Float> {
        precondition(x.count == vectorCount * dimension, "vectors are as long as rows")
        let count = exampleCount
        let products = AlignedMemory<Float>(repeating: 0, count: vectorCount * count)
        let pieces = Parallel.ranges(of: count, pieces: ExamplePieces.count(of: count, dimension: 1))
        try x.withUnsafeBufferPointer { x in
            guard let start = x.baseAddress else { return }
            // Only read, by every piece.
            nonisolated(unsafe) let x = start
            try parallel.forEach(pieces.count, interruption: interruption) { piece in
                try visit(
                    pieces[piece], along: x, addingTo: nil, vectorCount: vectorCount, needsNorms: false,
                    interruption: interruption
                ) { part in
                    for vector in 0..<vectorCount {
                        let target = products.start + vector * count + part.rows.lowerBound
                        let source = part.values + vector * part.stride
                        for i in 0..<part.rows.count { target[i] += source[i] }
                    }
                }
            }
        }
        return products
    }

    /// Vectors whose sums, of all pieces, take 256 MiB together; at least one. More at a time gain nothing.
    public var vectorsTogether: Int {
        max(1, (64 << 20) / ExamplePieces.count(of: exampleCount, dimension: dimension) / max(1, dimension))
    }

    /// Σᵢ cᵢₖ·aᵢ for each of some stacked vectors, cᵢₖ being what `body` makes of an example's products with xₖ: [vectors, p].
    ///
    /// The examples are cut into pieces for the threads, the same for any number of these; takes memory for up to 16 times the result.
    /// - Throws: as `visit`.
    public func sums(
        along x: UnsafePointer<Float>?, vectorCount: Int, needsNorms: Bool, parallel: Parallel, interruption: Interruption,
        _ body: @escaping @Sendable (RowProducts) throws -> Void
    ) throws -> AlignedMemory<Float> {
        let length = vectorCount * dimension
        let pieces = Parallel.ranges(
            of: exampleCount, pieces: ExamplePieces.count(of: exampleCount, dimension: dimension))
        let partials = (0..<max(1, pieces.count)).map { _ in AlignedMemory<Float>(uninitialized: length) }
        // Only read, by every piece.
        nonisolated(unsafe) let x = x
        try parallel.forEach(partials.count, interruption: interruption) { piece in
            let sum = partials[piece]
            for vector in 0..<vectorCount {
                try interruption.check()
                (sum.start + vector * dimension).update(repeating: 0, count: dimension)
            }
            guard piece < pieces.count else { return }
            try visit(
                pieces[piece], along: x, addingTo: sum.start, vectorCount: vectorCount, needsNorms: needsNorms,
                interruption: interruption, body)
        }
        // Element by element, in order.
        let slices = Parallel.ranges(of: length, pieces: (length + 65_535) / 65_536)
        try parallel.forEach(slices.count, interruption: interruption) { slice in
            let total = partials[0].start
            for partial in partials.dropFirst() {
                let partial = partial.start
                for i in slices[slice] { total[i] += partial[i] }
            }
        }
        return partials[0]
    }
}
