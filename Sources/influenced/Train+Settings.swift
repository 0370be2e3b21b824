internal import ArgumentParser
internal import Networks

/// How a model is trained.
struct TrainingOptions: ParsableArguments {
    enum Method: String, ExpressibleByArgument, CaseIterable {
        case lbfgs
        case newtonCG = "newton_cg"
        case sgd
        case adam

        /// Whether it makes steps on batches, of a length that is chosen.
        var isStochastic: Bool { self == .sgd || self == .adam }
    }

    @Option(
        help: "How parameters are found. lbfgs and newton_cg use all examples in every step; an epoch is one of their iterations."
    )
    var optimizer: Method = .lbfgs
    @Option(help: "The most epochs. (default: 1000 for lbfgs and newton_cg, 20 for sgd and adam)")
    var epochs: Int?
    @Option(
        help: "The norm of the objective's gradient at which training ends. (default: 1e-6 for lbfgs and newton_cg, else none)")
    var gradientNorm: Double?
    @Option(help: "Of sgd and adam. (default: 0.01 for sgd, 0.001 for adam)")
    var learningRate: Double?
    @Option(help: "Of sgd, as PyTorch defines it. (default: 0)")
    var momentum: Double?
    @Flag(help: "Nesterov's momentum, for sgd.")
    var nesterov = false
    @Option(help: "Of adam: how much of the first moment stays. (default: 0.9)")
    var beta1: Double?
    @Option(help: "Of adam: how much of the second moment stays. (default: 0.999)")
    var beta2: Double?
    @Option(help: "Of adam: what is added to the second moment's root. (default: 1e-08)")
    var eps: Double?
    @Option(help: "Of lbfgs: pairs of steps and gradients that are remembered. (default: 20)")
    var history: Int?
    @Option(help: "Of newton_cg: products with the Hessian that an iteration may take. (default: 250)")
    var maxProducts: Int?
    @Option(help: "Examples of a step of sgd or adam, or all. (default: 64)")
    var batchSize: String?
    @Option(
        help: ArgumentHelp(
            "How the learning rate changes: constant; step:EPOCHS:FACTOR, multiplied by FACTOR after every EPOCHS; "
                + "cosine[:EPOCHS[:FLOOR]], down to FLOOR within EPOCHS, or all.",
            valueName: "schedule"))
    var schedule: String?
    @Option(help: "Names the initial parameters and the orders of examples.")
    var seed: UInt64 = 0
    @Flag(
        inversion: .prefixedNo,
        help: "Measure loss and gradient over all examples after every epoch, for one more pass over them.")
    var measureEpochs = true
    @Option(help: ArgumentHelp("Keep a checkpoint every so many epochs.", valueName: "epochs"))
    var checkpointEvery: Int?
    @Option(help: ArgumentHelp("Keep checkpoints at these epochs, such as 1,5,20; 0 is the beginning.", valueName: "epochs"))
    var checkpointsAt: String?
    @Option(
        help: ArgumentHelp(
            "Keep the checkpoints of so many epochs in which the training loss fell most (TracIn, appendix D).",
            valueName: "count"))
    var largestFalls: Int?
    @Option(help: ArgumentHelp("The first epoch that counts for --largest-falls. (default: 1)", valueName: "epoch"))
    var largestFallsFrom: Int?

    func validate() throws { _ = try trainingSettings() }

    /// What the options come to.
    /// - Throws: `ValidationError` that names the option.
    func trainingSettings() throws -> TrainingSettings {
        try refuseWhatDoesNotApply()
        let settings = TrainingSettings(
            optimizer: try trainingOptimizer(), epochs: mostEpochs,
            gradientNorm: gradientNorm ?? (optimizer.isStochastic ? 0 : 1e-6), batchSize: try examplesOfAStep(), seed: seed,
            measuresEpochs: measureEpochs, checkpoints: try checkpointPolicy())
        do {
            try settings.validate()
        } catch {
            throw Self.failure(error)
        }
        return settings
    }

    private var mostEpochs: Int { epochs ?? (optimizer.isStochastic ? 20 : 1000) }

    private func refuseWhatDoesNotApply() throws {
        let limited: [(option: String, isGiven: Bool, to: [Method])] = [
            ("--learning-rate", learningRate != nil, [.sgd, .adam]), ("--schedule", schedule != nil, [.sgd, .adam]),
            ("--batch-size", batchSize != nil, [.sgd, .adam]), ("--no-measure-epochs", !measureEpochs, [.sgd, .adam]),
            ("--momentum", momentum != nil, [.sgd]), ("--nesterov", nesterov, [.sgd]),
            ("--beta1", beta1 != nil, [.adam]), ("--beta2", beta2 != nil, [.adam]), ("--eps", eps != nil, [.adam]),
            ("--history", history != nil, [.lbfgs]), ("--max-products", maxProducts != nil, [.newtonCG]),
        ]
        for (option, isGiven, methods) in limited where isGiven && !methods.contains(optimizer) {
            let names = methods.map(\.rawValue).joined(separator: " and ")
            throw ValidationError("\(option) is for \(names), not for \(optimizer.rawValue); leave it out")
        }
    }

    private func trainingOptimizer() throws -> Optimizer {
        switch optimizer {
        case .lbfgs: .lbfgs(history.map { LBFGS(history: $0) } ?? LBFGS())
        case .newtonCG: .newtonCG(maxProducts.map { NewtonCG(maxProducts: $0) } ?? NewtonCG())
        case .sgd:
            .sgd(
                SGD(
                    learningRate: learningRate ?? 0.01, momentum: momentum ?? 0, nesterov: nesterov,
                    schedule: try learningRateSchedule()))
        case .adam:
            .adam(
                Adam(
                    learningRate: learningRate ?? 0.001, beta1: beta1 ?? 0.9, beta2: beta2 ?? 0.999, epsilon: eps ?? 1e-8,
                    schedule: try learningRateSchedule()))
        }
    }

    private func learningRateSchedule() throws -> LearningRateSchedule {
        guard let schedule else { return .constant }
        let parts = schedule.split(separator: ":", omittingEmptySubsequences: false)
        switch (parts[0], parts.count) {
        case ("constant", 1): return .constant
        case ("step", 3):
            if let epochs = Int(parts[1]), let factor = Double(parts[2]) { return .step(epochs: epochs, factor: factor) }
        case ("cosine", 1): return .cosine(epochs: mostEpochs)
        case ("cosine", 2): if let epochs = Int(parts[1]) { return .cosine(epochs: epochs) }
        case ("cosine", 3):
            if let epochs = Int(parts[1]), let floor = Double(parts[2]) { return .cosine(epochs: epochs, floor: floor) }
        default: break
        }
        throw ValidationError(
            "--schedule must be constant, step:EPOCHS:FACTOR, cosine, cosine:EPOCHS or cosine:EPOCHS:FLOOR; got \"\(schedule)\"")
    }

    private func examplesOfAStep() throws -> Int? {
        guard let batchSize else { return optimizer.isStochastic ? 64 : nil }
        if batchSize == "all" { return nil }
        guard let count = Int(batchSize) else {
            throw ValidationError("--batch-size must be a number of examples, or all; got \"\(batchSize)\"")
        }
        return count
    }

    private func checkpointPolicy() throws -> CheckpointPolicy {
        let given = [checkpointEvery != nil, checkpointsAt != nil, largestFalls != nil]
        guard given.count(where: { $0 }) <= 1 else {
            throw ValidationError("--checkpoint-every, --checkpoints-at and --largest-falls exclude each other")
        }
        guard largestFallsFrom == nil || largestFalls != nil else {
            throw ValidationError("--largest-falls-from is for --largest-falls; leave it out")
        }
        if let largestFallsFrom, largestFallsFrom > mostEpochs {
            throw ValidationError("--largest-falls-from: there is no epoch \(largestFallsFrom), as --epochs is \(mostEpochs)")
        }
        if let checkpointEvery { return .every(checkpointEvery) }
        if let largestFalls { return .largestFalls(count: largestFalls, from: largestFallsFrom ?? 1) }
        guard let checkpointsAt else { return .final }
        let parts = checkpointsAt.split(separator: ",", omittingEmptySubsequences: false)
        let epochs = parts.compactMap { Int($0) }
        guard epochs.count == parts.count else {
            throw ValidationError("--checkpoints-at must be epochs separated by commas, such as 1,5,20; got \"\(checkpointsAt)\"")
        }
        if let late = epochs.max(), late > mostEpochs {
            throw ValidationError("--checkpoints-at: there is no epoch \(late), as --epochs is \(mostEpochs)")
        }
        return .epochs(Set(epochs))
    }
}

extension TrainingOptions {
    /// The option that a setting comes from.
    static func option(of setting: String) -> String {
        let special = [
            "betas[0]": "--beta1", "betas[1]": "--beta2", "checkpoint_epochs": "--checkpoints-at",
            "checkpoint_falls": "--largest-falls", "checkpoint_falls_from": "--largest-falls-from", "parameters": "--from",
        ]
        if let option = special[setting] { return option }
        return "--" + setting.prefix { $0 != "." }.replacing("_", with: "-")
    }

    /// A training error as the command line says it.
    static func failure(_ error: TrainingError) -> any Error {
        guard case .invalid(let setting, let reason) = error else { return error }
        return ValidationError("\(option(of: setting)): \(reason)")
    }
}
