public import LinearAlgebra

/// Scores of training examples along the gradients of a few other examples, whose factors are known: g′·gᵢ.
///
/// From the training examples' factors a linear layer takes D + C products for a pair, instead of D·C (TracIn, appendix F). Without
/// them an example goes forward and back once, whatever the number of others. A product has the same bits whatever other pairs there
/// are, on any number of threads.
public struct GradientPairs: Sendable {
    private let model: TrainedNetwork
    private let products: PairProducts

    /// What products with `others` need; nil where their factors are not known, or are those of a network of other layers.
    public init?(_ model: TrainedNetwork, with others: ExampleGradients) {
        guard let factors = others.factors, factors.layout == model.layout,
            factors.inputs.count == others.count * model.network.inputWidth
        else { return nil }
        self.model = model
        products = PairProducts(model.network, with: others, factors)
    }

    /// g′·gᵢ for each of the others and each example of a batch: [others, count].
    /// - Parameter factors: the gradient factors of all examples, [n, factorWidth], where they are in memory.
    /// - Throws: `Interrupted`.
    public func scores(
        of batch: ExampleBatch, in examples: LabeledExamples, factors: UnsafePointer<Float>? = nil, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> AlignedMemory<Float> {
        let (computation, layout) = (model.computation, model.layout)
        let (scores, stride) = (AlignedMemory<Float>(uninitialized: batch.count * products.count), batch.count)
        // Only read, by every piece.
        nonisolated(unsafe) let factors = factors
        let least = factors == nil ? 1 : products.stretch
        try computation.forEachPiece(of: batch, atLeast: least, parallel, interruption) { [products] piece, first in
            if let factors {
                try computation.scores(
                    ofFactors: factors, byExample: true, layout, of: piece, examples.features, with: products,
                    into: scores.start + first, stride: stride, interruption: interruption)
            } else {
                try computation.scores(
                    of: piece, examples, with: products, into: scores.start + first, stride: stride,
                    interruption: interruption)
            }
        }
        return scores
    }

    /// g′·gᵢ of a batch of which the factors, and no others', lie in memory in its order, [count, factorWidth]: the scores with each of the
    /// others go to `scores`, `stride` numbers behind those with the previous one. By one thread; the bits are those of
    /// `scores(of:in:factors:parallel:interruption:)`.
    /// - Throws: `Interrupted`.
    public func writeScores(
        ofFactors factors: UnsafePointer<Float>, of batch: ExampleBatch, in examples: LabeledExamples,
        into scores: UnsafeMutablePointer<Float>, stride: Int, interruption: Interruption
    ) throws {
        try model.computation.scores(
            ofFactors: factors, byExample: false, model.layout, of: batch, examples.features, with: products, into: scores,
            stride: stride, interruption: interruption)
    }
}
