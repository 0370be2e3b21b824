public import Networks

/// Why there are no representer points: what was wrong, and what to change.
public enum RepresenterError: Error, Equatable, Sendable {
    /// The outputs are not linear in the last layer's weights, so that nothing decomposes.
    case lastLayer(OutputLayerFlaw)
    /// λ is not given, and the model has no weight decay to take it from.
    case noDecay
    /// λ is nothing that single precision could divide by.
    case invalidDecay(Double)
    /// There are no training examples.
    case noExamples
    /// Retraining ended where the gradient was still larger than it may be.
    case notStationary(gradientNorm: Double, goal: Double, steps: Int, decay: Double, isAtFloor: Bool)
    /// Retraining could not begin, or its numbers did not stay finite.
    case training(TrainingError)
    /// Bytes are not a layer that was kept, or not one of this model's.
    case damaged(reason: String)
}

extension RepresenterError: CustomStringConvertible {
    /// The error as a sentence for a user.
    public var description: String {
        switch self {
        case .lastLayer(let flaw):
            "representer points take outputs apart that a linear last layer makes of features, and here \(flaw.description); "
                + "use tracin_cp, gradient_dot or influence, or a model that ends in its linear layer"
        case .noDecay:
            "representer points need an L2 strength, as the last layer is retrained with it, and this model has no weight_decay "
                + "to take it from; give one, 0.001 say"
        case .invalidDecay(let decay):
            "\(decay) is no L2 strength: it takes a positive number that single precision can divide by, 0.001 say"
        case .noExamples:
            "representer points are training examples, and there are none"
        case .notStationary(let norm, let goal, let steps, let decay, let isAtFloor):
            isAtFloor
                ? "the last layer can't be retrained to stationarity: after \(steps) steps its gradient is \(norm), which is as "
                    + "small as single precision makes it, and \(goal) is needed; give an L2 strength larger than \(decay), ten "
                    + "times say"
                : "the last layer is not stationary after \(steps) steps: its gradient is \(norm), and \(goal) is needed; allow "
                    + "more steps, or give an L2 strength larger than \(decay)"
        case .training(let error):
            "the last layer can't be retrained: \(error)"
        case .damaged(let reason):
            "these bytes are not a retrained last layer: \(reason)"
        }
    }
}
