internal import JSON
internal import Networks

/// What a model says of an input.
struct Prediction: Sendable {
    /// What the last layer puts out.
    let outputs: [Float]
    /// One for each class, where the loss knows classes and their probabilities.
    let probabilities: [Float]?
    /// The predicted label, where the loss knows labels: the most probable class, the lowest of equals; or the sign of the output.
    let label: Int?
    /// What the model is, in words.
    let kind: String

    /// What a network's outputs say.
    init(outputs: [Float], _ network: TrainedNetwork) {
        self.outputs = outputs
        probabilities = network.probabilities(outputs: outputs)
        switch network.network.loss {
        case .crossEntropy:
            // Of equals the lowest: max(by:) would take the last.
            label = outputs.indices.reduce(0) { outputs[$1] > outputs[$0] ? $1 : $0 }
            kind = "cross_entropy"
        case .binaryCrossEntropy:
            label = outputs[0] > 0 ? 1 : 0
            kind = "binary_cross_entropy"
        case .smoothHinge:
            label = outputs[0] > 0 ? 1 : -1
            kind = "smooth_hinge"
        case .meanSquaredError:
            label = nil
            kind = "mean_squared_error"
        }
    }

    /// Whether single precision held it.
    var isFinite: Bool { outputs.allSatisfy(\.isFinite) && probabilities?.allSatisfy(\.isFinite) ?? true }

    /// The prediction in an influence answer: label and probabilities where there are such, the output itself where there are not.
    var json: JSON {
        var members: JSONObject = [:]
        if let label { members["label"] = .integer(label) }
        if let probabilities { members["probabilities"] = .array(probabilities.map { .float($0) }) }
        if probabilities == nil { members["value"] = .float(outputs[0]) }
        return .object(members)
    }
}
