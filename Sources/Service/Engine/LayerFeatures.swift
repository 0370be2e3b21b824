internal import Attribution
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// What examples are compared by: the inputs, or what a layer makes of them.
public enum FeatureLayer: Hashable, Sendable {
    /// What the last layer with weights reads (FastIF, section 3.2).
    case lastHidden
    /// The inputs themselves.
    case input
    /// The output of the layer of a name.
    case named(String)

    /// As it was written.
    var names: [String] { if case .named(let name) = self { [name] } else { [] } }

    /// What requests call the inputs.
    static let inputName = "input"

    static let schema = Schema.string().described(
        "By which features: `input`, or the name of a layer, whose output they are; by default the layer that the last one with weights "
            + "reads.")

    /// Reads the member `layer`.
    init(_ object: JSONObjectReader) {
        switch object.optionalString("layer") {
        case nil: self = .lastHidden
        case Self.inputName: self = .input
        case let name?: self = .named(name)
        }
    }
}

/// The features of a model's training examples at one layer, and how a test gets its own.
struct LayerFeatures: Sendable {
    /// The layer's name, as answers show it.
    let name: String
    /// One row for each training example.
    let rows: FeatureRows
    /// What leads to the layer; nil for the inputs.
    fileprivate let network: TrainedNetwork?

    /// A test's features.
    /// - Throws: `Interrupted`.
    func features(of input: [Float], interruption: Interruption) throws -> [Float] {
        let features = FeatureRows(input, width: input.count)
        return try network?.outputRows(of: features, interruption: interruption).values(of: 0) ?? input
    }
}

/// Names features of a checkpoint.
struct LayerKey: Hashable, Sendable {
    let identity: ContentDigest
    let layer: String
}

extension Engine {
    /// The features of a model's training examples at a layer, computed once while they are kept.
    /// - Parameter pointer: what in the request names the layer.
    /// - Throws: `Problem` for a layer that is not there, naming those that are, and where features take too much memory; `Interrupted`.
    func features(
        of model: LoadedModel, at layer: FeatureLayer, pointer: String, interruption: Interruption
    ) throws -> LayerFeatures {
        let network = try model.network(at: pointer, "needs features to tell examples by")
        guard let inputs = model.training.features else { throw Problem(at: pointer, "needs inputs, of which there are none") }
        let whole = network.whole
        if layer == .lastHidden, let frozen = network.frozen, network.trained.hidden == nil {
            // What the trained part gets is there already.
            return LayerFeatures(
                name: whole.network.hiddenLayer?.name ?? FeatureLayer.inputName, rows: network.examples.features, network: frozen)
        }
        let name: String?
        switch layer {
        case .input: name = nil
        case .lastHidden: name = whole.network.hiddenLayer?.name
        case .named(let given): name = given
        }
        guard let name else {
            guard whole.network.tokenCount == nil else {
                throw Problem(
                    at: pointer,
                    "can't be the input, which is made of token ids: their distances mean nothing. Name a layer of "
                        + whole.network.layers.map { "'\($0.name)'" }.joined(separator: ", "))
            }
            return LayerFeatures(name: FeatureLayer.inputName, rows: inputs, network: nil)
        }
        let leading: TrainedNetwork
        do { leading = try whole.outputs(ofLayer: name) } catch { throw Problem(at: pointer, error.detail) }
        try MemoryBudget(bytes: memoryBytes).require(
            .floatBytes(inputs.count, leading.network.outputWidth), of: .quarter,
            for: "what layer '\(name)' makes of the \(inputs.count) training examples", at: pointer)
        let rows = try layerFeatures.value(for: LayerKey(identity: model.identity, layer: name), cost: \.byteCount) {
            try leading.outputRows(of: inputs, parallel: parallel, interruption: interruption)
        }
        return LayerFeatures(name: name, rows: rows, network: leading)
    }
}
