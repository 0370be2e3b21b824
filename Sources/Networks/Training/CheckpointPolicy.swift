/// Which epochs' parameters a run keeps. Its last ones are always kept.
public enum CheckpointPolicy: Sendable, Hashable {
    /// The last alone.
    case final
    /// Every so many epochs.
    case every(Int)
    /// These epochs; 0 are the initial parameters.
    case epochs(Set<Int>)
    /// The `count` epochs in which the training loss fell most, with the parameters of these epochs' ends (TracIn, Pruthi et al.
    /// 2020, appendix D: more checkpoints where the loss decreases faster, and none where training has converged). `from` is the
    /// first epoch that counts, 1 being the first that changes anything: the same appendix advises against the beginning of
    /// training, where losses fluctuate.
    case largestFalls(count: Int, from: Int = 1)

    func validate() throws(TrainingError) {
        switch self {
        case .final: return
        case .every(let period):
            try TrainingError.require(period >= 1, "checkpoint_every", "\(period) epochs are not a period; it takes 1 or more")
        case .epochs(let epochs):
            try TrainingError.require(
                epochs.allSatisfy { $0 >= 0 }, "checkpoint_epochs", "\(epochs.min() ?? 0) is no epoch; the first is 0")
        case .largestFalls(let count, let first):
            try TrainingError.require(
                count >= 1 && count <= 10_000, "checkpoint_falls", "\(count) is not a number of checkpoints between 1 and 10000")
            try TrainingError.require(
                first >= 1, "checkpoint_falls_from", "the loss can't have fallen by epoch \(first); the first to count is 1")
        }
    }
}

/// Parameters worth keeping, and how they came about.
public struct TrainingCheckpoint: Sendable, Equatable {
    /// Epochs done.
    public let epoch: Int
    /// Steps done.
    public let step: Int
    /// θ.
    public let parameters: [Float]
    /// The mean loss without weight decay, as the moment's.
    public let trainLoss: Double
    /// The learning rate of the epoch that led here, which is what TracIn weights a checkpoint by; nil for optimisers without
    /// one.
    public let learningRate: Double?
    /// Whether these are the run's last.
    public var isFinal: Bool
}

/// Chooses checkpoints while a run goes on, in the memory of those it may still need.
struct CheckpointKeeper: Sendable {
    /// A checkpoint, and by how much the loss fell in its epoch.
    struct Candidate: Sendable, Equatable {
        let fall: Double
        let checkpoint: TrainingCheckpoint
    }

    let policy: CheckpointPolicy
    /// The largest falls so far, in order of their epochs; at most as many as are to be kept.
    var candidates: [Candidate] = []
    /// The loss of the epoch before; nil before any.
    var lastLoss: Double?

    /// Takes note of an epoch's end, in order.
    /// - Returns: the checkpoints that are certain from here on, in order of their epochs; each is returned once, but for those
    ///   chosen by falls where a run goes on after it had ended.
    mutating func consider(_ checkpoint: TrainingCheckpoint) -> [TrainingCheckpoint] {
        defer { lastLoss = checkpoint.trainLoss }
        switch policy {
        case .final:
            return checkpoint.isFinal ? [checkpoint] : []
        case .every(let period):
            return checkpoint.isFinal || checkpoint.epoch > 0 && checkpoint.epoch % period == 0 ? [checkpoint] : []
        case .epochs(let epochs):
            return checkpoint.isFinal || epochs.contains(checkpoint.epoch) ? [checkpoint] : []
        case .largestFalls(let count, let first):
            if let lastLoss, checkpoint.epoch >= first { insert(checkpoint, fall: lastLoss - checkpoint.trainLoss, most: count) }
            guard checkpoint.isFinal else { return [] }
            return candidates.map(\.checkpoint).filter { $0.epoch < checkpoint.epoch } + [checkpoint]
        }
    }

    /// Of equal falls the earlier stay.
    private mutating func insert(_ checkpoint: TrainingCheckpoint, fall: Double, most count: Int) {
        guard fall > 0 else { return }
        if candidates.count == count {
            let weakest = candidates.indices.reversed().min { candidates[$0].fall < candidates[$1].fall } ?? 0
            guard fall > candidates[weakest].fall else { return }
            candidates.remove(at: weakest)
        }
        var checkpoint = checkpoint
        checkpoint.isFinal = false
        candidates.append(Candidate(fall: fall, checkpoint: checkpoint))
    }
}
