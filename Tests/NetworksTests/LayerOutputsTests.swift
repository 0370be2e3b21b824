import Foundation
import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// What layers inside of a network put out, each against the layer before it.
@Suite("networks: outputs of layers")
struct LayerOutputsTests {
    private static let linear = #""type": "linear", "in_features""#
    private static let layers = """
        {"type": "flatten"}, {\(linear): 12, "out_features": 8, "name": "in", "trainable": false}, {"type": "relu"},
        {"type": "residual", "name": "block", "layers": [{"type": "dropout", "p": 0.5},
            {\(linear): 8, "out_features": 8}, {"type": "residual", "layers": [{"type": "tanh", "name": "t"}]}]},
        {"type": "dropout", "p": 0.1}, {\(linear): 8, "out_features": 5, "name": "mid"}, {"type": "tanh", "name": "act"},
        {\(linear): 5, "out_features": 3}
        """

    private let subject: RandomNetwork
    init() throws { subject = try RandomNetwork("layers of all kinds", Self.layers, more: #", "input_shape": [3, 4]"#) }

    private func outputs(_ name: String, of model: TrainedNetwork? = nil, features: FeatureRows? = nil) throws -> [Float] {
        try (model ?? subject.trained).outputs(ofLayer: name).outputs(of: features ?? subject.examples.features).copy
    }

    @Test("layers are listed in the order in which they are computed, by their tensors' names, with what they put out")
    func list() {
        #expect(
            subject.network.layers.map { "\($0.name) \($0.type) \($0.shape)" } == [
                "0 flatten [12]", "in linear [8]", "2 relu [8]", "block.body.0 dropout [8]", "block.body.1 linear [8]",
                "block.body.2.body.t tanh [8]", "block.body.2 residual [8]", "block residual [8]", "4 dropout [8]",
                "mid linear [5]", "act tanh [5]", "7 linear [3]",
            ])
        #expect(subject.network.layers.map(\.width) == [12, 8, 8, 8, 8, 8, 8, 8, 8, 5, 5, 3])
        for tensor in subject.network.tensors {
            #expect(subject.network.layers.contains { tensor.name.hasPrefix($0.name + ".") })
        }
    }

    @Test("each layer's outputs are what it makes of those of the layer before it, inside of residual blocks too")
    func chain() throws {
        let inputs = subject.examples.features
        func linear(_ layer: String, of x: [Float]) throws -> [Double] {
            func numbers(_ name: String) throws -> [Float] {
                let tensor = try #require(subject.network.tensors.first { $0.name == "\(layer).\(name)" })
                return Array(
                    (tensor.isTrained ? subject.parameters : subject.fixed)[tensor.slot.offset...].prefix(tensor.slot.count))
            }
            let (weight, bias) = (try numbers("weight"), try numbers("bias"))
            let width = weight.count / bias.count
            return (0..<x.count / width).flatMap { row in
                bias.indices.map { o in
                    (0..<width).reduce(Double(bias[o])) { $0 + Double(weight[o * width + $1]) * Double(x[row * width + $1]) }
                }
            }
        }
        let all = (0..<inputs.count).flatMap { inputs.values(of: $0) }
        let input = try outputs("0")
        #expect(input == all)
        let first = try outputs("in")
        #expect(Closeness.relativeDistance(first, try linear("in", of: input)) < 1e-6)
        let relu = try outputs("2")
        #expect(relu == first.map { max(0, $0) })
        #expect(try outputs("block.body.0") == relu)
        let inner = try outputs("block.body.1")
        #expect(Closeness.relativeDistance(inner, try linear("block.body.1", of: relu)) < 1e-6)
        let tanh = try outputs("block.body.2.body.t")
        #expect(Closeness.relativeDistance(tanh, inner.map { Foundation.tanh(Double($0)) }) < 1e-6)
        let sum = try outputs("block.body.2")
        #expect(sum == zip(inner, tanh).map { $0 + $1 })
        let block = try outputs("block")
        #expect(block == zip(relu, sum).map { $0 + $1 })
        #expect(try outputs("4") == block)
        let mid = try outputs("mid")
        #expect(Closeness.relativeDistance(mid, try linear("mid", of: block)) < 1e-6)
        #expect(Closeness.relativeDistance(try outputs("act"), mid.map { Foundation.tanh(Double($0)) }) < 1e-6)
        #expect(try outputs("7") == subject.trained.outputs(of: inputs).copy)
    }

    @Test("every network's last layer puts out its outputs, and widths are those that are listed")
    func last() throws {
        for subject in try RandomNetwork.all(count: 9) {
            for layer in subject.network.layers {
                let part = try subject.trained.outputs(ofLayer: layer.name)
                #expect(part.network.outputWidth == layer.width, "\(subject.testDescription), \(layer.name)")
                #expect(try part.outputs(of: subject.examples.features).count == 9 * layer.width)
                #expect(part.network.layers.contains(layer))
            }
            let name = try #require(subject.network.layers.last).name
            let outputs = try subject.trained.outputs(of: subject.examples.features).copy
            #expect(try subject.trained.outputs(ofLayer: name).outputs(of: subject.examples.features).copy == outputs)
        }
    }

    @Test("of a network in two, frozen and trained, each part has its layers under the same names")
    func parts() throws {
        let (frozen, trained) = try #require(subject.trained.frozenAndTrained)
        let between = try frozen.outputRows(of: subject.examples.features)
        #expect(frozen.network.layers.map(\.name) == ["0", "in", "2", "block.body.0"])
        #expect(
            trained.network.layers.map(\.name)
                == Array(subject.network.layers.map(\.name).drop { $0 != "2" }))
        for layer in frozen.network.layers {
            #expect(try outputs(layer.name, of: frozen) == outputs(layer.name))
        }
        for layer in trained.network.layers {
            #expect(try outputs(layer.name, of: trained, features: between) == outputs(layer.name), "\(layer.name)")
        }
    }

    @Test("layers that do nothing at the beginning give the rows as they are stored")
    func identity() throws {
        let part = try subject.trained.outputs(ofLayer: "0")
        #expect(part.network.isIdentity && part.network.outputWidth == 12)
        #expect(try part.outputRows(of: subject.examples.features) === subject.examples.features)
        let next = try subject.trained.outputs(ofLayer: "in")
        let rows = try next.outputRows(of: subject.examples.features)
        #expect(!next.network.isIdentity && rows.width == 8 && rows.count == subject.examples.count)
    }

    @Test("the hidden layer is the one that the last layer with weights reads")
    func hidden() throws {
        #expect(subject.network.hiddenLayer?.name == "act")
        let hidden = try #require(subject.trained.hidden).outputs(of: subject.examples.features).copy
        #expect(try hidden == outputs("act"))
        func name(_ layers: String, more: String = "") throws -> String? {
            try RandomNetwork("small", layers, more: more).network.hiddenLayer?.name
        }
        let (first, second) = (#"{\#(Self.linear): 4, "out_features": 4}"#, #"{\#(Self.linear): 4, "out_features": 3}"#)
        #expect(try name(second) == nil)
        #expect(try name(#"{"type": "flatten"}, {"type": "dropout", "p": 0.5}, \#(second)"#) == nil)
        #expect(try name(#"{"type": "relu", "name": "r"}, \#(second)"#) == "r")
        #expect(try name(#"\#(first), {"type": "relu"}, {"type": "dropout", "p": 0.5}, \#(second), {"type": "tanh"}"#) == "2")
        #expect(try name(#"\#(first), {"type": "relu"}, {"type": "residual", "layers": [\#(first)]}"#) == "1")
        #expect(
            try name(#"\#(first), {"type": "residual", "layers": [{"type": "relu"}, \#(first)]}"#) == "1.body.0")
    }

    @Test("an unknown layer is refused with the names that there are")
    func unknown() throws {
        let error = #expect(throws: UnknownLayer.self) { try subject.trained.outputs(ofLayer: "block.body.9") }
        #expect(error?.name == "block.body.9" && error?.layers == subject.network.layers)
        #expect(
            error?.detail.hasPrefix(
                #"no layer is called "block.body.9"; layers, first to last, and how many numbers each puts out: "0" (flatten, 12), "in" (linear, 8), "#
            ) == true)
        #expect(error?.detail.hasSuffix(#""7" (linear, 3)"#) == true)
        for name in ["", "0.weight", "IN", String(repeating: "x", count: 1 << 16)] {
            let detail = #expect(throws: UnknownLayer.self) { try subject.trained.outputs(ofLayer: name) }?.detail
            #expect(try #require(detail).utf8.count < 1000)
        }
        let many = (0..<60).map { _ in #"{"type": "tanh"}"# }.joined(separator: ",")
        let deep = try RandomNetwork("deep", #"{\#(Self.linear): 2, "out_features": 2}, \#(many)"#)
        let detail = #expect(throws: UnknownLayer.self) { try deep.network.layer(named: "no") }?.detail
        #expect(detail?.hasSuffix(#""39" (tanh, 2), and 21 more"#) == true)
    }
}
