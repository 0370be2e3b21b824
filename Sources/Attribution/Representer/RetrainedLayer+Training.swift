public import LinearAlgebra
public import Networks

extension RetrainedLayer {
    /// When to be content with a gradient, and when to give up.
    public struct Settings: Sendable, Equatable {
        /// λ; nil for the model's weight decay.
        public var decay: Double?
        /// The most Newton steps.
        public var mostSteps: Int

        /// Settings; steps are at least one.
        public init(decay: Double? = nil, mostSteps: Int = 200) {
            self.decay = decay
            self.mostSteps = max(1, mostSteps)
        }
    }

    /// The share of an average example's part in the gradient, ‖gᵢ‖/n, that may be left of ‖∇‖: what is left is attributed to nobody, and
    /// must be small against what is attributed to each.
    private static let shareOfExample = 0.01
    /// The share of what the decay pulls, λ‖θ‖, that may be left of ‖∇‖: outputs are sums of representer values to as much.
    private static let shareOfDecay = 1e-5
    /// The same where single precision lets ‖∇‖ get no smaller.
    private static let shareAtFloor = 1e-4

    /// Trains the last layer of a model again, from where it is, by Newton's method with conjugate gradients.
    ///
    /// It is stationary where ‖∇‖ is at most ‖g‖/(100·n), ‖g‖ being the root of the mean of ‖gᵢ‖² over the examples' gradients, and at most
    /// 10⁻⁵·λ‖θ‖. Where single precision lets ‖∇‖ get no smaller, either will do, the latter with 10⁻⁴: `unattributed` says what it is.
    /// - Parameter hidden: the training examples with the features that reach the last layer.
    /// - Throws: `RepresenterError`, `Interrupted`.
    public init(
        of model: TrainedNetwork, on hidden: LabeledExamples, _ settings: Settings = Settings(), parallel: Parallel,
        interruption: Interruption = .never
    ) throws {
        let layer = try Self.layer(of: model.network)
        let decay = try Self.decay(settings.decay, of: model.network)
        precondition(hidden.features.width == layer.inputs, "features are those that reach the last layer")
        guard hidden.count > 0 else { throw RepresenterError.noExamples }
        let start = model.parameters(of: layer)
        let before = try Self.network(of: layer, loss: model.network.loss, decay: decay, parameters: start)
        let (after, norm, steps) = try Self.train(before, hidden, settings.mostSteps, parallel, interruption)
        let shift = try OutputShift(from: before, to: after, on: hidden.features, parallel: parallel, interruption: interruption)
        self.init(network: after, exampleCount: hidden.count, gradientNorm: norm, steps: steps, shift: shift)
    }

    /// A network's linear last layer.
    /// - Throws: `RepresenterError.lastLayer`.
    static func layer(of network: Network) throws(RepresenterError) -> OutputLayer {
        do { return try network.outputLayer() } catch { throw .lastLayer(error) }
    }

    private static func train(
        _ start: TrainedNetwork, _ hidden: LabeledExamples, _ mostSteps: Int, _ parallel: Parallel, _ interruption: Interruption
    ) throws -> (TrainedNetwork, gradientNorm: Double, steps: Int) {
        let objective = NetworkObjective(start.network, on: hidden)
        var (network, steps) = (start, 0)
        var goals = try goals(at: network, hidden, parallel, interruption)
        // As goals are those of the point where they are tried, a run may end where they have become smaller.
        while true {
            let settings = TrainingSettings(
                optimizer: .newtonCG(), epochs: mostSteps - steps, gradientNorm: min(goals.example, goals.decay))
            var norm = Double.infinity
            let (run, stop) = try Self.training {
                var run = try TrainingRun(settings, of: objective, from: network.parameters)
                let stop = try run.resume(on: objective, parallel: parallel, interruption: interruption) {
                    norm = $0.gradientNorm ?? norm
                }
                return (run, stop)
            }
            network = TrainedNetwork(start.network, parameters: run.parameters)
            steps += run.epoch
            goals = try self.goals(at: network, hidden, parallel, interruption)
            let isAtFloor = stop == .precisionFloor
            let goal = min(goals.example, goals.decay)
            let least = isAtFloor ? max(goals.example, shareAtFloor / shareOfDecay * goals.decay) : goal
            if norm <= least { return (network, norm, steps) }
            if stop == .gradientNorm, steps < mostSteps { continue }
            throw RepresenterError.notStationary(
                gradientNorm: norm, goal: least, steps: steps, decay: start.network.weightDecay, isAtFloor: isAtFloor)
        }
    }

    /// What ‖∇‖ may be at a point, by the examples' parts and by the decay's.
    private static func goals(
        at network: TrainedNetwork, _ hidden: LabeledExamples, _ parallel: Parallel, _ interruption: Interruption
    ) throws -> (example: Double, decay: Double) {
        let points = try RepresenterPoints(
            network: network, exampleCount: hidden.count, hidden: hidden, parallel: parallel, interruption: interruption)
        let squares = try points.squaredGradientNorms(parallel: parallel, interruption: interruption)
        let n = Double(hidden.count)
        let goals = (
            example: shareOfExample * (squares.reduce(0, +) / n).squareRoot() / n,
            decay: shareOfDecay * network.network.weightDecay * Vectors.norm(network.parameters)
        )
        guard goals.example.isFinite, goals.decay.isFinite else {
            throw RepresenterError.training(.diverged(epoch: 0, step: 0, learningRate: nil))
        }
        return goals
    }

    /// What training throws of itself becomes a representer's error.
    private static func training<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as TrainingError { throw RepresenterError.training(error) }
    }
}
