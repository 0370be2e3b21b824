public import LinearAlgebra
public import Networks

/// The gradients of all training examples of any network, never written out, and exact.
///
/// Without factors a score is the derivative of an example's loss along the direction, in forward mode: a scan costs the network's
/// outputs once and about as much again for each direction. With the factors of all gradients it is the product of TracIn's
/// appendix F, generalised to every layer, at half of that for each direction.
public struct NetworkGradients: TrainingGradients {
    /// The network at its parameters.
    public let model: TrainedNetwork
    /// The training examples.
    public let examples: LabeledExamples
    /// The gradient factors of each example, [n, model.factorWidth], where they are known.
    public let factors: AlignedMemory<Float>?

    /// The gradients of some examples.
    public init(model: TrainedNetwork, examples: LabeledExamples, factors: AlignedMemory<Float>? = nil) {
        precondition(factors?.count ?? 0 == (factors == nil ? 0 : examples.count * model.factorWidth), "a row for each example")
        self.model = model
        self.examples = examples
        self.factors = factors
    }

    /// n.
    public var count: Int { examples.count }
    /// p.
    public var dimension: Int { model.network.parameterCount }

    /// See `TrainingGradients`.
    /// - Throws: `Interrupted`.
    public func scores(
        of selection: RowSelection, along directions: [Float], parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        try selection.withBatch(of: count) { batch in
            let values =
                if let factors {
                    try model.scores(
                        of: batch, in: examples, factors: factors.start, along: directions, parallel: parallel,
                        interruption: interruption)
                } else {
                    try model.scores(
                        of: batch, in: examples, along: directions, parallel: parallel, interruption: interruption)
                }
            return Scores(rowCount: batch.count, directionCount: directions.count / dimension, values: values)
        }
    }
}
