import JSON
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
        let layers: [ModelSpec.Layer] = [.flatten, .linear(name: "fc", inFeatures: 784, outFeatures: 10, bias: false)]
        #expect(spec == ModelSpec(inputShape: [28, 28], layers: layers, loss: .crossEntropy, weightDecay: 0.01))
        let model = SoftmaxRegression(inputWidth: 784, classCount: 10, hasBias: false, layerName: "fc")
        #expect(try SoftmaxRegression(spec) == model)
    }

    @Test("what may be left out has PyTorch's defaults: a bias, and the layer's index for a name; and no weight decay")
    func defaults() throws {
        let spec = try spec(#"{"type": "flatten"}, \#(Self.linear)"#)
        #expect(spec.inputShape == nil)
        #expect(spec.weightDecay == 0)
        #expect(try SoftmaxRegression(spec).tensors.map { $0.name } == ["1.weight", "1.bias"])
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
        Bad(
            "a frozen layer", #"{"type": "linear", "in_features": 4, "out_features": 3, "trainable": false}"#,
            at: "/layers/0/trainable"),
        Bad("a negative weight decay", linear, #", "weight_decay": -1"#, at: "/weight_decay"),
        Bad("an input shape with a zero", linear, #", "input_shape": [0, 4]"#, at: "/input_shape/0"),
        Bad("inputs of another type", linear, #", "input_dtype": "int32""#, at: "/input_dtype"),
        Bad("a misspelt member", linear, #", "weight_decy": 1"#, at: "/weight_decy"),
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

    static let unfit = [
        Bad("no linear layer", #"{"type": "flatten"}"#, at: "/layers"),
        Bad("two linear layers", "\(linear), \(linear)", at: "/layers/1"),
        Bad("an image without flatten", linear, #", "input_shape": [2, 2]"#, at: "/layers/0"),
        Bad(
            "flatten after the layer that needs it", #"\#(linear), {"type": "flatten"}"#, #", "input_shape": [2, 2]"#,
            at: "/layers/0"),
        Bad(
            "another width than the input's", #"{"type": "flatten"}, \#(linear)"#, #", "input_shape": [5]"#,
            at: "/layers/1/in_features"),
        Bad("one class", #"{"type": "linear", "in_features": 4, "out_features": 1}"#, at: "/layers/0/out_features"),
        Bad("more parameters than fit", #"{"type": "linear", "in_features": 1000000, "out_features": 1000000}"#, at: "/layers/0"),
        Bad(
            "an input shape whose product overflows", linear,
            #", "input_shape": [1073741824, 1073741824, 1073741824]"#, at: "/input_shape"),
    ]

    @Test("layers that make no softmax regression are refused at the layer in question", arguments: unfit)
    func refused(bad: Bad) throws {
        let spec = try spec(bad.layers, bad.more)
        let error = #expect(throws: JSONIssue.self) { try SoftmaxRegression(spec) }
        #expect(error?.pointer == bad.pointer, "\(String(describing: error))")
    }
}
