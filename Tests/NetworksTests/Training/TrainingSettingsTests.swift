import LinearAlgebra
import Networks
import Testing

@Suite("settings of training")
struct TrainingSettingsTests {
    private let objective = FormulaObjective.quadratic(eigenvalues: [1, 2], minimum: [0, 0])

    /// What a run is refused for: "setting: reason".
    private func refusal(_ settings: TrainingSettings, from parameters: [Float] = [1, 1]) throws -> String {
        let error = try #require(throws: TrainingError.self) { try TrainingRun(settings, of: objective, from: parameters) }
        guard case .invalid(let setting, let reason) = error else { return error.description }
        #expect(error.description == "\(setting): \(reason)")
        return error.description
    }

    @Test("learning rates that are none are refused", arguments: [0, -0.1, .nan, .infinity, 1e-60, 1e60])
    func learningRate(rate: Double) throws {
        let reason = "learning_rate: \(rate) is not a positive number of single precision; 0.1 is a common start"
        #expect(try refusal(TrainingSettings(optimizer: .sgd(SGD(learningRate: rate)), epochs: 1)) == reason)
        #expect(try refusal(TrainingSettings(optimizer: .adam(Adam(learningRate: rate)), epochs: 1)) == reason)
    }

    @Test(
        "an optimiser's settings out of their ranges are refused by name",
        arguments: [
            (.sgd(SGD(learningRate: 1, momentum: -0.1)), "momentum: -0.1 is not at least 0"),
            (.sgd(SGD(learningRate: 1, momentum: 1)), "momentum: 1.0 is not at least 0"),
            (.sgd(SGD(learningRate: 1, momentum: .nan)), "momentum: nan is not"),
            (.sgd(SGD(learningRate: 1, nesterov: true)), "nesterov: "),
            (.sgd(SGD(learningRate: 1, schedule: .step(epochs: 0, factor: 0.1))), "schedule.epochs: 0 epochs"),
            (.sgd(SGD(learningRate: 1, schedule: .step(epochs: 1, factor: 0))), "schedule.factor: 0.0 is"),
            (.sgd(SGD(learningRate: 1, schedule: .step(epochs: 1, factor: 1.1))), "schedule.factor: 1.1 is"),
            (.sgd(SGD(learningRate: 1, schedule: .step(epochs: 1, factor: .nan))), "schedule.factor: nan is"),
            (.adam(Adam(schedule: .cosine(epochs: -1))), "schedule.epochs: -1 epochs"),
            (.adam(Adam(schedule: .cosine(epochs: 5, floor: -1))), "schedule.floor: -1.0 is"),
            (
                .adam(Adam(schedule: .cosine(epochs: 5, floor: 0.1))),
                "schedule.floor: 0.1 is not between 0 and the learning rate, 0.001"
            ),
            (.adam(Adam(beta1: 1)), "betas[0]: 1.0 is"), (.adam(Adam(beta1: -0.5)), "betas[0]: -0.5 is"),
            (.adam(Adam(beta2: 1)), "betas[1]: 1.0 is"), (.adam(Adam(beta2: .nan)), "betas[1]: nan is"),
            (.adam(Adam(epsilon: 0)), "eps: 0.0 is"), (.adam(Adam(epsilon: -1)), "eps: -1.0 is"),
            (.adam(Adam(epsilon: .infinity)), "eps: inf is"), (.lbfgs(LBFGS(history: 0)), "history: 0 is"),
            (.lbfgs(LBFGS(history: 1001)), "history: 1001 is"), (.newtonCG(NewtonCG(maxProducts: 0)), "max_products: 0 products"),
        ] as [(Optimizer, String)])
    func optimizer(optimizer: Optimizer, reason: String) throws {
        #expect(try refusal(TrainingSettings(optimizer: optimizer, epochs: 1)).hasPrefix(reason))
    }

    @Test(
        "a run's settings without meaning are refused by name",
        arguments: [
            (TrainingSettings(optimizer: .lbfgs(), epochs: 0), "epochs: 0 is"),
            (TrainingSettings(optimizer: .lbfgs(), epochs: -3), "epochs: -3 is"),
            (TrainingSettings(optimizer: .lbfgs(), epochs: .max), "epochs: 9223372036854775807 is"),
            (TrainingSettings(optimizer: .lbfgs(), epochs: 1, gradientNorm: -1), "gradient_norm: -1.0 is"),
            (TrainingSettings(optimizer: .lbfgs(), epochs: 1, gradientNorm: .nan), "gradient_norm: nan is"),
            (TrainingSettings(optimizer: .lbfgs(), epochs: 1, gradientNorm: .infinity), "gradient_norm: inf is"),
            (TrainingSettings(optimizer: .adam(Adam()), epochs: 1, batchSize: 0), "batch_size: a batch of 0"),
            (TrainingSettings(optimizer: .adam(Adam()), epochs: 1, batchSize: -5), "batch_size: a batch of -5"),
            (TrainingSettings(optimizer: .lbfgs(), epochs: 1, batchSize: 32), "batch_size: lbfgs uses all examples"),
            (TrainingSettings(optimizer: .newtonCG(), epochs: 1, batchSize: 32), "batch_size: newton_cg uses all"),
            (
                TrainingSettings(optimizer: .adam(Adam()), epochs: 1, gradientNorm: 0.1, batchSize: 32, measuresEpochs: false),
                "gradient_norm: it is only known"
            ),
            (TrainingSettings(optimizer: .lbfgs(), epochs: 1, checkpoints: .every(0)), "checkpoint_every: 0 epochs"),
            (TrainingSettings(optimizer: .lbfgs(), epochs: 1, checkpoints: .epochs([3, -1])), "checkpoint_epochs: -1 is"),
            (TrainingSettings(optimizer: .lbfgs(), epochs: 1, checkpoints: .largestFalls(count: 0)), "checkpoint_falls: 0 is"),
            (TrainingSettings(optimizer: .lbfgs(), epochs: 1, checkpoints: .largestFalls(count: .max)), "checkpoint_falls: 9"),
            (
                TrainingSettings(optimizer: .lbfgs(), epochs: 1, checkpoints: .largestFalls(count: 1, from: 0)),
                "checkpoint_falls_from: the loss"
            ),
        ])
    func run(settings: TrainingSettings, reason: String) throws {
        #expect(try refusal(settings).hasPrefix(reason))
    }

    @Test("initial parameters must be finite, some, and as many as the model's")
    func parameters() throws {
        let settings = TrainingSettings(optimizer: .lbfgs(), epochs: 1)
        #expect(try refusal(settings, from: [1, .nan]) == "parameters: an initial parameter is not finite")
        #expect(try refusal(settings, from: [1, .infinity]) == "parameters: an initial parameter is not finite")
        #expect(try refusal(settings, from: []) == "parameters: there is nothing to train: no layer is trainable")
        #expect(try refusal(settings, from: [1]).hasSuffix("it has 1 parameters, and the model 2"))
        #expect(throws: TrainingError.self) { try TrainingRun(settings, of: NoExamples(), from: [0]) }
    }

    @Test("every error says in words what was wrong and what to change")
    func descriptions() {
        #expect(TrainingError.noHessianProducts.description.contains("use lbfgs"))
        #expect(TrainingError.damaged(reason: "x").description == "these bytes are not a training run: x")
        #expect(TrainingError.unknownVersion(found: 7, known: 1).description.contains("version 7"))
        #expect(
            TrainingError.diverged(epoch: 2, step: 40, learningRate: 0.5).description.contains("lower the learning_rate (0.5)"))
    }
}

/// A model of one parameter without data.
private struct NoExamples: TrainingObjective {
    let dimension = 1
    let exampleCount = 0

    func evaluate(
        _ parameters: UnsafePointer<Float>, over batch: ExampleBatch, gradient: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws -> (loss: Double, objective: Double) { (0, 0) }
}
