import LinearAlgebra
import TestSupport

@testable import Networks

/// Networks with layers on several positions whose products with others' gradients are made position by position, beside all others.
enum PairNetworks {
    static func all(count: Int, weighted: Bool = false) throws -> [RandomNetwork] {
        let linear = #""type": "linear", "in_features""#
        return try RandomNetwork.all(count: count, weighted: weighted) + [
            RandomNetwork(
                "linear layers on two positions",
                """
                {\(linear): 40, "out_features": 36}, {"type": "tanh"}, {\(linear): 36, "out_features": 30, "bias": false}, {"type": "flatten"},
                {\(linear): 60, "out_features": 3}
                """, more: #", "input_shape": [2, 40]"#, count: count, weighted: weighted),
            RandomNetwork(
                "wide convolutions of small images",
                """
                {"type": "conv2d", "in_channels": 8, "out_channels": 32, "kernel_size": 3, "groups": 2, "padding": 1, "stride": 2},
                {"type": "relu"}, {"type": "conv2d", "in_channels": 32, "out_channels": 24, "kernel_size": 2, "bias": false},
                {"type": "flatten"}, {\(linear): 24, "out_features": 2}
                """, more: #", "input_shape": [8, 4, 4]"#, count: count, weighted: weighted),
        ]
    }

    /// The same network on inputs that are stored as bytes.
    static func onBytes(count: Int) throws -> RandomNetwork {
        try RandomNetwork(
            "a perceptron",
            #"{"type": "linear", "in_features": 37, "out_features": 40}, {"type": "tanh"}, {"type": "linear", "in_features": 40, "out_features": 5}"#,
            count: count)
    }
}
