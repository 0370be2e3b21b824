/// A projection by a dense matrix of independent numbers: normal ones of variance 1/d, or ±1/√d.
///
/// E[Φg · Φs] = g · s; the variance is (‖g‖²‖s‖² + (g·s)²)/d for normal numbers and, for signs, less by 2·Σ g²s²/d.
///
/// Its numbers come from Philox4x32-10 in blocks of 128 inputs and 64 outputs, each made alone. Normal ones are kept where they fit
/// the memory budget; signs never are: making them takes less time than reading them would. Products are summed one after the
/// other, input by input, in single precision: 2·p·d operations a row, with a kernel of our own, because a BLAS may sum a row in another order
/// when others are with it.
public struct DenseProjection: Projection {
    /// Which numbers.
    public enum Distribution: Sendable {
        /// Normal numbers.
        case normal
        /// Signs.
        case rademacher
    }

    /// p.
    public var inputWidth: Int { panels.inputs }
    /// d.
    public var outputWidth: Int { panels.outputs }

    private let panels: RandomPanels

    /// Rows that share a block: enough to make its making cheap.
    private static let rowsTogether = 1024

    /// The projection of a seed.
    /// - Parameters:
    ///   - index: names one of many independent projections of the seed; below 2²⁴.
    ///   - memoryBudget: the most bytes of Φ to keep.
    /// - Throws: `ProjectionError`; `Interrupted` while Φ is made.
    public init(
        _ distribution: Distribution, inputWidth: Int, outputWidth: Int, seed: UInt64, index: Int = 0,
        memoryBudget: Int = ProjectionType.memoryBudget, parallel: Parallel = Parallel(threads: 1),
        interruption: Interruption = .never
    ) throws {
        try ProjectionError.check(inputs: inputWidth, outputs: outputWidth, index: index)
        panels = try RandomPanels(
            distribution == .normal ? .normal : .rademacher, inputs: inputWidth, outputs: outputWidth, seed: seed,
            stream: (distribution == .normal ? RandomPanels.Purpose.normal : .rademacher).stream(index),
            memoryBudget: distribution == .normal ? memoryBudget : 0, parallel: parallel, interruption: interruption)
    }

    /// out[r] = Φ·rows[r]; see `Projection`. Takes 256 bytes for each of up to 1,024 rows, and 32 KiB, on each thread.
    public func project(
        _ rows: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws {
        precondition(count >= 0, "there can't be fewer rows than none")
        let groups = (count + Self.rowsTogether - 1) / Self.rowsTogether
        let (inputs, outputs, width) = (inputWidth, outputWidth, RandomPanels.panelWidth)
        let scale = 1 / Float(outputs).squareRoot()
        // Rows are only read; each piece writes outputs of its own.
        nonisolated(unsafe) let (rows, out) = (rows, out)
        try parallel.forEach(groups * panels.panelCount, interruption: interruption) { piece in
            let (group, panel) = (piece / panels.panelCount, piece % panels.panelCount)
            let first = group * Self.rowsTogether
            let some = min(Self.rowsTogether, count - first)
            let sums = AlignedMemory<Float>(repeating: 0, count: some * width)
            var paced = PacedInterruption(interruption)
            try panels.addProduct(
                panel: panel, of: rows + first * inputs, stride: inputs, count: some, inputCount: inputs, to: sums.start,
                outStride: width, interruption: &paced)
            let from = panel * width
            for row in 0..<some {
                let target = out + (first + row) * outputs + from
                for k in 0..<min(width, outputs - from) { target[k] = sums.start[row * width + k] * scale }
            }
        }
    }
}
