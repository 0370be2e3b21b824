import JSON
import LinearAlgebra
import Networks
import Testing

@Suite("initial parameters")
struct TrainInitializationTests {
    private func network(_ layers: String, input: String = "[3, 8, 8]", more: String = "") throws -> Network {
        try Network(
            ModelSpec(
                JSON(
                    parsing: #"{"input_shape": \#(input), "layers": [\#(layers)], "loss": {"type": "cross_entropy"}\#(more)}"#)))
    }

    /// A network with every layer that has tensors, and too many layers to be convex.
    private func everything(trainable: String = "") throws -> Network {
        try network(
            """
            {"type": "conv2d", "in_channels": 3, "out_channels": 32, "kernel_size": [3, 5], "padding": [1, 2]},
            {"type": "conv2d", "name": "grouped", "in_channels": 32, "out_channels": 64, "kernel_size": 3, "groups": 4\(trainable)},
            {"type": "batch_norm2d", "name": "norm", "num_features": 64}, {"type": "flatten"},
            {"type": "layer_norm", "normalized_shape": [2304]},
            {"type": "residual", "layers": [{"type": "linear", "in_features": 2304, "out_features": 50, "bias": false},
                                            {"type": "linear", "name": "up", "in_features": 50, "out_features": 2304}]},
            {"type": "linear", "name": "head", "in_features": 2304, "out_features": 10}
            """)
    }

    /// The tensors by their names.
    private func tensors(_ network: Network, seed: UInt64 = 0) -> [String: [Float]] {
        let (trained, fixed) = network.initialParameters(seed: seed)
        #expect(trained.count == network.parameterCount && fixed.count == network.fixedCount)
        var tensors: [String: [Float]] = [:]
        for tensor in network.tensors {
            let range = tensor.slot.offset..<tensor.slot.offset + tensor.slot.count
            tensors[tensor.name] = Array((tensor.isTrained ? trained : fixed)[range])
        }
        return tensors
    }

    /// Expects numbers from U(−bound, bound): all within, and as even as so many can be.
    private func expectUniform(_ numbers: [Float], bound: Double, _ name: String) {
        let (count, scaled) = (Double(numbers.count), numbers.map { Double($0) / bound })
        #expect(scaled.allSatisfy { abs($0) <= 1 + 1e-6 }, "\(name)")
        let mean = scaled.reduce(0, +) / count
        let square = scaled.reduce(0) { $0 + $1 * $1 } / count
        // The standard deviations of u, 1/√3, and of u², √(4/45), each over √n.
        #expect(abs(mean) < 4.5 / (3 * count).squareRoot(), "\(name)")
        #expect(abs(square - 1.0 / 3) < 4.5 * (4 / (45 * count)).squareRoot(), "\(name)")
        var parts = [Double](repeating: 0, count: 10)
        for number in scaled { parts[min(9, Int(5 * (number + 1)))] += 1 }
        // χ² with nine degrees of freedom exceeds 40 once in a hundred thousand times.
        let chiSquare = parts.reduce(0) { $0 + ($1 - count / 10) * ($1 - count / 10) / (count / 10) }
        #expect(chiSquare < 40, "\(name)")
    }

    @Test("weights and biases of linear and convolutional layers are uniform within ±1/√fan_in", arguments: [0, 1, 77])
    func uniform(seed: UInt64) throws {
        let tensors = tensors(try everything(), seed: seed)
        let fans: [(name: String, fan: Int)] = [
            ("0", 3 * 3 * 5), ("grouped", 32 / 4 * 9), ("5.body.0", 2304), ("5.body.up", 50), ("head", 2304),
        ]
        for (name, fan) in fans {
            let bound = 1 / Double(fan).squareRoot()
            expectUniform(try #require(tensors[name + ".weight"]), bound: bound, name)
            guard let bias = tensors[name + ".bias"] else { continue }
            #expect(bias.allSatisfy { abs(Double($0)) <= bound * (1 + 1e-6) } && Set(bias).count > 1)
            if bias.count > 1000 { expectUniform(bias, bound: bound, name + ".bias") }
        }
        #expect(tensors["5.body.0.bias"] == nil)
    }

    @Test("norms begin as the identity on normalised numbers")
    func norms() throws {
        let tensors = tensors(try everything())
        for (name, number) in [
            ("norm.weight", 1), ("norm.bias", 0), ("norm.running_mean", 0), ("norm.running_var", 1), ("4.weight", 1),
            ("4.bias", 0),
        ] as [(String, Float)] {
            let values = try #require(tensors[name], "\(name)")
            #expect(!values.isEmpty && values.allSatisfy { $0 == number }, "\(name)")
        }
    }

    @Test("embeddings are standard normal, and zero for the padding id", arguments: ["embedding", "mean_embedding"])
    func embeddings(type: String) throws {
        let flatten = type == "embedding" ? #"{"type": "flatten"},"# : ""
        let network = try network(
            """
            {"type": "\(type)", "num_embeddings": 500, "embedding_dim": 40, "padding_idx": 7}, \(flatten) {"type": "relu"},
            {"type": "linear", "in_features": \(type == "embedding" ? 240 : 40), "out_features": 3}
            """, input: "[6]", more: #", "input_dtype": "int32""#)
        let weight = try #require(tensors(network)["0.weight"])
        #expect(weight[280..<320].allSatisfy { $0 == 0 })
        let numbers = (weight[..<280] + weight[320...]).map { Double($0) }
        let count = Double(numbers.count)
        // Moments of the normal distribution 0, 1, 0, 3, whose estimates deviate by √1, √2, √15, √96, each over √n.
        for (power, moment, deviation) in [(1, 0.0, 1.0), (2, 1, 2), (3, 0, 15), (4, 3, 96)] {
            let estimate = numbers.reduce(0) { sum, x in sum + (0..<power).reduce(1.0) { product, _ in product * x } } / count
            #expect(abs(estimate - moment) < 4.5 * (deviation / count).squareRoot())
        }
    }

    @Test("a seed names the numbers: the same again, and others for every tensor that is drawn")
    func seeds() throws {
        let network = try everything()
        let (first, again, other) = (tensors(network, seed: 5), tensors(network, seed: 5), tensors(network, seed: 6))
        #expect(first == again)
        for (name, numbers) in first where Set(numbers).count > 1 {
            let shared = Set(numbers).intersection(other[name] ?? [])
            #expect(shared.count <= numbers.count / 100, "\(name)")
        }
        // No tensor repeats another's numbers, on their own scales.
        let heads = first.values.filter { Set($0).count > 1 }.map { values in values.prefix(4).map { $0 / values[0] } }
        #expect(Set(heads).count == heads.count)
    }

    @Test("numbers do not depend on which layers are trained")
    func frozen() throws {
        let (all, some) = (try everything(), try everything(trainable: #", "trainable": false"#))
        #expect(some.parameterCount < all.parameterCount)
        #expect(tensors(all, seed: 3) == tensors(some, seed: 3))
        #expect(all.frozenLayers.isEmpty && some.frozenLayers == ["grouped"])
        #expect(all.hasRunningStatistics)
    }

    @Test("what makes the objective convex begins with zeros, and what is fixed does not")
    func convex() throws {
        let plain = try network(#"{"type": "flatten"}, {"type": "linear", "in_features": 192, "out_features": 10}"#)
        #expect(plain.isConvex && plain.initialParameters(seed: 1).trained.allSatisfy { $0 == 0 })
        #expect(!plain.hasRunningStatistics && plain.frozenLayers.isEmpty)
        let features = try network(
            """
            {"type": "flatten"}, {"type": "linear", "name": "random", "in_features": 192, "out_features": 20, "trainable": false},
            {"type": "relu"}, {"type": "linear", "in_features": 20, "out_features": 10}
            """)
        let (trained, fixed) = features.initialParameters(seed: 1)
        #expect(features.isConvex && trained.allSatisfy { $0 == 0 })
        expectUniform(fixed, bound: 1 / 192.0.squareRoot(), "random")
    }
}
