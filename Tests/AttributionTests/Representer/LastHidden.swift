import Attribution
import LinearAlgebra
import Networks

extension RepresenterPoints {
    /// The direction of output c alone.
    func direction(ofOutput c: Int, features h: some Collection<Float>) -> [Float] {
        direction(of: (0..<outputCount).map { $0 == c ? 1 : 0 }, features: h)
    }
}

extension RetrainedLayer {
    /// Features that reach the last layer of a model, with what else is known of the examples.
    static func hidden(of examples: LabeledExamples, in model: TrainedNetwork, parallel: Parallel) throws -> LabeledExamples {
        guard let hidden = model.hidden else { return examples }
        let outputs = try hidden.outputs(of: examples.features, parallel: parallel)
        let features = FeatureRows(.float32(outputs), count: examples.count, width: hidden.network.outputWidth)
        return LabeledExamples(features: features, targets: examples.targets, weights: examples.weights)
    }
}
