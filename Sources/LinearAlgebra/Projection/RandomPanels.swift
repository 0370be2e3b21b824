internal import CKernels

/// A dense random matrix of unit variance in panels of 64 outputs, a function of a seed: kept whole, or made a block at a time.
struct RandomPanels: Sendable {
    enum Distribution: Sendable {
        case normal
        case rademacher
    }

    /// The matrices of one seed, apart from each other.
    enum Purpose: UInt32, Sendable {
        case normal = 1
        case rademacher = 2
        case sparse = 3
        case rankOneOutputs = 4
        case rankOneInputs = 5

        /// What the generator is told: the purpose in the lowest byte, one of 2²⁴ matrices for it above.
        func stream(_ index: Int) -> UInt32 { UInt32(index) << 8 | rawValue }
    }

    /// Outputs of a panel.
    static let panelWidth = Int(influenced_panel)
    /// Inputs whose numbers are made at a time: 32 KiB of them, which stay near while rows are multiplied.
    static let blockLength = 128
    /// Rows multiplied from one question about interruption to the next: 4 million multiplications or so.
    private static let rowsTogether = 512

    let distribution: Distribution
    let inputs: Int
    let outputs: Int
    private let key: UInt64
    private let stream: UInt32
    /// All panels, one after the other.
    private let kept: AlignedMemory<Float>?

    /// Panels, the last one perhaps with outputs that mean nothing.
    var panelCount: Int { (outputs + Self.panelWidth - 1) / Self.panelWidth }
    /// Floats that a row of products takes, those outputs among them.
    var paddedOutputs: Int { panelCount * Self.panelWidth }

    /// A matrix of valid sizes.
    /// - Parameter memoryBudget: the most bytes to keep.
    /// - Throws: `Interrupted`.
    init(
        _ distribution: Distribution, inputs: Int, outputs: Int, seed: UInt64, stream: UInt32, memoryBudget: Int,
        parallel: Parallel, interruption: Interruption
    ) throws {
        self.distribution = distribution
        self.inputs = inputs
        self.outputs = outputs
        key = seed
        self.stream = stream
        let panels = (outputs + Self.panelWidth - 1) / Self.panelWidth
        let (floats, overflow) = inputs.multipliedReportingOverflow(by: panels * Self.panelWidth)
        guard !overflow, floats <= memoryBudget / MemoryLayout<Float>.stride else {
            kept = nil
            return
        }
        let memory = AlignedMemory<Float>(uninitialized: floats)
        let blocks = (inputs + Self.blockLength - 1) / Self.blockLength
        // Small pieces of one panel each.
        try parallel.forEach(panels * blocks, interruption: interruption) { piece in
            let (panel, first) = (piece / blocks, piece % blocks * Self.blockLength)
            Self.make(
                distribution, key: seed, stream: stream, panel: panel, first..<min(inputs, first + Self.blockLength),
                into: memory.start + (panel * inputs + first) * Self.panelWidth)
        }
        kept = memory
    }

    private static func make(
        _ distribution: Distribution, key: UInt64, stream: UInt32, panel: Int, _ inputs: Range<Int>,
        into out: UnsafeMutablePointer<Float>
    ) {
        let first = UInt64(inputs.lowerBound)
        switch distribution {
        case .normal: influenced_normal_panel(key, stream, UInt32(panel), first, inputs.count, out)
        case .rademacher: influenced_sign_panel(key, stream, UInt32(panel), first, inputs.count, out)
        }
    }

    /// out[r, k] += Σ_j rows[r, j]·Φ[k, j] for `count` rows that lie `stride` floats apart, the first `inputCount` inputs, and the 64 outputs
    /// of one panel; out's rows lie `outStride` apart. Each sum is taken in the order of j.
    func addProduct(
        panel: Int, of rows: UnsafePointer<Float>, stride: Int, count: Int, inputCount: Int, to out: UnsafeMutablePointer<Float>,
        outStride: Int, interruption: inout PacedInterruption
    ) throws(Interrupted) {
        let scratch = AlignedMemory<Float>(uninitialized: kept == nil ? Self.blockLength * Self.panelWidth : 0)
        var first = 0
        while first < inputCount {
            let length = min(Self.blockLength, inputCount - first)
            let block: UnsafePointer<Float>
            if let kept {
                block = UnsafePointer(kept.start + (panel * inputs + first) * Self.panelWidth)
            } else {
                Self.make(distribution, key: key, stream: stream, panel: panel, first..<first + length, into: scratch.start)
                block = UnsafePointer(scratch.start)
            }
            var row = 0
            while row < count {
                let some = min(Self.rowsTogether, count - row)
                influenced_panel_product(
                    rows + row * stride + first, stride, some, block, length, out + row * outStride, outStride)
                // Making a number takes as long as some fifty multiplications.
                try interruption.check(after: 2 * length * Self.panelWidth * (some + 50))
                row += some
            }
            first += length
        }
    }

    /// Writes the 64 numbers of one input in a panel.
    func write(panel: Int, input: Int, into out: UnsafeMutablePointer<Float>) {
        if let kept {
            return out.update(from: kept.start + (panel * inputs + input) * Self.panelWidth, count: Self.panelWidth)
        }
        Self.make(distribution, key: key, stream: stream, panel: panel, input..<input + 1, into: out)
    }
}
