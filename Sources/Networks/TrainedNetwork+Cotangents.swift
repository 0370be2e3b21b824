public import LinearAlgebra

extension TrainedNetwork {
    /// The gradients of some examples, written out and as factors: once forward, and once back from the loss or from given gradients
    /// of the outputs (a vector-Jacobian product).
    ///
    /// An example's gradient has the same bits beside whichever others.
    /// - Parameters:
    ///   - rows: which examples.
    ///   - outputs: where the way back begins; targets and weights matter for the loss alone.
    /// - Throws: `Interrupted`.
    public func exampleGradients(
        of rows: Range<Int>, in examples: LabeledExamples, from outputs: OutputGradients = .ofLoss,
        parallel: Parallel = Parallel(threads: 1), interruption: Interruption = .never
    ) throws -> ExampleGradients {
        let (count, length, layers) = (rows.count, network.parameterCount, network.trainedLayers)
        let vectors = AlignedMemory<Float>(repeating: 0, count: count * length)
        let factors = AlignedMemory<Float>(uninitialized: count * layout.width)
        let inputs = AlignedMemory<Float>(uninitialized: count * network.inputWidth)
        examples.features.copyValues(of: rows, into: inputs.start)
        try forEachFactors(of: [rows], in: examples, from: outputs, parallel: parallel, interruption: interruption) {
            [layout] place, shown in
            var pace = PacedInterruption(interruption)
            shown.write(layout, into: factors.start + place * layout.width)
            for row in 0..<shown.count {
                for layer in layers { shown.addGradient(of: row, layer, to: vectors.start + (place + row) * length) }
                try pace.check(after: 4 * length)
            }
        }
        return ExampleGradients(
            vectors: vectors.copy, count: count,
            factors: .init(inputs: inputs.copy, rows: factors.copy, layout: layout))
    }
}
