import JSON
import LinearAlgebra
import Networks
import Testing

@Suite("model specs")
struct ModelSpecTests {
    /// A spec of these layers, in JSON, with more members after them.
    private func spec(_ layers: String, _ more: String = "") throws -> ModelSpec {
        try ModelSpec(JSON(parsing: #"{"layers": [\#(layers)], "loss": {"type": "cross_entropy"} \#(more)}"#))
    }

    private static let linear = #"{"type": "linear", "in_features": 4, "out_features": 3}"#

    @Test("a whole spec is understood")
    func whole() throws {
        let spec = try spec(
            #"{"type": "flatten"}, {"type": "linear", "name": "fc", "in_features": 784, "out_features": 10, "bias": false}"#,
            #", "input_shape": [28, 28], "input_dtype": "float32", "weight_decay": 0.01"#)
        let layers = [
            LayerSpec(.flatten), LayerSpec(.linear(inFeatures: 784, outFeatures: 10, bias: false), name: "fc"),
        ]
        #expect(
            spec
                == ModelSpec(
                    inputShape: [28, 28], layers: layers, loss: .crossEntropy(labelSmoothing: 0), weightDecay: 0.01))
        let model = SoftmaxRegression(inputWidth: 784, classCount: 10, hasBias: false)
        #expect(try SoftmaxRegression(Network(spec)) == model)
    }

    @Test("what may be left out has PyTorch's defaults")
    func defaults() throws {
        let spec = try spec(#"{"type": "flatten"}, \#(Self.linear)"#)
        #expect(spec.inputShape == nil && spec.weightDecay == 0 && spec.inputType == .float32)
        #expect(try Network(spec).tensors.map(\.name) == ["1.weight", "1.bias"])
        let image = #", "input_shape": [2, 9, 9]"#
        let kinds = try self.spec(
            """
            {"type": "conv2d", "in_channels": 2, "out_channels": 4, "kernel_size": [3, 2]}, {"type": "leaky_relu"},
            {"type": "softplus"}, {"type": "gelu"}, {"type": "max_pool2d", "kernel_size": 3}, {"type": "batch_norm2d", "num_features": 4},
            {"type": "avg_pool2d", "kernel_size": 2, "stride": 1}, {"type": "layer_norm", "normalized_shape": 4}, {"type": "dropout"},
            {"type": "adaptive_avg_pool2d", "output_size": [null, 2]}
            """, image
        ).layers.map(\.kind)
        let window = LayerSpec.Window(kernel: .init(3, 2))
        let pool = LayerSpec.Window(kernel: .init(3), stride: .init(3))
        #expect(
            kinds == [
                .conv2d(inChannels: 2, outChannels: 4, window: window, groups: 1, bias: true),
                .activation(.leakyReLU(slope: 0.01)), .activation(.softplus(beta: 1, threshold: 20)), .activation(.gelu),
                .maxPool2d(pool, ceilMode: false), .batchNorm(dimensions: 2, features: 4, epsilon: 1e-5, affine: true),
                .avgPool2d(.init(kernel: .init(2)), ceilMode: false, countIncludePad: true, divisor: nil),
                .layerNorm(shape: [4], epsilon: 1e-5, affine: true, bias: true), .dropout,
                .adaptiveAvgPool2d(height: nil, width: 2),
            ])
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let layers: String
        let more: String
        let pointer: String

        init(_ testDescription: String, _ layers: String, _ more: String = "", at pointer: String) {
            (self.testDescription, self.layers, self.more, self.pointer) = (testDescription, layers, more, pointer)
        }
    }

    private static func convolution(_ fields: String) -> String {
        #"{"type": "conv2d", "in_channels": 4, "out_channels": 6, \#(fields)}"#
    }

    static let malformed = [
        Bad("no layers", "", at: "/layers"),
        Bad("a layer of unknown type", #"{"type": "dense"}"#, at: "/layers/0/type"),
        Bad("a layer without a type", #"{"in_features": 4, "out_features": 3}"#, at: "/layers/0/type"),
        Bad("a layer that is no object", "7", at: "/layers/0"),
        Bad("no in_features", #"{"type": "linear", "out_features": 3}"#, at: "/layers/0/in_features"),
        Bad("no features", #"{"type": "linear", "in_features": 0, "out_features": 3}"#, at: "/layers/0/in_features"),
        Bad("half an output", #"{"type": "linear", "in_features": 4, "out_features": 2.5}"#, at: "/layers/0/out_features"),
        Bad("a bias in words", #"{"type": "linear", "in_features": 4, "out_features": 3, "bias": "no"}"#, at: "/layers/0/bias"),
        Bad(
            "an unknown field", #"{"type": "linear", "in_features": 4, "out_features": 3, "biass": true}"#, at: "/layers/0/biass"),
        Bad("an empty name", #"{"type": "linear", "name": "", "in_features": 4, "out_features": 3}"#, at: "/layers/0/name"),
        Bad("a negative weight decay", linear, #", "weight_decay": -1"#, at: "/weight_decay"),
        Bad("an input shape with a zero", linear, #", "input_shape": [0, 4]"#, at: "/input_shape/0"),
        Bad("inputs of another type", linear, #", "input_dtype": "int64""#, at: "/input_dtype"),
        Bad("a misspelt member", linear, #", "weight_decy": 1"#, at: "/weight_decy"),
        Bad("a convolution without a kernel", convolution(#""stride": 1"#), at: "/layers/0/kernel_size"),
        Bad("a kernel of nothing", convolution(#""kernel_size": 0"#), at: "/layers/0/kernel_size"),
        Bad("a kernel of three extents", convolution(#""kernel_size": [1, 2, 3]"#), at: "/layers/0/kernel_size"),
        Bad("a stride of nothing", convolution(#""kernel_size": 3, "stride": [1, 0]"#), at: "/layers/0/stride/1"),
        Bad("negative padding", convolution(#""kernel_size": 3, "padding": -1"#), at: "/layers/0/padding"),
        Bad("padding in other words", convolution(#""kernel_size": 3, "padding": "full""#), at: "/layers/0/padding"),
        Bad("\"same\" with a stride", convolution(#""kernel_size": 3, "stride": 2, "padding": "same""#), at: "/layers/0/padding"),
        Bad("groups that do not divide", convolution(#""kernel_size": 3, "groups": 4"#), at: "/layers/0/groups"),
        Bad(
            "padding that wraps around", convolution(#""kernel_size": 3, "padding_mode": "circular""#),
            at: "/layers/0/padding_mode"),
        Bad("a pool padded beyond half", #"{"type": "max_pool2d", "kernel_size": 2, "padding": 2}"#, at: "/layers/0/padding"),
        Bad(
            "statistics of each batch", #"{"type": "batch_norm1d", "num_features": 4, "track_running_stats": false}"#,
            at: "/layers/0/track_running_stats"),
        Bad("an unknown gelu", #"{"type": "gelu", "approximate": "fast"}"#, at: "/layers/0/approximate"),
        Bad("part of flatten", #"{"type": "flatten", "start_dim": 2}"#, at: "/layers/0/start_dim"),
        Bad("an empty block", #"{"type": "residual", "layers": []}"#, at: "/layers/0/layers"),
        Bad("a wrong layer in a block", #"{"type": "residual", "layers": [{"type": "tanhh"}]}"#, at: "/layers/0/layers/0/type"),
        Bad(
            "a padding id beyond the ids", #"{"type": "embedding", "num_embeddings": 5, "embedding_dim": 2, "padding_idx": 5}"#,
            at: "/layers/0/padding_idx"),
        Bad(
            "two padding ids",
            #"{"type": "embedding", "num_embeddings": 5, "embedding_dim": 2, "padding_idx": 1, "padding_index": 1}"#,
            at: "/layers/0/padding_idx"),
    ]

    @Test("what is wrong is reported at its place", arguments: malformed)
    func reported(bad: Bad) throws {
        let error = #expect(throws: JSONIssues.self) { try spec(bad.layers, bad.more) }
        #expect(error?.issues.map { $0.pointer } == [bad.pointer], "\(String(describing: error))")
    }

    @Test("everything wrong is reported at once")
    func all() throws {
        let error = #expect(throws: JSONIssues.self) {
            try spec(#"{"type": "linear", "in_features": -4, "out_features": "three"}"#, #", "weight_decay": "none""#)
        }
        let pointers = Set(error?.issues.map { $0.pointer } ?? [])
        #expect(pointers.isSuperset(of: ["/layers/0/in_features", "/weight_decay"]))
    }

    @Test(
        "losses, and what is wrong with them",
        arguments: [
            (#"{"type": "cross_entropy", "label_smoothing": 0.1}"#, LossSpec.crossEntropy(labelSmoothing: 0.1), ""),
            (#"{"type": "binary_cross_entropy"}"#, .binaryCrossEntropy, ""),
            (#"{"type": "mean_squared_error"}"#, .meanSquaredError, ""),
            (#"{"type": "smooth_hinge", "temperature": 0.01}"#, .smoothHinge(temperature: 0.01), ""),
            (#"{"type": "smooth_hinge"}"#, nil, "/loss/temperature"),
            (#"{"type": "smooth_hinge", "temperature": 0}"#, nil, "/loss/temperature"),
            (#"{"type": "cross_entropy", "label_smoothing": 1.5}"#, nil, "/loss/label_smoothing"),
            (#"{"type": "mean_squared_error", "reduction": "sum"}"#, nil, "/loss/reduction"),
            (#"{"type": "hinge"}"#, nil, "/loss/type"), ("7", nil, "/loss"),
        ] as [(String, LossSpec?, String)])
    func losses(text: String, expected: LossSpec?, pointer: String) throws {
        let json = try JSON(parsing: #"{"layers": [\#(Self.linear)], "loss": \#(text)}"#)
        guard let expected else {
            let error = #expect(throws: JSONIssues.self) { try ModelSpec(json) }
            #expect(error?.issues.map { $0.pointer } == [pointer])
            return
        }
        #expect(try ModelSpec(json).loss == expected)
    }

    @Test("blocks in blocks are refused where they lie too deep")
    func deep() throws {
        func block(_ depth: Int) -> String {
            depth == 0 ? #"{"type": "tanh"}"# : #"{"type": "residual", "layers": [\#(block(depth - 1))]}"#
        }
        _ = try spec(block(8))
        #expect(throws: JSONIssues.self) { try spec(block(9)) }
    }
}
