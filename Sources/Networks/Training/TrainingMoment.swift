/// Why a run ended.
public enum TrainingStop: UInt8, Sendable, CaseIterable {
    /// ‖∇F‖ is as small as asked.
    case gradientNorm = 1
    /// All epochs are done.
    case epochs = 2
    /// No step made F or ‖∇F‖ smaller any more by what single precision can tell: this is as small as ‖∇F‖ gets. At most it is
    /// about ‖∇²F‖·‖θ‖·2⁻²⁴, which the rounding of θ makes of it, and the rounding of the gradient's own sums; softmax
    /// regressions on MNIST end at 2·10⁻⁸. (A kink of F, such as relu's, can hold a run in the same way.) The parameters are
    /// those of the smallest ‖∇F‖ met there.
    case precisionFloor = 3
    /// It was to pause here, and can go on.
    case paused = 4
}

/// The end of an epoch, or the beginning of the first. Keep of it what you need: it holds the vectors of the whole run.
public struct TrainingMoment: Sendable {
    /// The run as it is now, which can be saved.
    public let run: TrainingRun
    /// The mean loss without weight decay: over all examples, or over the epoch's batches where epochs are not measured.
    public let trainLoss: Double
    /// F, of the same examples.
    public let objective: Double
    /// ‖∇F‖ over all examples, where it is known.
    public let gradientNorm: Double?
    /// Checkpoints that the policy settled on at this moment.
    public let checkpoints: [TrainingCheckpoint]
    /// Why the run ends here; nil where it goes on.
    public let stop: TrainingStop?

    /// Epochs done.
    public var epoch: Int { run.epoch }
    /// Steps done.
    public var step: Int { run.step }
    /// θ.
    public var parameters: [Float] { run.parameters }
    /// The learning rate of the epoch that led here, of the first at the beginning; nil for optimisers without one.
    public var learningRate: Double? { run.learningRate }
}
