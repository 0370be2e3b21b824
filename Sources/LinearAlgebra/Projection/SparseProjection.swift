internal import CKernels

/// The sparse Johnson-Lindenstrauss transform (Kane & Nelson 2014, "Sparser Johnson-Lindenstrauss transforms", block construction): each
/// column of Φ holds s numbers ±1/√s, one at a random place of each of s bands of nearly d/s outputs. s = 1 is the count sketch.
///
/// E[Φg · Φs] = g · s; the variance is (‖g‖²‖s‖² + (g·s)² − 2·Σ g²s²)/d, as that of dense signs, whatever the number of nonzeros
/// (where it divides d), but far-off values are rarer with more. A row takes p·s additions, whatever d is.
public struct SparseProjection: Projection {
    /// p.
    public let inputWidth: Int
    /// d.
    public let outputWidth: Int
    /// s: nonzeros in a column.
    public let nonzeros: Int

    private let seed: UInt64
    private let stream: UInt32
    /// The columns' entries, where they fit the budget.
    private let kept: AlignedMemory<UInt32>?

    /// Rows whose sums lie beside each other.
    private static let together = Int(influenced_rows_together)
    /// Sixteens of rows that share the making of columns.
    private static let tiles = 4
    /// Columns at a time.
    private static let blockLength = 512

    /// The projection of a seed.
    /// - Parameters:
    ///   - index: names one of many independent projections of the seed; below 2²⁴.
    ///   - memoryBudget: the most bytes of Φ to keep, of which it takes 4·p·s.
    /// - Throws: `ProjectionError`; `Interrupted` while Φ is made.
    public init(
        inputWidth: Int, outputWidth: Int, nonzeros: Int = ProjectionType.nonzeros, seed: UInt64, index: Int = 0,
        memoryBudget: Int = ProjectionType.memoryBudget, interruption: Interruption = .never
    ) throws {
        try ProjectionError.check(inputs: inputWidth, outputs: outputWidth, index: index)
        guard nonzeros >= 1, nonzeros <= outputWidth else { throw ProjectionError.nonzeros(nonzeros, outputs: outputWidth) }
        self.inputWidth = inputWidth
        self.outputWidth = outputWidth
        self.nonzeros = nonzeros
        self.seed = seed
        stream = RandomPanels.Purpose.sparse.stream(index)
        let (entries, overflow) = inputWidth.multipliedReportingOverflow(by: nonzeros)
        guard !overflow, entries <= memoryBudget / MemoryLayout<UInt32>.stride else {
            kept = nil
            return
        }
        let memory = AlignedMemory<UInt32>(uninitialized: entries)
        for first in stride(from: 0, to: inputWidth, by: Self.blockLength) {
            try interruption.check()
            influenced_sparse_columns(
                seed, stream, UInt64(first), min(Self.blockLength, inputWidth - first), UInt32(outputWidth), UInt32(nonzeros),
                memory.start + first * nonzeros)
        }
        kept = memory
    }

    /// out[r] = Φ·rows[r]; see `Projection`. Takes 256·d bytes on each thread for 64 rows.
    public func project(
        _ rows: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws {
        precondition(count >= 0, "there can't be fewer rows than none")
        let group = Self.together * Self.tiles
        // Rows are only read; each piece writes those of its own.
        nonisolated(unsafe) let (rows, out) = (rows, out)
        try parallel.forEach((count + group - 1) / group, interruption: interruption) { piece in
            let first = piece * group
            try project(
                rows + first * inputWidth, few: min(group, count - first), into: out + first * outputWidth,
                interruption: interruption)
        }
    }

    private func project(
        _ rows: UnsafePointer<Float>, few count: Int, into out: UnsafeMutablePointer<Float>, interruption: Interruption
    ) throws(Interrupted) {
        let tiles = (count + Self.together - 1) / Self.together
        let tileLength = outputWidth * Self.together
        let sums = AlignedMemory<Float>(repeating: 0, count: tiles * tileLength)
        let scratch = AlignedMemory<UInt32>(uninitialized: kept == nil ? Self.blockLength * nonzeros : 0)
        var paced = PacedInterruption(interruption)
        for first in stride(from: 0, to: inputWidth, by: Self.blockLength) {
            let length = min(Self.blockLength, inputWidth - first)
            if kept == nil {
                influenced_sparse_columns(
                    seed, stream, UInt64(first), length, UInt32(outputWidth), UInt32(nonzeros), scratch.start)
            }
            let columns = kept.map { $0.start + first * nonzeros } ?? scratch.start
            for tile in 0..<tiles {
                let row = tile * Self.together
                influenced_sparse_product(
                    rows + row * inputWidth + first, inputWidth, min(Self.together, count - row), columns, length,
                    UInt32(nonzeros), sums.start + tile * tileLength)
                try paced.check(after: length * nonzeros * 2 * Self.together)
            }
        }
        let scale = 1 / Float(nonzeros).squareRoot()
        for row in 0..<count {
            let lane = sums.start + row / Self.together * tileLength + row % Self.together
            for k in 0..<outputWidth { out[row * outputWidth + k] = lane[k * Self.together] * scale }
        }
    }
}
