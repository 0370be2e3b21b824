internal import Networks

extension TrainingSettings {
    /// Every setting with its value, under the names that `TrainingError.invalid` uses.
    var listed: [(name: String, value: String)] {
        optimizer.listed + [
            ("epochs", "\(epochs)"), ("gradient_norm", "\(gradientNorm)"),
            ("batch_size", batchSize.map { "\($0)" } ?? "all"), ("seed", "\(seed)"), ("measure_epochs", "\(measuresEpochs)"),
            ("checkpoints", checkpoints.text),
        ]
    }

    /// Where another run's settings are others. A setting that only one of the optimisers has is not mentioned.
    func differences(from begun: TrainingSettings) -> [TrainingDifference] {
        let begun = begun.listed
        return listed.compactMap { name, asked in
            guard let before = begun.first(where: { $0.name == name })?.value, before != asked else { return nil }
            return TrainingDifference(setting: name, begun: before, asked: asked)
        }
    }
}

extension Optimizer {
    fileprivate var listed: [(name: String, value: String)] {
        let own: [(name: String, value: String)] =
            switch self {
            case .lbfgs(let lbfgs): [("history", "\(lbfgs.history)")]
            case .newtonCG(let newton): [("max_products", "\(newton.maxProducts)")]
            case .sgd(let sgd):
                [
                    ("learning_rate", "\(sgd.learningRate)"), ("momentum", "\(sgd.momentum)"), ("nesterov", "\(sgd.nesterov)"),
                    ("schedule", sgd.schedule.text),
                ]
            case .adam(let adam):
                [
                    ("learning_rate", "\(adam.learningRate)"), ("betas[0]", "\(adam.beta1)"), ("betas[1]", "\(adam.beta2)"),
                    ("eps", "\(adam.epsilon)"), ("schedule", adam.schedule.text),
                ]
            }
        return [("optimizer", name)] + own
    }
}

extension LearningRateSchedule {
    fileprivate var text: String {
        switch self {
        case .constant: "constant"
        case .step(let epochs, let factor): "step:\(epochs):\(factor)"
        case .cosine(let epochs, let floor): "cosine:\(epochs):\(floor)"
        }
    }
}

extension CheckpointPolicy {
    fileprivate var text: String {
        switch self {
        case .final: "the last"
        case .every(let period): "every \(period) epochs"
        case .epochs(let epochs): "epochs " + epochs.sorted().map(String.init).joined(separator: ",")
        case .largestFalls(let count, let first): "the \(count) largest falls from epoch \(first)"
        }
    }
}
