/// Everything that determines a training run but its objective and its initial parameters.
public struct TrainingSettings: Sendable, Hashable {
    /// The method and its settings.
    public var optimizer: Optimizer
    /// The most epochs. One is a pass over all examples in mini-batches; for methods that use all examples at once, one
    /// iteration.
    public var epochs: Int
    /// ‖∇F‖ over all examples at which the run ends; 0 where it shall use up its epochs.
    public var gradientNorm: Double
    /// Examples of a step; nil for all of them. The last batch of an epoch holds what is left.
    public var batchSize: Int?
    /// Names the orders of examples in mini-batches.
    public var seed: UInt64
    /// Whether F and ∇F over all examples are measured at the end of every epoch, at the cost of one more pass where steps are
    /// made on mini-batches. Without it the training loss is the mean of what the epoch's batches had before their steps, and the
    /// gradient's norm is not known.
    public var measuresEpochs: Bool
    /// What the run keeps.
    public var checkpoints: CheckpointPolicy

    /// The most epochs that there may be.
    public static let mostEpochs = 1_000_000_000

    /// Settings, which `validate()` checks.
    public init(
        optimizer: Optimizer, epochs: Int, gradientNorm: Double = 0, batchSize: Int? = nil, seed: UInt64 = 0,
        measuresEpochs: Bool = true, checkpoints: CheckpointPolicy = .final
    ) {
        self.optimizer = optimizer
        self.epochs = epochs
        self.gradientNorm = gradientNorm
        self.batchSize = batchSize
        self.seed = seed
        self.measuresEpochs = measuresEpochs
        self.checkpoints = checkpoints
    }

    /// - Throws: `TrainingError.invalid` of the first setting that has no meaning.
    public func validate() throws(TrainingError) {
        try optimizer.validate()
        try TrainingError.require(
            epochs >= 1 && epochs <= Self.mostEpochs, "epochs", "\(epochs) is not between 1 and \(Self.mostEpochs)")
        try TrainingError.require(
            gradientNorm >= 0 && gradientNorm.isFinite, "gradient_norm",
            "\(gradientNorm) is not a norm; it takes 0 or a positive number")
        if let batchSize {
            try TrainingError.require(
                batchSize >= 1, "batch_size", "a batch of \(batchSize) examples holds nothing to learn from; it takes 1 or more")
            try TrainingError.require(
                optimizer.takesBatches, "batch_size", "\(optimizer.name) uses all examples in every step; leave it out")
            try TrainingError.require(
                gradientNorm == 0 || measuresEpochs, "gradient_norm",
                "it is only known where the epochs of mini-batches are measured; measure them or leave it out")
        }
        try checkpoints.validate()
    }
}
