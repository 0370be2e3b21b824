import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// A network of a spec with random parameters, on random examples.
struct RandomNetwork: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let network: Network
    let parameters, fixed: [Float]
    let examples: LabeledExamples

    var trained: TrainedNetwork { TrainedNetwork(network, parameters: parameters, fixed: fixed) }

    /// - Parameters:
    ///   - layers: what stands between the brackets of a spec's layers.
    ///   - more: the spec's other fields, each after a comma.
    init(
        _ testDescription: String, _ layers: String, more: String = "", loss: String = #"{"type": "cross_entropy"}"#,
        count: Int = 40, weighted: Bool = false, seed: UInt64 = 1
    ) throws {
        self.testDescription = testDescription
        let network = try Network(ModelSpec(JSON(parsing: #"{"layers": [\#(layers)], "loss": \#(loss)\#(more)}"#)))
        var numbers = SeededNumbers(seed)
        var (parameters, fixed): ([Float], [Float]) = ([], [])
        for tensor in network.tensors {
            var values = numbers.floats(tensor.slot.count, scale: 0.5)
            if tensor.name.hasSuffix("running_var") { values = values.map { abs($0) + 0.3 } }
            if tensor.isTrained { parameters += values } else { fixed += values }
        }
        let inputs =
            network.tokenCount.map { numbers.integers(count * network.inputWidth, below: $0).map { Float($0) } }
            ?? numbers.floats(count * network.inputWidth)
        let targets: Targets =
            switch network.loss {
            case .crossEntropy: .labels(numbers.integers(count, below: network.outputWidth).map { Int32($0) })
            case .meanSquaredError: .values(numbers.floats(count))
            case .binaryCrossEntropy: .values(numbers.integers(count, below: 2).map { Float($0) })
            case .smoothHinge: .values(numbers.integers(count, below: 2).map { Float(2 * $0 - 1) })
            }
        // Zero, one and two among them.
        let weights = weighted ? (0..<count).map { [0, 1, 2, 0.25, 3][$0 % 5] as Float } : nil
        (self.network, self.parameters, self.fixed) = (network, parameters, fixed)
        examples = LabeledExamples(features: FeatureRows(inputs, width: network.inputWidth), targets: targets, weights: weights)
    }

    /// Every kind of layer, and every loss.
    static func all(count: Int = 40, weighted: Bool = false) throws -> [RandomNetwork] {
        let (linear, image) = (#""type": "linear", "in_features""#, #", "input_shape": [2, 6, 6]"#)
        return [
            try RandomNetwork(
                "a perceptron", #"{\#(linear): 6, "out_features": 7}, {"type": "tanh"}, {\#(linear): 7, "out_features": 4}"#,
                loss: #"{"type": "cross_entropy", "label_smoothing": 0.1}"#, count: count, weighted: weighted),
            try RandomNetwork(
                "convolutions",
                """
                {"type": "conv2d", "in_channels": 2, "out_channels": 4, "kernel_size": 3, "groups": 2, "padding": 1}, {"type": "gelu"},
                {"type": "batch_norm2d", "num_features": 4}, {"type": "max_pool2d", "kernel_size": 2}, {"type": "flatten"},
                {\(linear): 36, "out_features": 3}
                """, more: image, count: count, weighted: weighted),
            try RandomNetwork(
                "a residual block",
                """
                {\(linear): 5, "out_features": 6}, {"type": "residual", "layers": [{"type": "layer_norm", "normalized_shape": [6]},
                {\(linear): 6, "out_features": 6}, {"type": "silu"}]}, {\(linear): 6, "out_features": 1}
                """, loss: #"{"type": "binary_cross_entropy"}"#, count: count, weighted: weighted),
            try RandomNetwork(
                "token embeddings",
                """
                {"type": "embedding", "num_embeddings": 9, "embedding_dim": 3, "padding_index": 2}, {\(linear): 3, "out_features": 2},
                {"type": "sigmoid"}, {"type": "flatten"}, {\(linear): 8, "out_features": 1}
                """, more: #", "input_shape": [4], "input_dtype": "int32""#, loss: #"{"type": "mean_squared_error"}"#,
                count: count,
                weighted: weighted),
            try RandomNetwork(
                "a mean of embeddings, and a hinge",
                #"{"type": "mean_embedding", "num_embeddings": 9, "embedding_dim": 3}, {\#(linear): 3, "out_features": 1}"#,
                more: #", "input_shape": [5], "input_dtype": "int32""#, loss: #"{"type": "smooth_hinge", "temperature": 0.3}"#,
                count: count, weighted: weighted),
            try RandomNetwork(
                "more outputs than columns",
                #"{\#(linear): 4, "out_features": 3}, {"type": "softplus"}, {\#(linear): 3, "out_features": 40}"#, count: count,
                weighted: weighted),
        ]
    }
}

extension TrainedNetwork {
    /// All written-out gradients, in double precision.
    func gradientRows(of examples: LabeledExamples) throws -> [[Double]] {
        let (all, length) = (try gradients(of: 0..<examples.count, in: examples), network.parameterCount)
        return (0..<examples.count).map { all[$0 * length..<($0 + 1) * length].map { Double($0) } }
    }
}

extension NetworkCurvature {
    /// D, column by column from its products with the unit vectors.
    func explicit() throws -> DenseMatrix {
        var units = [Float](repeating: 0, count: dimension * dimension)
        for i in 0..<dimension { units[i * dimension + i] = 1 }
        var images = units
        try product(of: units, to: &images, vectorCount: dimension, parallel: Parallel(threads: 2))
        return DenseMatrix(rows: dimension, columns: dimension, elements: images.map { Double($0) })
    }

    /// Products with stacked vectors over all examples.
    func products(of vectors: [Float], threads: Int = 2) throws -> [Float] {
        var images = [Float](repeating: .nan, count: vectors.count)
        try product(
            of: vectors, to: &images, vectorCount: vectors.count / dimension, parallel: Parallel(threads: threads))
        return images
    }

    /// Products with stacked vectors over some examples.
    func products(of vectors: [Float], over indices: [UInt32]) throws -> [Float] {
        var images = [Float](repeating: .nan, count: vectors.count)
        let count = vectors.count / dimension
        try indices.withUnsafeBufferPointer {
            try addProduct(
                over: .indices($0), alpha: 1, of: vectors, beta: 0, plus: nil, to: &images, vectorCount: count,
                workspace: makeWorkspace(vectorCount: count))
        }
        return images
    }
}
