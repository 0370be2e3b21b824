/// What a model is made of: the JSON that users write (the interface's "model spec"), understood.
public struct ModelSpec: Sendable, Equatable {
    /// Extents of one example; nil where the first layer implies them.
    public let inputShape: [Int]?
    /// The layers, first to last.
    public let layers: [Layer]
    /// What each example's loss is.
    public let loss: Loss
    /// The objective's L2 term is (`weightDecay`/2)·‖θ‖².
    public let weightDecay: Double

    /// One layer, under PyTorch's name for it.
    public enum Layer: Sendable, Equatable {
        /// Makes each example one row of features.
        case flatten
        /// out = in · weightᵀ + bias, weight [out_features, in_features].
        case linear(name: String?, inFeatures: Int, outFeatures: Int, bias: Bool)
    }

    /// A loss, of one example's outputs and its target.
    public enum Loss: Sendable, Equatable {
        /// −log softmax(out)[target].
        case crossEntropy
    }

    /// Makes a spec of its parts.
    public init(inputShape: [Int]? = nil, layers: [Layer], loss: Loss, weightDecay: Double) {
        self.inputShape = inputShape
        self.layers = layers
        self.loss = loss
        self.weightDecay = weightDecay
    }
}
