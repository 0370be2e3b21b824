public import LinearAlgebra

/// A training run whose numbers are no longer finite: its learning rate is too large.
public struct TrainingDiverged: Error, Equatable, Sendable {
    /// Where that was noticed.
    public let epoch: Int
}

/// Trains a softmax regression by full-batch gradient descent with Nesterov's momentum (Sutskever et al. 2013).
///
///     F(θ) = (1/n) Σ ℓ(zᵢ; θ) + (weight_decay/2)·‖θ‖²
///
/// Every step sees every example, so that a step is an epoch and the run's checkpoints have one learning rate, which is
/// what TracIn weights them by; and F is convex, so that the run ends at its minimum to the gradient norm asked for.
public struct GradientDescent: Sendable {
    /// The step along the gradient.
    public let learningRate: Double
    /// How much of the last step a step carries on with.
    public let momentum: Double
    /// The objective's L2 factor.
    public let weightDecay: Double

    /// A training run's settings.
    public init(learningRate: Double, momentum: Double = 0.9, weightDecay: Double) {
        self.learningRate = learningRate
        self.momentum = momentum
        self.weightDecay = weightDecay
    }

    /// A moment of a run.
    public struct State: Sendable {
        /// Steps done, which are epochs.
        public let epoch: Int
        /// θ.
        public let parameters: [Float]
        /// (1/n) Σ ℓ, without the weight-decay term.
        public let trainLoss: Double
        /// ‖∇F‖.
        public let gradientNorm: Double
    }

    /// Runs from θ = 0 until ‖∇F‖ ≤ `gradientNorm` or `epochs` steps are done, and hands every state to `visit`.
    /// - Returns: the last state.
    /// - Throws: `TrainingDiverged`, `Interrupted`.
    public func run(
        _ model: SoftmaxRegression, on features: FeatureRows, targets: [Int32], epochs: Int, gradientNorm: Double,
        parallel: Parallel, interruption: Interruption = .never, visit: (State) throws -> Void = { _ in }
    ) throws -> State {
        var parameters = [Float](repeating: 0, count: model.parameterCount)
        var velocity = parameters
        var epoch = 0
        while true {
            let (loss, gradient) = try objective(
                model, parameters, features, targets, parallel: parallel, interruption: interruption)
            let state = State(epoch: epoch, parameters: parameters, trainLoss: loss, gradientNorm: Vectors.norm(gradient))
            try visit(state)
            // A run that diverged has a norm that is not a number, which is not greater than anything.
            guard state.gradientNorm.isFinite else { throw TrainingDiverged(epoch: epoch) }
            guard state.gradientNorm > gradientNorm, epoch < epochs else { return state }
            for i in parameters.indices {
                velocity[i] = Float(momentum) * velocity[i] - Float(learningRate) * gradient[i]
                parameters[i] += Float(momentum) * velocity[i] - Float(learningRate) * gradient[i]
            }
            epoch += 1
        }
    }

    /// The mean loss and ∇F.
    private func objective(
        _ model: SoftmaxRegression, _ parameters: [Float], _ features: FeatureRows, _ targets: [Int32], parallel: Parallel,
        interruption: Interruption
    ) throws -> (loss: Double, gradient: [Float]) {
        let evaluation = try model.evaluate(parameters, on: features, parallel: parallel, interruption: interruption)
        var residuals = model.residuals(probabilities: evaluation.probabilities, targets: targets)
        var gradient = parameters.map { Float(weightDecay) * $0 }
        let tile = RowTile()
        var loss = 0.0
        for start in stride(from: 0, to: features.count, by: RowTile.capacity) {
            let rows = start..<min(start + RowTile.capacity, features.count)
            tile.load(rows, of: .range(0..<features.count), from: features)
            residuals.withUnsafeMutableBufferPointer { residuals in
                gradient.withUnsafeMutableBufferPointer { gradient in
                    model.accumulate(
                        residuals.baseAddress! + start * model.classCount, of: tile, in: features,
                        alpha: 1 / Float(features.count), beta: 1, into: gradient.baseAddress!)
                }
            }
            for row in rows {
                let outputs = evaluation.outputs[row * model.classCount..<(row + 1) * model.classCount]
                loss += model.loss(outputs: outputs, target: Int(targets[row]))
            }
        }
        return (loss / Double(features.count), gradient)
    }
}
