internal import CKernels

/// The fast projection of a linear layer's gradient (Pruthi, Liu, Kale & Sundararajan 2020, TracIn, appendix F).
///
/// The gradient with respect to the weights [C, D] is Σ_t δ_t x_tᵀ over an example's positions t (one for a linear layer, the places of the
/// image for a convolution, whose x_t is the patch), δ being the loss's gradient with respect to the outputs. Its projection is
/// G₁ (Σ_t δ_t x_tᵀ) G₂ᵀ with independent normal G₁ [√d, C] and G₂ [√d, D] of variance 1/√d: d numbers in O((C + D)·√d + d) a position
/// instead of O(C·D·d), without the gradient itself. d must be a square.
///
/// A layer with biases has inputs extended by 1, whose gradient are the biases': D + 1 columns in G₂.
///
/// E[Φg · Φs] = g · s. For two gradients of rank one, a·xᵀ and b·yᵀ, the variance is
/// ((a·b)² + (‖a‖²‖b‖² + (a·b)²)/√d)·((x·y)² + (‖x‖²‖y‖² + (x·y)²)/√d) − (a·b)²(x·y)²: near that of a dense projection of as many
/// numbers where both factors are nearly orthogonal, and of the order of 1/√d instead of 1/d where one is not. Projections of
/// several layers with indices of their own may be added up: the sum projects the whole gradient.
public struct RankOneProjection: Sendable {
    /// C: outputs of the layer.
    public let outputs: Int
    /// D: inputs of the layer, without the one of the biases.
    public let inputs: Int
    /// Whether the layer has biases.
    public let hasBias: Bool
    /// d: numbers of a projection.
    public let dimension: Int

    /// √d.
    private let root: Int
    private let left: RandomPanels
    private let right: RandomPanels

    /// Positions multiplied together.
    private static let rowsTogether = 256

    /// The projection of a seed.
    /// - Parameters:
    ///   - index: names one of many independent projections of the seed, that of each layer say; below 2²⁴.
    ///   - memoryBudget: the most bytes to keep of each matrix, which take 4·C·√d and 4·D·√d, with √d rounded up to a multiple of 64.
    /// - Throws: `ProjectionError`, `.notSquare` among them; `Interrupted` while the matrices are made.
    public init(
        outputs: Int, inputs: Int, hasBias: Bool = false, dimension: Int, seed: UInt64, index: Int = 0,
        memoryBudget: Int = ProjectionType.memoryBudget, parallel: Parallel = Parallel(threads: 1),
        interruption: Interruption = .never
    ) throws {
        try ProjectionError.check("a layer's number of outputs", outputs, upTo: ProjectionError.most.inputs)
        try ProjectionError.check(inputs: inputs, outputs: dimension, index: index)
        let root = Int(Double(dimension).squareRoot().rounded(.down))
        guard root * root == dimension else {
            throw ProjectionError.notSquare(dimension, below: root * root, above: (root + 1) * (root + 1))
        }
        self.outputs = outputs
        self.inputs = inputs
        self.hasBias = hasBias
        self.dimension = dimension
        self.root = root
        func matrix(_ purpose: RandomPanels.Purpose, inputs: Int) throws -> RandomPanels {
            try RandomPanels(
                .normal, inputs: inputs, outputs: root, seed: seed, stream: purpose.stream(index), memoryBudget: memoryBudget,
                parallel: parallel, interruption: interruption)
        }
        left = try matrix(.rankOneOutputs, inputs: outputs)
        right = try matrix(.rankOneInputs, inputs: inputs + (hasBias ? 1 : 0))
    }

    /// The projections of `count` examples' gradients, `dimension` numbers each, in rows of √d for each row of G₁.
    ///
    /// `outputGradients` [count, positions, C] holds δ and `inputs` [count, positions, D] holds x, both row-major. A projection's bits
    /// depend on no other example, nor on the number of threads.
    /// - Throws: `Interrupted`.
    public func project(
        outputGradients: UnsafePointer<Float>, inputs x: UnsafePointer<Float>, positions: Int, count: Int,
        into out: UnsafeMutablePointer<Float>, parallel: Parallel = Parallel(threads: 1), interruption: Interruption = .never
    ) throws {
        precondition(positions >= 0 && count >= 0, "there can't be fewer positions or examples than none")
        // As many examples as fill a tile of positions.
        let together = max(1, Self.rowsTogether / max(1, positions))
        // Factors are only read; each piece writes the projections of its own examples.
        nonisolated(unsafe) let (gradients, x, out) = (outputGradients, x, out)
        try parallel.forEach((count + together - 1) / together, interruption: interruption) { piece in
            let first = piece * together
            let some = min(together, count - first)
            let target = out + first * dimension
            target.update(repeating: 0, count: some * dimension)
            let sides = Sides(self, rows: min(Self.rowsTogether, max(1, some * positions)))
            var paced = PacedInterruption(interruption)
            let rows = some * positions
            for begin in stride(from: 0, to: rows, by: Self.rowsTogether) {
                let end = min(rows, begin + Self.rowsTogether)
                let start = first * positions + begin
                try sides.load(
                    end - begin, gradients: gradients + start * outputs, inputs: x + start * inputs, interruption: &paced)
                var row = begin
                while row < end {
                    let example = row / positions
                    let stop = min(end, (example + 1) * positions)
                    sides.addOuterProducts(row - begin..<stop - begin, to: target + example * dimension)
                    try paced.check(after: 2 * (stop - row) * dimension)
                    row = stop
                }
            }
            for i in 0..<some * dimension { target[i] /= Float(root) }
        }
    }

    /// The projection of a vector like the layer's parameters, weights [C, D] row by row and biases where it has them: `dimension` numbers.
    ///
    /// It is the sum over its rows of e_c ⊗ (S_c, b_c), each projected as a position is; G₁·e_c is a column of G₁. C·(D + √d)·√d
    /// multiplications.
    /// - Throws: `Interrupted`.
    public func project(
        weights: UnsafePointer<Float>, biases: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>,
        interruption: Interruption = .never
    ) throws {
        precondition((biases != nil) == hasBias, "biases where the layer has them")
        out.update(repeating: 0, count: dimension)
        let sides = Sides(self, rows: min(Self.rowsTogether, outputs))
        var paced = PacedInterruption(interruption)
        for first in stride(from: 0, to: outputs, by: Self.rowsTogether) {
            let rows = first..<min(first + Self.rowsTogether, outputs)
            try sides.load(rows, weights: weights, biases: biases, interruption: &paced)
            sides.addOuterProducts(0..<rows.count, to: out)
            try paced.check(after: 2 * rows.count * dimension)
        }
        for i in 0..<dimension { out[i] /= Float(root) }
    }

    /// G₁·δ and G₂·x of a few positions.
    private final class Sides {
        private let projection: RankOneProjection
        private let left: AlignedMemory<Float>
        private let right: AlignedMemory<Float>
        /// What a bias of 1 adds to G₂·x.
        private let bias: AlignedMemory<Float>
        private let stride: Int

        init(_ projection: RankOneProjection, rows: Int) {
            self.projection = projection
            stride = projection.left.paddedOutputs
            left = AlignedMemory(uninitialized: rows * stride)
            right = AlignedMemory(uninitialized: rows * stride)
            bias = AlignedMemory(repeating: 0, count: stride)
            guard projection.hasBias else { return }
            for panel in 0..<projection.right.panelCount {
                projection.right.write(
                    panel: panel, input: projection.inputs, into: bias.start + panel * RandomPanels.panelWidth)
            }
        }

        func load(
            _ rows: Int, gradients: UnsafePointer<Float>, inputs: UnsafePointer<Float>, interruption: inout PacedInterruption
        ) throws(Interrupted) {
            left.start.update(repeating: 0, count: rows * stride)
            for row in 0..<rows { (right.start + row * stride).update(from: bias.start, count: stride) }
            for panel in 0..<projection.left.panelCount {
                let offset = panel * RandomPanels.panelWidth
                try projection.left.addProduct(
                    panel: panel, of: gradients, stride: projection.outputs, count: rows, inputCount: projection.outputs,
                    to: left.start + offset, outStride: stride, interruption: &interruption)
            }
            try addInputs(inputs, rows, interruption: &interruption)
        }

        /// Of δ that are unit vectors, and x that are rows of a matrix.
        func load(
            _ rows: Range<Int>, weights: UnsafePointer<Float>, biases: UnsafePointer<Float>?,
            interruption: inout PacedInterruption
        ) throws(Interrupted) {
            for row in rows {
                let place = (row - rows.lowerBound) * stride
                for panel in 0..<projection.left.panelCount {
                    projection.left.write(
                        panel: panel, input: row, into: left.start + place + panel * RandomPanels.panelWidth)
                }
                let factor = biases?[row] ?? 0
                for k in 0..<stride { right.start[place + k] = factor * bias.start[k] }
            }
            try addInputs(weights + rows.lowerBound * projection.inputs, rows.count, interruption: &interruption)
        }

        private func addInputs(
            _ inputs: UnsafePointer<Float>, _ rows: Int, interruption: inout PacedInterruption
        ) throws(Interrupted) {
            for panel in 0..<projection.right.panelCount {
                try projection.right.addProduct(
                    panel: panel, of: inputs, stride: projection.inputs, count: rows, inputCount: projection.inputs,
                    to: right.start + panel * RandomPanels.panelWidth, outStride: stride, interruption: &interruption)
            }
        }

        /// out[i, j] += Σ_t (G₁δ_t)[i]·(G₂x_t)[j] over some of the positions, one after the other.
        func addOuterProducts(_ rows: Range<Int>, to out: UnsafeMutablePointer<Float>) {
            let run = influenced_rows(
                start: right.start + rows.lowerBound * stride, stride: stride * MemoryLayout<Float>.stride, count: rows.count,
                ahead: 0, width: projection.root, encoding: influenced_float32)
            withUnsafePointer(to: run) {
                influenced_accumulate_encoded($0, left.start + rows.lowerBound * stride, stride, 1, projection.root, out)
            }
        }
    }
}
