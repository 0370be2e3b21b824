internal import Attribution
internal import LinearAlgebra
internal import Networks

/// A network at a checkpoint with its training examples: what is frozen of it computed once, and the rest to be differentiated.
struct NetworkModel: Sendable {
    /// The whole.
    let network: Network
    /// The whole at its parameters.
    let whole: TrainedNetwork
    /// What lies before the first trained layer, where there is something.
    let frozen: TrainedNetwork?
    /// What is trained, on the frozen part's outputs.
    let trained: TrainedNetwork
    /// The training examples as the trained part gets them.
    let examples: LabeledExamples
    /// The trained part where it is a softmax regression, which has kernels of its own. They know no weights.
    let softmax: SoftmaxRegression?

    /// - Parameter budget: what the frozen layers' outputs may take; nil for any amount.
    /// - Throws: `Interrupted`; 422 where those take more.
    init(
        _ network: Network, parameters: [Float], fixed: [Float], training: LoadedDataset, budget: MemoryBudget? = nil,
        parallel: Parallel, interruption: Interruption = .never
    ) throws {
        self.network = network
        whole = TrainedNetwork(network, parameters: parameters, fixed: fixed)
        var features = training.features
        if let (frozen, trained) = whole.frozenAndTrained {
            self.frozen = frozen
            self.trained = trained
            try budget?.require(
                .floatBytes(features.count, frozen.network.outputWidth), of: .quarter,
                for: "what the frozen layers make of the \(features.count) training examples")
            let outputs = try frozen.outputs(of: features, parallel: parallel, interruption: interruption)
            features = FeatureRows(.float32(outputs), count: features.count, width: frozen.network.outputWidth)
        } else {
            frozen = nil
            trained = whole
        }
        examples = LabeledExamples(features: features, targets: training.targets, weights: training.weights)
        softmax = training.weights == nil ? SoftmaxRegression(trained.network) : nil
    }

    /// Bytes of its own, beside the dataset's.
    var byteCount: Int {
        (network.parameterCount + network.fixedCount) * MemoryLayout<Float>.stride
            + (frozen == nil ? 0 : examples.features.byteCount)
    }

    /// What an input makes the last layer put out.
    func outputs(of input: [Float]) throws -> (outputs: [Float], features: FeatureRows) {
        let features = try features(of: input)
        return (try trained.outputs(of: features).copy, features)
    }

    /// An input as the trained part gets it.
    func features(of input: [Float]) throws -> FeatureRows {
        let features = FeatureRows(input, width: network.inputWidth)
        guard let frozen else { return features }
        return FeatureRows(.float32(try frozen.outputs(of: features)), count: 1, width: frozen.network.outputWidth)
    }

    /// The curvature that is meant: where the objective is convex in θ the Hessian by default, and the Gauss-Newton matrix is the same.
    func curvatureKind(
        _ asked: InfluenceRequest.Curvature?
    ) -> (named: InfluenceRequest.Curvature, substance: CurvatureKind) {
        let named = asked ?? (network.isConvex ? .hessian : .gaussNewton)
        switch named {
        case .empiricalFisher: return (named, .empiricalFisher)
        case .gaussNewton: return (named, network.isConvex ? .hessian : .gaussNewton)
        case .hessian: return (named, .hessian)
        }
    }

    /// C's data part.
    /// - Parameters:
    ///   - residuals: of a softmax regression, the factors of its gradients.
    ///   - activationLimit: bytes that products may keep of what they share.
    func curvature(_ kind: CurvatureKind, residuals: [Float], activationLimit: Int) -> any CurvatureOperator {
        guard let softmax, case .labels(let labels) = examples.targets else {
            return NetworkCurvature(kind, of: trained, over: examples, activationLimit: activationLimit)
        }
        return SoftmaxCurvature(
            kind == .empiricalFisher ? .empiricalFisher : .hessian, model: softmax, features: examples.features,
            residuals: residuals, targets: labels)
    }
}
