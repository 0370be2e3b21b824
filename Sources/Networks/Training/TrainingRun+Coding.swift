extension TrainingRun {
    /// The version of the format that is written, the only one that is read.
    static let version: UInt32 = 1
    /// What the bytes begin with: "INFLTRN" and the end of a line, which shows a file that was mangled as text.
    static let magic: [UInt8] = Array("INFLTRN\n".utf8)

    /// The run as bytes: magic and version, settings, counters, θ, the optimiser's memory, what was noted of progress and
    /// checkpoints, and a checksum. All of it but a few numbers are vectors of 4·p bytes: θ, two for Adam, one for momentum, two
    /// for each of the pairs of L-BFGS, one for each checkpoint that is still a candidate.
    public func encoded() -> [UInt8] {
        var writer = TrainingWriter()
        for byte in Self.magic { writer.write(byte) }
        writer.write(Self.version)
        settings.encode(to: &writer)
        writer.write(exampleCount)
        writer.write(parameters.count)
        writer.write(epoch)
        writer.write(position)
        writer.write(shown)
        writer.write(sums.loss)
        writer.write(sums.objective)
        writer.write(stop?.rawValue ?? 0)
        writer.write(parameters)
        memory.encode(to: &writer)
        watch.encode(to: &writer)
        keeper.encode(to: &writer)
        return writer.closed()
    }

    /// Takes up a run from its bytes, which may be anything.
    /// - Throws: `TrainingError.damaged`, `TrainingError.unknownVersion`, or `TrainingError.invalid` of a setting.
    public init(decoding bytes: [UInt8]) throws(TrainingError) {
        guard bytes.starts(with: Self.magic) else { throw .damaged(reason: "they don't begin as one") }
        var reader = try TrainingReader(bytes)
        for _ in Self.magic { _ = try reader.readInteger(UInt8.self, "the version") }
        let version = try reader.readInteger(UInt32.self, "the version")
        guard version == Self.version else { throw .unknownVersion(found: version, known: Self.version) }

        let settings = try TrainingSettings(from: &reader)
        let exampleCount = try reader.readCount("the number of examples", atMost: Int(UInt32.max))
        let dimension = try reader.readCount("the number of parameters", atMost: reader.mostFloats)
        let epoch = try reader.readCount("the epoch", atMost: TrainingSettings.mostEpochs)
        let position = try reader.readCount("the position", atMost: max(0, exampleCount - 1))
        let shown = try reader.readInteger(Int.self, "the last epoch shown")
        let loss = try reader.readNumber("the sum of losses")
        let objective = try reader.readNumber("the sum of objectives")
        let stop = try reader.readInteger(UInt8.self, "the reason of the end")
        let parameters = try reader.readFloats(dimension, "the parameters")
        try self.init(settings, exampleCount: exampleCount, parameters: parameters)

        guard position % batchSize == 0, shown == epoch || shown == epoch - 1 && position == 0 else {
            throw .damaged(reason: "its counters contradict each other")
        }
        (self.epoch, self.position, self.shown, sums) = (epoch, position, shown, (loss, objective))
        self.stop = TrainingStop(rawValue: stop)
        guard stop == 0 || self.stop != nil else { throw .damaged(reason: "\(stop) is no reason to end") }
        try memory.decode(from: &reader)
        watch = try ProgressWatch(from: &reader, dimension: dimension)
        try keeper.decode(from: &reader, dimension: dimension)
        try reader.close()
    }
}

extension ProgressWatch {
    func encode(to writer: inout TrainingWriter) {
        writer.write(isStuck)
        writer.write(idle)
        writer.write(best != nil)
        guard let best else { return }
        writer.write(reference)
        writer.write(best.loss)
        writer.write(best.objective)
        writer.write(best.gradientNorm)
        writer.write(best.parameters)
    }

    init(from reader: inout TrainingReader, dimension: Int) throws(TrainingError) {
        isStuck = try reader.readFlag("being stuck")
        idle = try reader.readCount("the epochs without progress", atMost: TrainingSettings.mostEpochs)
        guard try reader.readFlag("having a best point") else { return }
        reference = try reader.readNumber("the objective to undercut")
        let loss = try reader.readNumber("the best point's loss")
        let objective = try reader.readNumber("the best point's objective")
        let norm = try reader.readNumber("the best point's gradient norm")
        best = Record(
            parameters: try reader.readFloats(dimension, "the best point"), loss: loss, objective: objective, gradientNorm: norm)
    }
}

extension CheckpointKeeper {
    func encode(to writer: inout TrainingWriter) {
        writer.write(lastLoss)
        writer.write(candidates.count)
        for candidate in candidates {
            let checkpoint = candidate.checkpoint
            writer.write(candidate.fall)
            writer.write(checkpoint.epoch)
            writer.write(checkpoint.step)
            writer.write(checkpoint.trainLoss)
            writer.write(checkpoint.learningRate)
            writer.write(checkpoint.parameters)
        }
    }

    mutating func decode(from reader: inout TrainingReader, dimension: Int) throws(TrainingError) {
        lastLoss = try reader.readOptionalNumber("the last loss")
        var most = 0
        if case .largestFalls(let count, _) = policy { most = count }
        for _ in 0..<(try reader.readCount("the number of checkpoints", atMost: most)) {
            let fall = try reader.readNumber("a fall")
            let epoch = try reader.readCount("a checkpoint's epoch", atMost: TrainingSettings.mostEpochs)
            let step = try reader.readCount("a checkpoint's step", atMost: .max)
            let trainLoss = try reader.readNumber("a checkpoint's loss")
            let rate = try reader.readOptionalNumber("a checkpoint's learning rate")
            let checkpoint = TrainingCheckpoint(
                epoch: epoch, step: step, parameters: try reader.readFloats(dimension, "a checkpoint"), trainLoss: trainLoss,
                learningRate: rate, isFinal: false)
            guard epoch > candidates.last?.checkpoint.epoch ?? 0 else { throw .damaged(reason: "checkpoints are out of order") }
            candidates.append(Candidate(fall: fall, checkpoint: checkpoint))
        }
    }
}
