public import LinearAlgebra
public import Networks

/// A projection of θ layer by layer: linear layers by the fast projection of rank one, which needs no gradient written out (TracIn,
/// appendix F); others by a sparse one of their part of θ. Each layer has random numbers of its own, and the layers' projections are
/// added up, which projects the whole vector.
public struct LayerwiseProjection: GradientProjection {
    /// One layer and what projects its part of θ.
    enum Part: Sendable {
        /// G₁ [·] G₂ᵀ.
        case linear(TrainedLayer.Linear, RankOneProjection)
        case other(SparseProjection)
    }

    /// p.
    public let inputWidth: Int
    /// d.
    public let outputWidth: Int
    let parts: [(layer: TrainedLayer, part: Part)]

    /// Floats of the layers' projections at a time: 16 MiB.
    private static let partials = 4 << 20

    /// The projection of a seed.
    /// - Parameters:
    ///   - dimension: d, a square.
    ///   - memoryBudget: the most bytes to keep of the random numbers; what is not kept is made whenever it is needed.
    /// - Throws: `ProjectionError`; `Interrupted` while numbers are made.
    public init(
        of network: Network, dimension: Int, seed: UInt64, memoryBudget: Int = ProjectionType.memoryBudget,
        parallel: Parallel = Parallel(threads: 1), interruption: Interruption = .never
    ) throws {
        inputWidth = network.parameterCount
        outputWidth = dimension
        let layers = network.trainedLayers
        // Two matrices for each linear layer.
        let budget = memoryBudget / max(1, 2 * layers.count)
        parts = try layers.enumerated().map { index, layer in
            guard let linear = layer.linear else {
                let projection = try SparseProjection(
                    inputWidth: layer.parameters.count, outputWidth: dimension,
                    nonzeros: min(ProjectionType.nonzeros, max(1, dimension)), seed: seed, index: index, memoryBudget: budget,
                    interruption: interruption)
                return (layer, .other(projection))
            }
            let projection = try RankOneProjection(
                outputs: linear.outputs, inputs: linear.inputs, hasBias: linear.hasBias, dimension: dimension, seed: seed,
                index: index, memoryBudget: budget, parallel: parallel, interruption: interruption)
            return (layer, .linear(linear, projection))
        }
    }

    /// See `DirectionProjection`.
    public func project(
        _ directions: [Float], count: Int, parallel: Parallel, interruption: Interruption
    ) throws -> [Float] {
        precondition(directions.count == count * inputWidth, "directions are as long as θ")
        var out = [Float](repeating: 0, count: count * outputWidth)
        let together = max(1, min(count, Self.partials / (parts.count * outputWidth)))
        for first in stride(from: 0, to: count, by: together) {
            let some = min(together, count - first)
            let partials = AlignedMemory<Float>(repeating: 0, count: some * parts.count * outputWidth)
            try directions.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                // Only read, by every piece.
                nonisolated(unsafe) let start = base + first * inputWidth
                try parallel.forEach(some * parts.count, interruption: interruption) { piece in
                    let (layer, part) = parts[piece % parts.count]
                    try project(
                        start + piece / parts.count * inputWidth + layer.parameters.lowerBound, part,
                        into: partials.start + piece * outputWidth, interruption: interruption)
                }
            }
            for piece in 0..<some * parts.count {
                let place = (first + piece / parts.count) * outputWidth
                for k in 0..<outputWidth { out[place + k] += partials.start[piece * outputWidth + k] }
            }
        }
        return out
    }

    /// See `GradientProjection`. No gradient of a linear layer is written out.
    public func rowWriter(of examples: LabeledExamples, model: TrainedNetwork, memoryBudget: Int) -> any GradientRowWriter {
        LayerwiseRowWriter(model: model, examples: examples, projection: self)
    }

    /// The projection of one layer's part of a direction.
    private func project(
        _ direction: UnsafePointer<Float>, _ part: Part, into out: UnsafeMutablePointer<Float>, interruption: Interruption
    ) throws {
        switch part {
        case .other(let projection):
            try projection.project(
                direction, count: 1, into: out, parallel: Parallel(threads: 1), interruption: interruption)
        case .linear(let linear, let projection):
            try projection.project(
                weights: direction, biases: linear.hasBias ? direction + linear.outputs * linear.inputs : nil, into: out,
                interruption: interruption)
        }
    }
}
