public import LinearAlgebra
public import Networks

/// A projection of θ as one long vector.
public struct WholeProjection: GradientProjection {
    /// Φ.
    public let projection: any Projection

    /// p.
    public var inputWidth: Int { projection.inputWidth }
    /// d.
    public var outputWidth: Int { projection.outputWidth }

    /// A projection of vectors as long as θ.
    public init(_ projection: any Projection) { self.projection = projection }

    /// See `DirectionProjection`.
    public func project(
        _ directions: [Float], count: Int, parallel: Parallel, interruption: Interruption
    ) throws -> [Float] {
        precondition(directions.count == count * inputWidth, "directions are as long as θ")
        let length = count * outputWidth
        return try [Float](unsafeUninitializedCapacity: length) { buffer, initialized in
            if let out = buffer.baseAddress {
                try directions.withUnsafeBufferPointer { directions in
                    guard let start = directions.baseAddress else { return }
                    try projection.project(start, count: count, into: out, parallel: parallel, interruption: interruption)
                }
            }
            initialized = length
        }
    }

    /// See `GradientProjection`.
    public func rowWriter(of examples: LabeledExamples, model: TrainedNetwork, memoryBudget: Int) -> any GradientRowWriter {
        ProjectedRowWriter(model: model, examples: examples, projection: self, memoryBudget: memoryBudget)
    }
}
