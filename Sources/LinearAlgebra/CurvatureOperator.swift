/// Which training examples a curvature product runs over.
public enum ExampleBatch {
    /// Neighbouring rows, which can be read as they lie.
    case range(Range<Int>)
    /// Any rows, which are gathered.
    case indices(UnsafeBufferPointer<UInt32>)

    /// Examples in the batch.
    public var count: Int {
        switch self {
        case .range(let rows): rows.count
        case .indices(let rows): rows.count
        }
    }
}

/// The data part of a curvature: D = (1/n) Σ Cᵢ over n training examples, each Cᵢ symmetric, known by its products.
///
/// Weight decay and damping are not inside: solvers work on D + λI and are told λ. This is all that a solver knows of a model,
/// so every solver works on every network.
public protocol CurvatureOperator: Sendable {
    /// Memory that one thread's products need, made once and used again.
    associatedtype Workspace

    /// p: the length of the vectors.
    var dimension: Int { get }
    /// n: how many examples the curvature is the mean of.
    var exampleCount: Int { get }
    /// Bytes that it keeps from one product to the next, or will, beside the model and the examples.
    var keptByteCount: Int { get }
    /// Memory for products with up to `vectorCount` vectors, which stop when `interruption` says so.
    func makeWorkspace(vectorCount: Int, interruption: Interruption) -> Workspace

    /// y ← β·y + addend + α·(1/|B|) Σ_{i∈B} Cᵢ·x for each of `vectorCount` vectors, stacked `dimension` apart; no addend is zero, and B is
    /// not empty.
    ///
    /// `x` and `y` may be the same memory: every read of a vector of x happens before the first write of its image. The result's bits
    /// depend on the arguments alone, and those of a vector's image on no other vector: it is as if each were multiplied alone.
    /// - Throws: `Interrupted`; y is of no use then.
    func addProduct(
        over batch: ExampleBatch, alpha: Float, of x: UnsafePointer<Float>, beta: Float, plus addend: UnsafePointer<Float>?,
        to y: UnsafeMutablePointer<Float>, vectorCount: Int, workspace: Workspace) throws

    /// A hint that a product over `batch` comes next: its memory may be asked for while other work goes on.
    func prepare(for batch: ExampleBatch, workspace: Workspace)

    /// y ← D·x over all examples, of which there must be one, for each of `vectorCount` stacked vectors; x and y may be the same memory.
    /// - Throws: `Interrupted`.
    func product(
        of x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, vectorCount: Int, parallel: Parallel,
        interruption: Interruption) throws

    /// trace(D), and how wide a mini-batch of one can swing.
    /// - Throws: `Interrupted`.
    func measure(parallel: Parallel, interruption: Interruption) throws -> CurvatureSize

    /// Writes D + λI itself: every element of the lower triangle.
    /// - Throws: `Interrupted`.
    func write(
        plus shift: Double, to matrix: PackedSymmetricMatrix, parallel: Parallel, interruption: Interruption) throws
}

/// How large a curvature is, as far as one way through the examples shows.
public struct CurvatureSize: Sendable, Equatable {
    /// trace(D), or an unbiased estimate of it.
    public let trace: Double
    /// A bound of maxᵢ ‖Cᵢ‖₂, or an estimate of one.
    public let largestExampleNorm: Double

    /// A size that is known.
    public init(trace: Double, largestExampleNorm: Double) {
        self.trace = trace
        self.largestExampleNorm = largestExampleNorm
    }
}

/// How many pieces a sum over examples is split into: more than there will be cores, of more than a few examples each, and fewer
/// where a vector is so long that copies of it would fill memory. Depends on the sum alone, so that the order in which the pieces are
/// added, and with it every bit of the result, is the same on any number of threads.
public enum ExamplePieces {
    /// The pieces of a sum of `examples` vectors of `dimension` numbers.
    public static func count(of examples: Int, dimension: Int) -> Int {
        max(1, min(16, examples / 16, max(4, (64 << 20) / max(1, dimension))))
    }
}

extension CurvatureOperator {
    /// Memory for products with up to `vectorCount` vectors, which nothing interrupts.
    public func makeWorkspace(vectorCount: Int) -> Workspace { makeWorkspace(vectorCount: vectorCount, interruption: .never) }

    /// Keeps nothing.
    public var keptByteCount: Int { 0 }

    /// Takes no hint.
    public func prepare(for batch: ExampleBatch, workspace: Workspace) {}

    /// y ← D·x, uninterrupted.
    public func product(
        of x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, vectorCount: Int, parallel: Parallel
    ) throws {
        try product(of: x, to: y, vectorCount: vectorCount, parallel: parallel, interruption: .never)
    }

    /// y ← D·x, the examples cut into pieces for the threads.
    /// - Throws: `Interrupted`.
    public func product(
        of x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, vectorCount: Int, parallel: Parallel,
        interruption: Interruption
    ) throws {
        try productByPieces(of: x, to: y, vectorCount: vectorCount, parallel: parallel, interruption: interruption)
    }

    /// y ← D·x, the examples cut into pieces for the threads. Takes memory for up to 16 times y.
    /// - Throws: `Interrupted`.
    public func productByPieces(
        of x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, vectorCount: Int, parallel: Parallel,
        interruption: Interruption
    ) throws {
        precondition(exampleCount > 0, "a mean needs examples")
        let ranges = Parallel.ranges(
            of: exampleCount, pieces: ExamplePieces.count(of: exampleCount, dimension: dimension))
        let length = dimension * vectorCount
        let partials = AlignedMemory<Float>(uninitialized: length * ranges.count)
        // The pointer is only read, by every piece.
        nonisolated(unsafe) let x = x
        try parallel.forEach(ranges.count, interruption: interruption) { piece in
            let workspace = makeWorkspace(vectorCount: vectorCount, interruption: interruption)
            let rows = ranges[piece]
            try addProduct(
                over: .range(rows), alpha: Float(rows.count) / Float(exampleCount), of: x, beta: 0, plus: nil,
                to: partials.start + piece * length, vectorCount: vectorCount, workspace: workspace)
        }
        y.update(from: partials.start, count: length)
        // Plain sums, rounded once, element by element: no vector feels the others here either.
        for piece in 1..<ranges.count {
            for vector in 0..<vectorCount {
                try interruption.check()
                BLAS.add(dimension, alpha: 1, partials.start + piece * length + vector * dimension, to: y + vector * dimension)
            }
        }
    }
}
