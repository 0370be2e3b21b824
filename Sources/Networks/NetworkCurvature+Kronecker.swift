public import LinearAlgebra

/// Why a curvature's factors can't be had.
public enum KroneckerError: Error, Equatable, Sendable {
    /// Factors and what their making takes would not fit: `layer` is the one that takes most.
    case tooLarge(layer: String, bytes: Int, limit: Int)
    /// Inputs of layers, or the curvature, are beyond single precision.
    case notFinite(layer: String)
    /// LAPACK found no eigenvalues.
    case notConverged(layer: String)
}

/// How a curvature's factors are estimated.
public struct KroneckerSettings: Sendable, Equatable {
    /// Examples, evenly spread, that they are estimated from; nil for all.
    public var examples: Int?
    /// Random signs of the outputs, where these are more than 32: see `NetworkCurvature.diagonal`.
    public var draws = 8
    /// What these are drawn from.
    public var seed: UInt64 = 0
    /// Bytes that factors may take while they are made.
    public var memoryLimit: Int

    /// Settings for all examples.
    public init(examples: Int? = nil, memoryLimit: Int) {
        self.examples = examples
        self.memoryLimit = memoryLimit
    }
}

extension NetworkCurvature {
    /// The curvature as blocks that are diagonal in Kronecker-factored eigenbases, one for each linear and convolutional layer (each group of
    /// one); and the diagonal of what other layers train. EKFAC (George et al. 2018, algorithm 1):
    ///
    ///     A = Σᵢ wᵢ Σ_t x̃ᵢₜx̃ᵢₜᵀ = Q_Aᵀ·diag·Q_A,   G = Σᵢₖₜ δᵢₖₜδᵢₖₜᵀ = Q_Gᵀ·diag·Q_G,   Λ = (1/n) Σᵢₖ (Q_G (Σ_t δᵢₖₜ ⊗ x̃ᵢₜ) Q_Aᵀ)²
    ///
    /// over examples i, positions t and the squares aₖ that an example's curvature is a sum of: the gradient for the empirical Fisher matrix,
    /// and the columns of JᵀB otherwise, also in place of a Hessian, which has no such sum. Λ is exact in its basis; only that basis, and
    /// what it leaves out between layers, is approximate. x̃ has a one behind it where there are biases, and wᵢ counts as if the example were
    /// there so many times.
    ///
    /// Two ways through the examples; in a layer of C × D̃ weights about D̃² flops for each position the first time round and 2·D̃² the
    /// second, and up to 2·C·(C + D̃) for each square. The bits do not depend on the threads. Asks `interruption` every few milliseconds, but
    /// not while LAPACK finds eigenvectors, which takes some 0.15 s for D̃ = 784 and eight times as long for twice that.
    /// - Throws: `KroneckerError`, `Interrupted`.
    public func kroneckerBlocks(
        _ settings: KroneckerSettings, parallel: Parallel, interruption: Interruption = .never
    ) throws -> (blocks: [CurvatureBlock], exampleCount: Int) {
        precondition(exampleCount > 0, "a mean needs examples")
        let estimate = KroneckerEstimate(self, settings)
        try estimate.checkSize(parallel)
        let bases = try estimate.bases(parallel, interruption)
        let blocks = try estimate.blocks(in: bases, parallel, interruption)
        return (blocks, estimate.sample.count)
    }
}

/// The estimation of factors: what all its steps know.
struct KroneckerEstimate: Sendable {
    let curvature: NetworkCurvature
    let settings: KroneckerSettings
    let layers: [KroneckerLayer]
    /// Steps that train something else, and where.
    let others: [Int: Range<Int>]
    /// The examples.
    let sample: [UInt32]
    let roots: NetworkCurvature.Roots
    /// Squares of an example, and what their sum is multiplied by.
    let rootCount: Int, scale: Double

    init(_ curvature: NetworkCurvature, _ settings: KroneckerSettings) {
        self.curvature = curvature
        self.settings = settings
        let network = curvature.model.network
        let layers = KroneckerLayer.all(of: network)
        let factored = Set(layers.map(\.step))
        self.layers = layers
        var others: [Int: Range<Int>] = [:]
        for (index, step) in network.steps.enumerated() where step.isTrained && !factored.contains(index) {
            others[index] = step.trained
        }
        self.others = others
        let count = max(1, min(settings.examples ?? .max, curvature.exampleCount))
        sample = Parallel.ranges(of: curvature.exampleCount, pieces: count).map { UInt32($0.lowerBound) }
        (roots, scale) = curvature.roots(draws: max(1, settings.draws), seed: settings.seed)
        rootCount =
            switch roots {
            case .gradient: 1
            case .columns: network.outputWidth
            case .draws(let draws, _): draws.count
            }
    }

    /// The sample in pieces for the threads, each of which keeps sums of `numbers` numbers.
    func pieces(_ numbers: Int) -> [Range<Int>] {
        Parallel.ranges(of: sample.count, pieces: ExamplePieces.count(of: sample.count, dimension: numbers))
    }

    /// Goes through a piece of the sample: `body` is shown each chunk once for each square, and told which of them it is.
    func forEachRoot(
        of piece: Range<Int>, _ interruption: Interruption,
        _ body: (_ chunk: Range<Int>, _ root: Int, _ pass: Pass<Float>, _ batch: ExampleBatch) throws -> Void
    ) throws {
        try sample[piece].withUnsafeBufferPointer { indices in
            let batch = ExampleBatch.indices(indices)
            try curvature.model.computation.withPass(.first, interruption: interruption) { pass in
                var count = 0
                try curvature.forEachRoot(roots, of: batch, in: pass) { chunk in
                    try body(chunk, count % rootCount, pass, batch)
                    count += 1
                }
            }
        }
    }
}

extension KroneckerEstimate {
    /// - Throws: `KroneckerError.tooLarge` where the factors, or their making, would take more than may be.
    func checkSize(_ parallel: Parallel) throws(KroneckerError) {
        // In floating point, as squares of widths overflow.
        func factors(_ layer: KroneckerLayer) -> Double {
            Double(layer.order) * Double(layer.order) + Double(layer.outputs) * Double(layer.outputs)
        }
        guard let largest = layers.max(by: { factors($0) < factors($1) }) else { return }
        let numbers = layers.reduce(0) { $0 + factors($1) }
        let parameters = Double(curvature.dimension)
        func pieces(_ numbers: Double) -> Double { Double(self.pieces(Int(min(numbers, 1e15))).count) }
        // What each piece gathers rows in, which is there only while a thread works on it.
        let gathering = 4 * layers.reduce(0) { $0 + Double(GramSum.capacity) * Double($1.order + $1.outputs) }
        let rows = curvature.model.network.rowsAtATime
        let rotating = layers.reduce(0) { $0 + KroneckerRotation.byteCount($1, rows: rows) }
        let threads = Double(parallel.threads)
        let sums = 4 * pieces(numbers) * numbers
        let order = max(largest.order, largest.outputs)
        let decomposing = sums + 4 * numbers + threads * max(gathering, SymmetricEigen.byteCount(order: order))
        let measuring =
            4 * (numbers + parameters + pieces(parameters) * (others.isEmpty ? 1 : 2) * parameters) + threads * rotating
        let bytes = max(decomposing, measuring)
        guard bytes <= Double(settings.memoryLimit), order <= SymmetricEigen.largestOrder else {
            throw KroneckerError.tooLarge(layer: largest.name, bytes: Int(min(bytes, 1e18)), limit: settings.memoryLimit)
        }
    }
}
