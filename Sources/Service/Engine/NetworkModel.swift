internal import Attribution
internal import LinearAlgebra
internal import Networks

/// A network at a checkpoint with its training examples: what is frozen of it computed once, and the rest to be differentiated.
struct NetworkModel: Sendable {
    /// The whole.
    let network: Network
    /// What lies before the first trained layer, where there is something.
    let frozen: TrainedNetwork?
    /// What is trained, on the frozen part's outputs.
    let trained: TrainedNetwork
    /// The training examples as the trained part gets them.
    let examples: LabeledExamples
    /// The trained part where it is a softmax regression, which has kernels of its own. They know no weights.
    let softmax: SoftmaxRegression?

    init(
        _ network: Network, parameters: [Float], fixed: [Float], training: LoadedDataset, parallel: Parallel,
        interruption: Interruption = .never
    ) throws {
        self.network = network
        let whole = TrainedNetwork(network, parameters: parameters, fixed: fixed)
        var features = training.features
        if let (frozen, trained) = whole.frozenAndTrained {
            self.frozen = frozen
            self.trained = trained
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
        (2 * network.parameterCount + 2 * network.fixedCount) * MemoryLayout<Float>.stride
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

    /// What neighbours are told by: the last hidden layer's output for each of some examples as the trained part gets them, which
    /// themselves are it where there is only one layer to train (FastIF, section 3.2).
    func hidden(of features: FeatureRows, parallel: Parallel, interruption: Interruption) throws -> FeatureRows {
        guard let hidden = trained.hidden else { return features }
        return FeatureRows(
            .float32(try hidden.outputs(of: features, parallel: parallel, interruption: interruption)), count: features.count,
            width: hidden.network.outputWidth)
    }

    /// C's data part.
    func curvature(_ kind: CurvatureKind, residuals: @autoclosure () throws -> [Float]) rethrows -> any CurvatureOperator {
        guard let softmax else { return NetworkCurvature(kind, of: trained, over: examples) }
        let residuals = try residuals()
        guard kind != .empiricalFisher, case .labels(let labels) = examples.targets else {
            return SoftmaxCurvature(
                .empiricalFisher, model: softmax, features: examples.features, outputFactors: residuals)
        }
        // p = r + onehot(y).
        var probabilities = residuals
        for (row, target) in labels.enumerated() { probabilities[row * softmax.classCount + Int(target)] += 1 }
        return SoftmaxCurvature(.hessian, model: softmax, features: examples.features, outputFactors: probabilities)
    }
}
