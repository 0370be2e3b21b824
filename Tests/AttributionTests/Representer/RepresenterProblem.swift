import Attribution
import JSON
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// A network that ends in its linear layer, with random parameters, on random examples; and its last layer trained again.
struct RepresenterProblem: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let model: TrainedNetwork
    let examples: LabeledExamples

    /// - Parameters:
    ///   - layers: what stands between the brackets of a spec's layers.
    ///   - decay: the spec's weight decay.
    init(
        _ layers: String, loss: String, decay: Double = 0.01, count: Int = 60, weighted: Bool = false, bytes: Bool = false,
        scale: Double = 0.5, seed: UInt64 = 3
    ) throws {
        testDescription = "\(loss) after [\(layers)]\(weighted ? ", weighted" : "")\(bytes ? ", bytes" : "")"
        let text = #"{"layers": [\#(layers)], "loss": {"type": \#(loss)}, "weight_decay": \#(decay)}"#
        let network = try Network(ModelSpec(JSON(parsing: text)))
        var numbers = SeededNumbers(seed)
        model = TrainedNetwork(
            network, parameters: numbers.floats(network.parameterCount, scale: scale),
            fixed: numbers.floats(network.fixedCount, scale: scale))
        let size = count * network.inputWidth
        let features: FeatureRows
        if bytes {
            let memory = AlignedMemory<UInt8>(uninitialized: size)
            _ = memory.elements.initialize(from: numbers.bytes(size))
            features = FeatureRows(.uint8(memory), count: count, width: network.inputWidth, multiplier: 1 / 255)
        } else {
            features = FeatureRows(numbers.floats(size), width: network.inputWidth)
        }
        let targets: Targets =
            switch network.loss {
            case .crossEntropy: .labels(numbers.integers(count, below: network.outputWidth).map { Int32($0) })
            case .meanSquaredError: .values(numbers.floats(count))
            case .binaryCrossEntropy: .values(numbers.integers(count, below: 2).map { Float($0) })
            case .smoothHinge: .values(numbers.integers(count, below: 2).map { Float(2 * $0 - 1) })
            }
        let weights = weighted ? (0..<count).map { [0, 1, 2, 0.25, 3][$0 % 5] as Float } : nil
        examples = LabeledExamples(features: features, targets: targets, weights: weights)
    }

    static func linear(_ inputs: Int, _ outputs: Int, more: String = "") -> String {
        #"{"type": "linear", "in_features": \#(inputs), "out_features": \#(outputs)\#(more)}"#
    }

    /// Every loss, with and without weights, biases, hidden layers and bytes.
    static func all() throws -> [RepresenterProblem] {
        let head = linear(6, 5) + #", {"type": "tanh"}, "#
        return [
            try RepresenterProblem(head + linear(5, 4), loss: #""cross_entropy""#),
            try RepresenterProblem(
                head + linear(5, 4, more: #", "bias": false"#), loss: #""cross_entropy", "label_smoothing": 0.1"#, weighted: true),
            try RepresenterProblem(linear(9, 3), loss: #""cross_entropy""#, decay: 0.001, weighted: true, bytes: true),
            try RepresenterProblem(head + linear(5, 1), loss: #""binary_cross_entropy""#, weighted: true),
            try RepresenterProblem(head + linear(5, 1, more: #", "trainable": false"#), loss: #""mean_squared_error""#),
            try RepresenterProblem(linear(6, 1), loss: #""smooth_hinge", "temperature": 0.1"#, weighted: true),
        ]
    }

    /// h, the retrained layer, and what it makes of h.
    func points(threads: Int = 2) throws -> (hidden: LabeledExamples, layer: RetrainedLayer, points: RepresenterPoints) {
        let parallel = Parallel(threads: threads)
        let hidden = try RetrainedLayer.hidden(of: examples, in: model, parallel: parallel)
        let layer = try RetrainedLayer(of: model, on: hidden, parallel: parallel)
        return (hidden, layer, try RepresenterPoints(of: layer, on: hidden, parallel: parallel))
    }
}

extension RetrainedLayer {
    var hasBias: Bool { network.parameters.count > network.network.inputWidth * network.network.outputWidth }

    /// f_c(h) for each c, in double precision.
    func outputs(_ h: [Float]) -> [Double] {
        let (width, count, theta) = (network.network.inputWidth, network.network.outputWidth, network.parameters)
        return (0..<count).map { c in
            (0..<width).reduce(hasBias ? Double(theta[count * width + c]) : 0) {
                $0 + Double(theta[c * width + $1]) * Double(h[$1])
            }
        }
    }
}
