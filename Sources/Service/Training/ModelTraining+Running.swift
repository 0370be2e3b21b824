internal import Formats
public import LinearAlgebra
public import Networks
internal import Store

extension ModelTraining {
    /// What happens in a training, for those who watch.
    public enum Event {
        /// The beginning, or the end of an epoch.
        case moment(TrainingMoment)
        /// Within an epoch: the part of its steps that is done.
        case within(epoch: Int, part: Double)
        /// A checkpoint was stored under a name.
        case kept(String, TrainingCheckpoint)
        /// Another process writes to the store; a checkpoint waits for it to finish.
        case waiting
    }

    /// How a training ended for now.
    public enum Outcome: Sendable {
        /// It is complete.
        case finished(TrainingSummary)
        /// It was interrupted after so many epochs, and can go on.
        case interrupted(epoch: Int)
    }

    /// Trains until there is a reason to stop, and stores the checkpoints on the way: the last as `final`, others as `epoch-K`.
    /// - Parameters:
    ///   - interruption: whether to stop for now. The run is saved then.
    ///   - watch: told what happens.
    /// - Throws: `TrainingError.diverged`, after which there is nothing to go on with; `StoreError` and `ModelTrainingError.file`, after
    ///   which the run goes on from where it was last saved.
    public mutating func run(
        interruption: Interruption = .never, watch: (Event) -> Void = { _ in }
    ) throws -> Outcome {
        // Before anything is stored: what is stored belongs to a run that can go on.
        try file.save(saved.encoded)
        do {
            let objective = try engine.objective(of: network, from: start, on: record, interruption: interruption)
            guard let stop = try train(on: objective, interruption, watch) else {
                return .interrupted(epoch: saved.run.epoch)
            }
            let summary = try stop.measured(on: objective, parallel: engine.parallel, interruption: interruption)
            file.remove()
            return .finished(summary)
        } catch is Interrupted {
            return .interrupted(epoch: saved.run.epoch)
        } catch let error as TrainingError {
            // It would always end like this.
            file.remove()
            throw error
        }
    }

    /// - Returns: how the run ended; nil where it was interrupted, and saved.
    private mutating func train(
        on objective: NetworkObjective, _ interruption: Interruption, _ watch: (Event) -> Void
    ) throws -> TrainingEnd? {
        let clock = SaveClock(interval: request.saveInterval, share: request.savingShare, patience: request.patience)
        // An epoch of several steps can be broken off between any two of them, to be saved.
        let steps = (exampleCount - 1) / min(request.settings.batchSize ?? exampleCount, exampleCount) + 1
        let pause = Interruption { interruption.isRaised || steps > 1 && clock.isOverdue }
        var run = saved.run
        while true {
            let before = run.step
            var last: TrainingMoment?
            do {
                try run.resume(on: objective, parallel: engine.parallel, interruption: pause) { moment in
                    for checkpoint in moment.checkpoints { try keep(checkpoint, interruption, watch) }
                    watch(.moment(moment))
                    if moment.stop == nil, clock.isDue { try save(moment.run, clock) }
                    last = moment.stop == nil ? nil : moment
                }
                return last.map(TrainingEnd.init)
            } catch is Interrupted {
                try save(run, clock)
                if interruption.isRaised { return nil }
                if run.step == before { clock.becomePatient() }
                watch(.within(epoch: run.epoch, part: Double(run.step - run.epoch * steps) / Double(steps)))
            }
        }
    }

    private mutating func save(_ run: TrainingRun, _ clock: SaveClock) throws {
        saved.run = run
        try clock.time { try file.save(saved.encoded) }
    }

    /// Stores a checkpoint, unless the run has done so before it was taken up here.
    private func keep(_ checkpoint: TrainingCheckpoint, _ interruption: Interruption, _ watch: (Event) -> Void) throws {
        let name = checkpoint.isFinal ? "final" : "epoch-\(checkpoint.epoch)"
        let training = TrainingState(
            step: checkpoint.step, epoch: checkpoint.epoch, learningRate: checkpoint.learningRate,
            trainLoss: checkpoint.trainLoss)
        while true {
            do {
                try engine.store.importCheckpoint(
                    named: name, ofModel: request.name, spec: saved.spec, trainedOn: record.name,
                    tensors: network.named(checkpoint.parameters, start.fixed), training: training)
                return watch(.kept(name, checkpoint))
            } catch StoreError.busy where !interruption.isRaised {
                watch(.waiting)
            } catch let error as StoreError {
                guard case .alreadyExists(kind: .checkpoint, _, _, _) = error, try isStored(name, training) else { throw error }
                return
            }
        }
    }

    /// Whether the model's checkpoint of a name is of the same point of the run.
    private func isStored(_ name: String, _ training: TrainingState) throws -> Bool {
        let stored = try engine.store.checkpoint(named: name, of: engine.store.model(named: request.name)).training
        return stored.step == training.step && stored.epoch == training.epoch
    }
}
