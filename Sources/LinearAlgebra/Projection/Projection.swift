/// A random linear map Φ from long vectors to short ones that keeps inner products: E[Φg · Φs] = g · s over the seeds.
///
/// Φ is a function of its sizes and its seed, so that what was projected by different processes, on different machines, belongs together.
/// An inner product of projections is off by about ‖g‖·‖s‖/√d, d being `outputWidth`.
public protocol Projection: Sendable {
    /// p: the length of what is projected.
    var inputWidth: Int { get }
    /// d: the length of a projection.
    var outputWidth: Int { get }

    /// out[r] = Φ·rows[r] for `count` rows of `inputWidth` numbers that lie one after the other, as do their projections.
    ///
    /// Hundreds of rows at once spread the cost of making Φ. A projection's bits depend on no other row, nor on the number of threads.
    /// - Throws: `Interrupted`.
    func project(
        _ rows: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption) throws
}

extension Projection {
    /// Projects on the calling thread, uninterrupted.
    public func project(_ rows: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>) throws {
        try project(rows, count: count, into: out, parallel: Parallel(threads: 1), interruption: .never)
    }
}

/// The distributions that a projection's numbers come from.
public enum ProjectionType: String, CaseIterable, Sendable {
    /// Independent normal numbers of variance 1/d.
    case normal
    /// Independent ±1/√d.
    case rademacher
    /// Sparse Johnson-Lindenstrauss transform: ±1/√s at s = 8 places of each column (or d, where that is fewer).
    case sjlt

    /// Nonzeros in a column of a sparse projection, where no more is said.
    public static let nonzeros = 8

    /// Bytes that a projection may keep of Φ, where no more is said: 256 MiB.
    public static let memoryBudget = 256 << 20

    /// The projection of this type.
    /// - Parameters:
    ///   - index: names one of many independent projections of a seed, that of each layer say; below 2²⁴.
    ///   - memoryBudget: the most bytes of Φ to keep: where Φ takes more, it is made again whenever it is needed, a block at a time.
    /// - Throws: `ProjectionError`, or `Interrupted` while Φ is made.
    public func makeProjection(
        inputWidth: Int, outputWidth: Int, seed: UInt64, index: Int = 0, memoryBudget: Int = Self.memoryBudget,
        parallel: Parallel = Parallel(threads: 1), interruption: Interruption = .never
    ) throws -> any Projection {
        switch self {
        case .normal, .rademacher:
            try DenseProjection(
                self == .normal ? .normal : .rademacher, inputWidth: inputWidth, outputWidth: outputWidth, seed: seed,
                index: index,
                memoryBudget: memoryBudget, parallel: parallel, interruption: interruption)
        case .sjlt:
            try SparseProjection(
                inputWidth: inputWidth, outputWidth: outputWidth, nonzeros: min(Self.nonzeros, max(1, outputWidth)), seed: seed,
                index: index, memoryBudget: memoryBudget, interruption: interruption)
        }
    }
}
