public import LinearAlgebra
public import Networks

/// Rows of gradients that are projected layer by layer, as they come out of the network: of linear layers from x and δ.
public struct LayerwiseRowWriter: GradientRowWriter {
    private let model: TrainedNetwork
    private let examples: LabeledExamples
    private let projection: LayerwiseProjection

    /// d.
    public var width: Int { projection.outputWidth }

    /// Floats of gradients that one thread has written out at a time: 16 MiB.
    private static let writtenOut = 4 << 20

    /// Rows of a network's gradients.
    public init(model: TrainedNetwork, examples: LabeledExamples, projection: LayerwiseProjection) {
        precondition(projection.inputWidth == model.network.parameterCount, "the projection is of θ")
        self.model = model
        self.examples = examples
        self.projection = projection
    }

    /// See `GradientRowWriter`.
    public func write(
        _ ranges: [Range<Int>], into rows: UnsafeMutablePointer<Float>, parallel: Parallel, interruption: Interruption
    ) throws {
        // Each piece writes the rows of its own examples.
        nonisolated(unsafe) let rows = rows
        try model.forEachFactors(
            of: ranges, in: examples, parallel: parallel, interruption: interruption
        ) { place, factors in
            let out = rows + place * width
            out.update(repeating: 0, count: factors.count * width)
            let part = AlignedMemory<Float>(uninitialized: factors.count * width)
            for index in projection.parts.indices {
                try project(index, of: factors, into: part.start, interruption: interruption)
                for i in 0..<factors.count * width { out[i] += part.start[i] }
            }
        }
    }

    /// The projections of one layer's part of the gradients.
    private func project(
        _ index: Int, of factors: GradientFactors, into out: UnsafeMutablePointer<Float>, interruption: Interruption
    ) throws {
        let (layer, part) = projection.parts[index]
        switch part {
        case .linear(let linear, let rankOne):
            try rankOne.project(
                outputGradients: factors.outputGradients(of: layer), inputs: factors.inputs(of: layer),
                positions: linear.positions, count: factors.count, into: out, interruption: interruption)
        case .other(let sparse):
            let length = layer.parameters.count
            let together = max(1, min(factors.count, Self.writtenOut / length))
            let gradient = AlignedMemory<Float>(uninitialized: projection.inputWidth)
            let place = gradient.start + layer.parameters.lowerBound
            let written = AlignedMemory<Float>(uninitialized: together * length)
            for first in stride(from: 0, to: factors.count, by: together) {
                let some = min(together, factors.count - first)
                for row in 0..<some {
                    place.update(repeating: 0, count: length)
                    factors.addGradient(of: first + row, layer, to: gradient.start)
                    (written.start + row * length).update(from: place, count: length)
                }
                try sparse.project(
                    written.start, count: some, into: out + first * width, parallel: Parallel(threads: 1),
                    interruption: interruption)
            }
        }
    }
}
