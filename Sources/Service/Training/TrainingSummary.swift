internal import LinearAlgebra
public import Networks

/// What a training came to.
public struct TrainingSummary: Sendable {
    /// Why it ended.
    public let stop: TrainingStop
    /// Epochs and steps done.
    public let epoch, step: Int
    /// The mean loss over all examples, without weight decay.
    public let trainLoss: Double
    /// F, weight decay included.
    public let objective: Double
    /// ‖∇F‖.
    public let gradientNorm: Double
}

/// The last moment of a run.
struct TrainingEnd {
    private let moment: TrainingMoment

    init(_ moment: TrainingMoment) { self.moment = moment }

    /// What it came to. Where the gradient's norm is not known yet, everything is measured over all examples.
    /// - Throws: `Interrupted`.
    func measured(
        on objective: NetworkObjective, parallel: Parallel, interruption: Interruption
    ) throws -> TrainingSummary {
        var (loss, value) = (moment.trainLoss, moment.objective)
        let norm: Double
        if let known = moment.gradientNorm {
            norm = known
        } else {
            var gradient = [Float](repeating: 0, count: objective.dimension)
            (loss, value) = try objective.evaluate(
                moment.parameters, over: .range(0..<objective.exampleCount), gradient: &gradient, parallel: parallel,
                interruption: interruption)
            norm = Vectors.norm(gradient)
        }
        return TrainingSummary(
            stop: moment.stop ?? .epochs, epoch: moment.epoch, step: moment.step, trainLoss: loss, objective: value,
            gradientNorm: norm)
    }
}
