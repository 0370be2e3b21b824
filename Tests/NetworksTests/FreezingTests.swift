import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// A network cut where its first trained layer begins, against the whole.
@Suite("networks: frozen layers")
struct FreezingTests {
    private static let linear = #""type": "linear", "in_features""#

    /// Layers, where the cut is (the frozen part's output width; nil for no cut), and the spec's other fields.
    private struct Cut {
        let name, layers: String
        var more = ""
        let width: Int?
    }

    private static let cuts = [
        Cut(
            name: "one frozen layer and its activation",
            layers:
                #"{\#(linear): 6, "out_features": 5, "trainable": false}, {"type": "tanh"}, {\#(linear): 5, "out_features": 3}"#,
            width: 5),
        Cut(
            name: "several frozen layers with statistics, pooling and a frozen one behind",
            layers: """
                {"type": "conv2d", "in_channels": 1, "out_channels": 4, "kernel_size": 3, "trainable": false},
                {"type": "batch_norm2d", "num_features": 4, "trainable": false}, {"type": "relu"}, {"type": "max_pool2d", "kernel_size": 2},
                {"type": "flatten"}, {\(linear): 16, "out_features": 8, "trainable": false}, {"type": "silu"},
                {\(linear): 8, "out_features": 7}, {"type": "gelu"}, {\(linear): 7, "out_features": 6, "trainable": false},
                {"type": "sigmoid"}, {\(linear): 6, "out_features": 3}
                """, more: #", "input_shape": [1, 6, 6]"#, width: 8),
        Cut(
            name: "a frozen residual block",
            layers: """
                {"type": "residual", "trainable": false, "layers": [{\(linear): 6, "out_features": 6}, {"type": "tanh"}]},
                {\(linear): 6, "out_features": 3}
                """, width: 6),
        Cut(
            name: "a residual block across the cut, which goes before it",
            layers: """
                {\(linear): 6, "out_features": 4, "trainable": false}, {"type": "tanh"},
                {"type": "residual", "layers": [{\(linear): 4, "out_features": 5, "trainable": false}, {"type": "gelu"},
                {\(linear): 5, "out_features": 4}]}, {"type": "silu"}, {\(linear): 4, "out_features": 3}
                """, width: 4),
        Cut(
            name: "a block in a block across the cut",
            layers: """
                {\(linear): 6, "out_features": 4, "trainable": false},
                {"type": "residual", "layers": [{"type": "tanh"}, {"type": "residual", "layers": [
                {\(linear): 4, "out_features": 4, "trainable": false}, {"type": "sigmoid"}, {\(linear): 4, "out_features": 4}]}]},
                {\(linear): 4, "out_features": 3}
                """, width: 4),
        Cut(
            name: "a frozen block, and a trained one that begins at the cut",
            layers: """
                {"type": "residual", "trainable": false, "layers": [{\(linear): 6, "out_features": 6}, {"type": "gelu"}]},
                {"type": "residual", "layers": [{\(linear): 6, "out_features": 6}, {"type": "tanh"}]}, {\(linear): 6, "out_features": 3}
                """, width: 6),
        Cut(
            name: "a block across the cut from the very beginning",
            layers: """
                {"type": "residual", "layers": [{\(linear): 6, "out_features": 6, "trainable": false}, {"type": "tanh"},
                {\(linear): 6, "out_features": 6}]}, {\(linear): 6, "out_features": 3}
                """, width: nil),
        Cut(
            name: "frozen embeddings",
            layers: """
                {"type": "embedding", "num_embeddings": 9, "embedding_dim": 3, "trainable": false}, {"type": "flatten"},
                {\(linear): 12, "out_features": 5}, {"type": "softplus"}, {\(linear): 5, "out_features": 3}
                """, more: #", "input_shape": [4], "input_dtype": "int32""#, width: 12),
        Cut(
            name: "frozen means of embeddings before the only trained layer",
            layers: """
                {"type": "mean_embedding", "num_embeddings": 9, "embedding_dim": 3, "trainable": false},
                {\(linear): 3, "out_features": 3}
                """, more: #", "input_shape": [4], "input_dtype": "int32""#, width: 3),
        Cut(
            name: "everything trained",
            layers: #"{\#(linear): 6, "out_features": 5}, {"type": "tanh"}, {\#(linear): 5, "out_features": 3}"#, width: nil),
    ]

    private static func subject(_ index: Int) throws -> RandomNetwork {
        try RandomNetwork(
            cuts[index].name, cuts[index].layers, more: cuts[index].more, count: 70, weighted: index.isMultiple(of: 2))
    }

    @Test("the two parts compute what the whole computes", arguments: cuts.indices)
    func parts(index: Int) throws {
        let subject = try Self.subject(index)
        let (whole, examples) = (subject.trained, subject.examples)
        guard let width = Self.cuts[index].width else {
            #expect(whole.frozenAndTrained == nil)
            return
        }
        let (frozen, trained) = try #require(whole.frozenAndTrained)
        #expect(frozen.network.outputWidth == width && trained.network.inputWidth == width)
        #expect(trained.network.parameterCount == subject.parameters.count && trained.parameters == subject.parameters)
        #expect(trained.network.tokenCount == nil && trained.network.isConvex == subject.network.isConvex)
        let hidden = FeatureRows(.float32(try frozen.outputs(of: examples.features)), count: examples.count, width: width)
        let behind = LabeledExamples(features: hidden, targets: examples.targets, weights: examples.weights)
        #expect(try trained.outputs(of: hidden).copy == whole.outputs(of: examples.features).copy)
        let all = 0..<examples.count
        #expect(try trained.gradients(of: all, in: behind) == whole.gradients(of: all, in: examples))
        var numbers = SeededNumbers(1)
        let vectors = numbers.floats(2 * subject.parameters.count)
        for kind in CurvatureKind.allCases {
            let expected = try NetworkCurvature(kind, of: whole, over: examples).products(of: vectors)
            let images = try NetworkCurvature(kind, of: trained, over: behind).products(of: vectors)
            #expect(Closeness.relativeDistance(images, expected) < 1e-5, "\(kind)")
        }
        let scores = try trained.scores(
            of: .range(all), in: behind, factors: trained.factors(of: behind), along: vectors, parallel: Parallel(threads: 2))
        let expected = try whole.scores(of: .range(all), in: examples, along: vectors, parallel: Parallel(threads: 2))
        #expect(Closeness.relativeDistance(scores.copy, expected.copy) < 1e-5)
    }

    @Test("frozen layers take their part out of θ, and change nothing else", arguments: cuts.indices)
    func partOfTheta(index: Int) throws {
        let subject = try Self.subject(index)
        let unfrozen = try RandomNetwork(
            "unfrozen", Self.cuts[index].layers.replacing(#", "trainable": false"#, with: ""), more: Self.cuts[index].more)
        let values = Dictionary(
            uniqueKeysWithValues: subject.network.tensors.map { tensor in
                let source = tensor.isTrained ? subject.parameters : subject.fixed
                return (tensor.name, Array(source[tensor.slot.offset..<tensor.slot.offset + tensor.slot.count]))
            })
        func numbers(isTrained: Bool) -> [Float] {
            unfrozen.network.tensors.filter { $0.isTrained == isTrained }.flatMap { values[$0.name] ?? [] }
        }
        let all = TrainedNetwork(unfrozen.network, parameters: numbers(isTrained: true), fixed: numbers(isTrained: false))
        let examples = subject.examples
        #expect(try all.outputs(of: examples.features).copy == subject.trained.outputs(of: examples.features).copy)
        let whole = try all.gradient(of: 3, in: examples)
        let part = try subject.trained.gradient(of: 3, in: examples)
        for tensor in subject.network.tensors where tensor.isTrained {
            let there = try #require(unfrozen.network.tensors.first { $0.name == tensor.name }).slot
            let expected = whole[there.offset..<there.offset + there.count]
            #expect(Array(part[tensor.slot.offset..<tensor.slot.offset + tensor.slot.count]) == Array(expected))
        }
    }

    @Test("the hidden features are what the last layer with weights makes its outputs of", arguments: cuts.indices)
    func hidden(index: Int) throws {
        let subject = try Self.subject(index)
        let hidden = try #require(subject.trained.hidden)
        let width = hidden.network.outputWidth
        let features = try hidden.outputs(of: subject.examples.features).copy
        let outputs = try subject.trained.outputs(of: subject.examples.features).copy
        let last = subject.network.tensors.suffix(2).map(\.slot)
        let (weight, bias) = (subject.parameters[last[0].offset...], subject.parameters[last[1].offset...])
        let expected = (0..<subject.examples.count * 3).map { i in
            (0..<width).reduce(Double(bias[bias.startIndex + i % 3])) {
                $0 + Double(weight[weight.startIndex + i % 3 * width + $1]) * Double(features[i / 3 * width + $1])
            }
        }
        #expect(Closeness.relativeDistance(outputs, expected) < 1e-5)
    }

    @Test("a network of one layer has no hidden features")
    func shallow() throws {
        #expect(try RandomNetwork("linear", #"{\#(Self.linear): 4, "out_features": 3}"#).trained.hidden == nil)
    }
}
