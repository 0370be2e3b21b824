/// A training run: its settings and all that it needs to go on, as a value that can be saved and taken up again.
///
///     var run = try TrainingRun(settings, of: objective, from: parameters)
///     let stop = try run.resume(on: objective, parallel: parallel) { moment in … }
///
/// A run that was saved and loaded goes on to the same bits as one that was never stopped, wherever it was cut: the order of an
/// epoch's examples follows from the seed and the epoch's number alone.
public struct TrainingRun: Sendable {
    /// What the run does.
    public private(set) var settings: TrainingSettings
    /// n of the objective.
    public let exampleCount: Int
    /// Epochs done.
    public internal(set) var epoch = 0

    /// Examples of the present epoch that were used.
    var position = 0
    /// Σ |B|·loss and Σ |B|·F of the present epoch's batches.
    var sums = (loss: 0.0, objective: 0.0)
    /// The last epoch whose end was shown; −1 before any.
    var shown = -1
    /// Why the run last ended; nil while it goes on.
    public internal(set) var stop: TrainingStop?

    var point: TrainingPoint
    /// Whether the point's loss, objective and gradient are those of all examples at its θ. Not saved, but measured again.
    var isMeasured = false
    var memory: any OptimizerMemory
    var watch = ProgressWatch()
    var keeper: CheckpointKeeper

    /// θ.
    public var parameters: [Float] { point.parameters }
    /// Steps done.
    public var step: Int { epoch * batchesPerEpoch + (position + batchSize - 1) / batchSize }
    /// The learning rate of the epoch that led here, of the first at the beginning; nil for optimisers without one.
    public var learningRate: Double? { settings.optimizer.learningRate(inEpoch: max(0, position > 0 ? epoch : epoch - 1)) }

    /// Examples of a step; all of them at most.
    var batchSize: Int { min(settings.batchSize ?? exampleCount, exampleCount) }
    /// Steps of an epoch.
    var batchesPerEpoch: Int { (exampleCount - 1) / batchSize + 1 }

    /// A run that has not begun.
    /// - Throws: `TrainingError.invalid`, `TrainingError.noHessianProducts`.
    public init(
        _ settings: TrainingSettings, of objective: some TrainingObjective, from parameters: [Float]
    ) throws(TrainingError) {
        try self.init(settings, exampleCount: objective.exampleCount, parameters: parameters)
        try check(objective)
    }

    init(_ settings: TrainingSettings, exampleCount: Int, parameters: [Float]) throws(TrainingError) {
        try settings.validate()
        try TrainingError.require(
            exampleCount >= 1 && exampleCount <= Int(UInt32.max), "dataset",
            "training takes between 1 and \(UInt32.max) examples, and these are \(exampleCount)")
        try TrainingError.require(!parameters.isEmpty, "parameters", "there is nothing to train: no layer is trainable")
        try TrainingError.require(parameters.allSatisfy(\.isFinite), "parameters", "an initial parameter is not finite")
        self.settings = settings
        self.exampleCount = exampleCount
        point = TrainingPoint(parameters: parameters)
        memory = settings.optimizer.makeMemory(dimension: parameters.count)
        keeper = CheckpointKeeper(policy: settings.checkpoints)
    }

    /// Lets a run go on to a larger number of epochs, for which the schedule of its learning rate is what it always was.
    /// - Throws: `TrainingError.invalid`; the run is as it was then.
    public mutating func extend(toEpochs epochs: Int) throws(TrainingError) {
        var extended = settings
        extended.epochs = epochs
        try extended.validate()
        try TrainingError.require(
            epochs >= settings.epochs, "epochs", "a run of \(settings.epochs) epochs is not extended to \(epochs)")
        settings = extended
    }

    /// Whether the objective is of this run's sizes, and has what its optimiser needs.
    func check(_ objective: some TrainingObjective) throws(TrainingError) {
        guard objective.dimension == parameters.count else {
            throw .mismatch(reason: "it has \(parameters.count) parameters, and the model \(objective.dimension)")
        }
        guard objective.exampleCount == exampleCount else {
            throw .mismatch(reason: "it runs over \(exampleCount) examples, and there are \(objective.exampleCount)")
        }
        if case .newtonCG = settings.optimizer, !objective.hasHessianProducts { throw .noHessianProducts }
    }
}
