public import LinearAlgebra

extension TrainingRun {
    /// Goes on until there is a reason to stop, and shows the beginning of the first epoch and the end of every one.
    ///
    /// Its bits depend on the settings, the initial parameters and the objective alone.
    /// - Parameters:
    ///   - pause: an epoch after which to stop for now.
    ///   - visit: called once for every moment; what it throws ends the run.
    /// - Returns: the reason; at once where it still holds from before.
    /// - Throws: `TrainingError.diverged`, `TrainingError.mismatch`, `TrainingError.noHessianProducts`, `Interrupted`, and what
    ///   `visit` throws. After the last two the run can go on from where it is; a moment whose visit threw counts as shown.
    @discardableResult
    public mutating func resume(
        on objective: some TrainingObjective, pausingAfter pause: Int? = nil, parallel: Parallel,
        interruption: Interruption = .never, visit: (TrainingMoment) throws -> Void = { _ in }
    ) throws -> TrainingStop {
        try check(objective)
        let landscape = Landscape(objective: objective, parallel: parallel, interruption: interruption)
        switch stop {
        case .gradientNorm, .precisionFloor: return stop ?? .paused
        case .epochs where epoch >= settings.epochs: return .epochs
        case .paused where pause.map { epoch >= $0 } ?? false: return .paused
        case .epochs, .paused, nil: stop = nil
        }
        while true {
            if position == 0, shown < epoch {
                let moment = try endEpoch(on: landscape, pausingAfter: pause)
                try visit(moment)
                if let stop { return stop }
            }
            try performEpoch(on: landscape)
        }
    }

    /// The steps of an epoch that are left.
    private mutating func performEpoch(on landscape: Landscape) throws {
        if batchesPerEpoch == 1 {
            try measure(on: landscape)
            try performStep(on: landscape)
            epoch += 1
            return
        }
        var order = [UInt32](repeating: 0, count: exampleCount)
        // One stream for every epoch, so that no order has to be remembered.
        var sampler = EpochSampler(count: exampleCount, stream: RandomStream(seed: settings.seed, index: UInt64(epoch)))
        order.withUnsafeMutableBufferPointer { sampler.next(into: $0) }
        while position < exampleCount {
            let batch = position..<min(position + batchSize, exampleCount)
            isMeasured = false
            try order.withUnsafeBufferPointer {
                try landscape.evaluate(&point, over: .indices(UnsafeBufferPointer(rebasing: $0[batch])))
            }
            try requireFinite(point.objective)
            try performStep(on: landscape)
            sums.loss += Double(batch.count) * point.loss
            sums.objective += Double(batch.count) * point.objective
            position = batch.upperBound
        }
        position = 0
        epoch += 1
    }

    private mutating func performStep(on landscape: Landscape) throws {
        let rate = settings.optimizer.learningRate(inEpoch: epoch) ?? 0
        switch try memory.step(&point, rate: rate, number: step + 1, on: landscape) {
        case .moved: isMeasured = false
        case .evaluated: isMeasured = true
        case .stuck: watch.isStuck = true
        }
    }

    /// Evaluates F and ∇F over all examples, unless they are known.
    private mutating func measure(on landscape: Landscape) throws {
        guard !isMeasured else { return }
        try landscape.evaluate(&point)
        isMeasured = true
    }

    /// Says why the run ends after this epoch, if it does, and what is kept of it.
    private mutating func endEpoch(on landscape: Landscape, pausingAfter pause: Int?) throws -> TrainingMoment {
        var norm: Double?
        if settings.measuresEpochs || batchesPerEpoch == 1 || epoch == 0 {
            try measure(on: landscape)
            norm = point.gradientNorm
            try requireFinite(norm ?? 0)
        } else {
            (point.loss, point.objective) = (sums.loss / Double(exampleCount), sums.objective / Double(exampleCount))
        }
        sums = (0, 0)
        try requireFinite(point.objective)
        guard parameters.allSatisfy(\.isFinite), memory.isFinite else { throw divergence }
        if let norm, memory.patience != nil { watch.note(point, gradientNorm: norm) }
        if let norm, norm <= settings.gradientNorm {
            stop = .gradientNorm
        } else if watch.isStuck || watch.idle >= memory.patience ?? .max {
            stop = .precisionFloor
            norm = takeBest() ?? norm
        } else if epoch >= settings.epochs {
            stop = .epochs
        } else if let pause, epoch >= pause {
            stop = .paused
        }
        let checkpoint = TrainingCheckpoint(
            epoch: epoch, step: step, parameters: parameters, trainLoss: point.loss, learningRate: learningRate,
            isFinal: stop.map { $0 != .paused } ?? false)
        shown = epoch
        let checkpoints = keeper.consider(checkpoint)
        return TrainingMoment(
            run: self, trainLoss: point.loss, objective: point.objective, gradientNorm: norm, checkpoints: checkpoints, stop: stop
        )
    }

    /// Goes back to the point of the smallest ‖∇F‖ near the floor, and returns this.
    private mutating func takeBest() -> Double? {
        guard let best = watch.best else { return nil }
        point.parameters = best.parameters
        (point.loss, point.objective) = (best.loss, best.objective)
        isMeasured = false
        return best.gradientNorm
    }

    private func requireFinite(_ number: Double) throws(TrainingError) { guard number.isFinite else { throw divergence } }

    private var divergence: TrainingError { .diverged(epoch: epoch, step: step, learningRate: learningRate) }
}
