import JSON
import Networks
import Testing

/// What layers make of each other: shapes, tensors, and errors that name the layer.
@Suite("composing networks")
struct CompositionTests {
    private func network(_ layers: String, _ more: String = "", loss: String = "cross_entropy") throws -> Network {
        try Network(ModelSpec(JSON(parsing: #"{"layers": [\#(layers)], "loss": {"type": "\#(loss)"} \#(more)}"#)))
    }

    private static func linear(_ inFeatures: Int, _ outFeatures: Int, _ more: String = "") -> String {
        #"{"type": "linear", "in_features": \#(inFeatures), "out_features": \#(outFeatures) \#(more)}"#
    }

    @Test("tensors are named as PyTorch's state_dict names them, and statistics and frozen layers are not in θ")
    func tensors() throws {
        let network = try network(
            """
            {"type": "conv2d", "in_channels": 1, "out_channels": 4, "kernel_size": 3, "bias": false}, {"type": "batch_norm2d", "num_features": 4},
            {"type": "residual", "name": "block", "layers": [{"type": "conv2d", "in_channels": 4, "out_channels": 4, "kernel_size": 3, "padding": 1},
            {"type": "relu"}, {"type": "conv2d", "name": "last", "in_channels": 4, "out_channels": 4, "kernel_size": 1, "trainable": false}]},
            {"type": "flatten"}, \(Self.linear(144, 3))
            """, #", "input_shape": [1, 8, 8]"#)
        let named = network.tensors.map { "\($0.name) \($0.shape) \($0.isTrained)" }
        #expect(
            named == [
                "0.weight [4, 1, 3, 3] true", "1.weight [4] true", "1.bias [4] true", "1.running_mean [4] false",
                "1.running_var [4] false", "block.body.0.weight [4, 4, 3, 3] true", "block.body.0.bias [4] true",
                "block.body.last.weight [4, 4, 1, 1] false", "block.body.last.bias [4] false", "4.weight [3, 144] true",
                "4.bias [3] true",
            ])
        #expect(network.parameterCount == 36 + 8 + 148 + 435 && network.fixedCount == 8 + 20)
        #expect(network.outputWidth == 3 && !network.isConvex)
    }

    @Test("the input's shape comes from the first layer that implies it")
    func implied() throws {
        #expect(try network(#"{"type": "tanh"}, \#(Self.linear(4, 3))"#).inputShape == [4])
        let normalized = try network(
            #"{"type": "layer_norm", "normalized_shape": [2, 3]}, {"type": "flatten"}, \#(Self.linear(6, 3))"#)
        #expect(normalized.inputShape == [2, 3])
    }

    @Test("a linear layer works on the last extent, as PyTorch's")
    func positions() throws {
        let network = try network(
            #"\#(Self.linear(4, 5)), {"type": "flatten"}, \#(Self.linear(15, 2))"#, #", "input_shape": [3, 4]"#)
        #expect(network.outputWidth == 2 && network.parameterCount == 25 + 32)
    }

    @Test(
        "an objective is convex where outputs are affine in θ",
        arguments: [
            (linear(4, 3), true), (#"\#(linear(4, 4)), \#(linear(4, 3))"#, false),
            (#"\#(linear(4, 4, #", "trainable": false"#)), {"type": "tanh"}, \#(linear(4, 3))"#, true),
            (#"\#(linear(4, 4)), \#(linear(4, 3, #", "trainable": false"#))"#, true),
            (#"\#(linear(4, 4)), {"type": "tanh"}, \#(linear(4, 3, #", "trainable": false"#))"#, false),
        ])
    func convexity(layers: String, isConvex: Bool) throws {
        #expect(try network(layers).isConvex == isConvex)
    }

    struct Unfit: Sendable, CustomTestStringConvertible {
        let testDescription, layers, more, pointer, detail: String
        var loss = "cross_entropy"

        init(
            _ testDescription: String, _ layers: String, _ more: String = "", at pointer: String, _ detail: String,
            loss: String = "cross_entropy"
        ) {
            (self.testDescription, self.layers, self.more) = (testDescription, layers, more)
            (self.pointer, self.detail, self.loss) = (pointer, detail, loss)
        }
    }

    private static let image = #", "input_shape": [1, 8, 8]"#
    private static func convolution(_ fields: String) -> String { #"{"type": "conv2d", "out_channels": 4, \#(fields)}"# }

    static let unfit = [
        Unfit("nothing to train", #"{"type": "flatten"}"#, #", "input_shape": [4]"#, at: "/layers", "no layer has parameters"),
        Unfit("only frozen layers", linear(4, 3, #", "trainable": false"#), at: "/layers", "no layer has parameters"),
        Unfit(
            "features that flatten does not make", #"{"type": "flatten"}, \#(linear(4, 3))"#, #", "input_shape": [2, 3]"#,
            at: "/layers/1", "gets [6]; it needs […, 4]"),
        Unfit(
            "an image without flatten", linear(4, 3), #", "input_shape": [2, 2]"#, at: "/layers/0",
            "put a flatten layer before it"),
        Unfit(
            "another width than the layer before puts out", "\(linear(4, 5)), \(linear(6, 3))", at: "/layers/1",
            "layer '1' (linear) gets [5]; it needs […, 6], as in_features is 6"),
        Unfit("one class", linear(4, 1), at: "/layers", "puts out [1]; cross_entropy needs"),
        Unfit("outputs of two extents", linear(4, 3), #", "input_shape": [2, 4]"#, at: "/layers", "puts out [2, 3]"),
        Unfit("two outputs for a number", linear(4, 2), at: "/layers", "puts out [2]", loss: "mean_squared_error"),
        Unfit(
            "a linear layer on a row, then a convolution",
            "\(linear(4, 3)), \(convolution(#""in_channels": 1, "kernel_size": 3"#))", at: "/layers/1",
            "gets [3]; it needs [channels, height, width]"),
        Unfit(
            "other channels", convolution(#""in_channels": 3, "kernel_size": 3"#), image, at: "/layers/0",
            "gets [1, 8, 8]; it needs [3, height, width], as in_channels is 3"),
        Unfit(
            "a kernel larger than the image", convolution(#""in_channels": 1, "kernel_size": 9"#), image, at: "/layers/0",
            "its kernel of 9 × 9"),
        Unfit(
            "a dilated kernel larger than the image", convolution(#""in_channels": 1, "kernel_size": 3, "dilation": 4"#), image,
            at: "/layers/0", "with dilation 4 × 4"),
        Unfit(
            "a kernel whose extent overflows",
            convolution(#""in_channels": 1, "kernel_size": 1073741824, "dilation": 1073741824, "padding": 1073741824"#), image,
            at: "/layers/0", "must fit into height and width"),
        Unfit(
            "features that batch_norm does not have", #"{"type": "batch_norm2d", "num_features": 4}"#, image, at: "/layers/0",
            "as num_features is 4"),
        Unfit(
            "a norm over other extents", #"{"type": "layer_norm", "normalized_shape": [4, 8]}"#, image, at: "/layers/0",
            "extents that end in [4, 8]"),
        Unfit(
            "a block that changes the shape", #"{"type": "residual", "layers": [\#(linear(4, 3))]}"#, at: "/layers/0",
            "gets [4], but its layers put out [3]"),
        Unfit(
            "a wrong layer in a block", #"{"type": "residual", "layers": [\#(linear(4, 5)), \#(linear(4, 4))]}"#,
            at: "/layers/0/layers/1", "layer '0.body.1' (linear) gets [5]"),
        Unfit(
            "two layers of one name", #"\#(linear(4, 4, #", "name": "1""#)), \#(linear(4, 3))"#, at: "/layers/1/name",
            "is what another layer is called"),
        Unfit(
            "an input shape whose product overflows", linear(4, 3), #", "input_shape": [1073741824, 1073741824, 1073741824]"#,
            at: "/input_shape", "makes more than"),
        Unfit("more parameters than fit", linear(1_000_000, 1_000_000), at: "/layers/0", "more than 2147483647 parameters"),
        Unfit(
            "outputs that fill memory", convolution(#""in_channels": 1, "kernel_size": 1, "padding": 100000"#), image,
            at: "/layers/0", "use smaller layers"),
        Unfit("tokens for a linear layer", linear(4, 3), #", "input_dtype": "int32""#, at: "/layers/0", "gets token ids"),
        Unfit(
            "numbers for an embedding",
            #"{"type": "embedding", "num_embeddings": 5, "embedding_dim": 2}, {"type": "flatten"}, \#(linear(8, 2))"#,
            #", "input_shape": [4]"#, at: "/layers/0", "with \"input_dtype\": \"int32\""),
    ]

    @Test("layers that do not fit are refused by name, with the shape they get and the shape they need", arguments: unfit)
    func refused(unfit: Unfit) throws {
        let error = #expect(throws: JSONIssue.self) {
            try network(unfit.layers, unfit.more, loss: unfit.loss)
        }
        #expect(error?.pointer == unfit.pointer, "\(String(describing: error))")
        #expect(error?.detail.contains(unfit.detail) == true, "\(String(describing: error))")
    }

    @Test("a network without a shape of its own takes the data's")
    func shapeOfTheData() throws {
        let layers = #"{"type": "flatten"}, \#(Self.linear(6, 3))"#
        let spec = try ModelSpec(JSON(parsing: #"{"layers": [\#(layers)], "loss": {"type": "cross_entropy"}}"#))
        #expect(try Network(spec, exampleShape: [2, 3]).inputShape == [2, 3])
        #expect(try Network(spec).inputShape == [6])
    }
}
