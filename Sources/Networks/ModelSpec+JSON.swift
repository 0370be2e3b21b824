public import JSON

extension ModelSpec {
    /// Layer types that a spec may name.
    static let layerTypes = ["flatten", "linear"]
    /// Loss types that a spec may name.
    static let lossTypes = ["cross_entropy"]
    /// The largest extent of anything: products of a few of them still fit an `Int`.
    private static let largestExtent = 1 << 30

    /// Reads a spec.
    /// - Throws: every problem found, each with a pointer to its place.
    public init(_ json: JSON) throws(JSONIssues) {
        let reader = JSONReader(json)
        let object = reader.object(allowing: ["input_shape", "input_dtype", "layers", "loss", "weight_decay"])
        let shape = object?.optionalValue("input_shape")?.integers(count: 1...8, in: 1...Self.largestExtent)
        _ = object?.optionalChoice("input_dtype", of: ["float32"])
        let layers = (object?.array("layers", count: 1...256) ?? []).compactMap(Self.layer)
        _ = object?.object("loss", allowing: ["type"])?.choice("type", of: Self.lossTypes)
        let weightDecay = object?.number("weight_decay", default: 0, in: 0...1e6) ?? 0
        try reader.issues.check()
        self.init(inputShape: shape, layers: layers, loss: .crossEntropy, weightDecay: weightDecay)
    }

    private static func layer(_ reader: JSONReader) -> Layer? {
        guard let type = reader.object()?.choice("type", of: layerTypes) else { return nil }
        switch type {
        case "flatten":
            _ = reader.object(allowing: ["type", "name"])
            return .flatten
        default:
            let layer = reader.object(allowing: ["type", "name", "in_features", "out_features", "bias", "trainable"])
            guard let inFeatures = layer?.integer("in_features", in: 1...largestExtent),
                let outFeatures = layer?.integer("out_features", in: 1...largestExtent)
            else { return nil }
            if layer?.bool("trainable", default: true) == false {
                layer?.report("trainable", "must be true: a model needs a layer to train, and this is its only one")
            }
            let name = layer?.optionalString("name")
            if let name, name.isEmpty || name.contains("/") { layer?.report("name", "must not be empty or contain a slash") }
            return .linear(
                name: name, inFeatures: inFeatures, outFeatures: outFeatures, bias: layer?.bool("bias", default: true) ?? true)
        }
    }
}

extension SoftmaxRegression {
    /// The softmax regression that a spec describes: an optional `flatten`, then one linear layer, under cross entropy.
    /// - Throws: `JSONIssue` where it describes something else, or its layers do not fit each other.
    public init(_ spec: ModelSpec) throws(JSONIssue) {
        var width: Int?
        if let shape = spec.inputShape {
            var product = 1
            for extent in shape {
                let (next, overflow) = product.multipliedReportingOverflow(by: extent)
                guard !overflow else { throw JSONIssue(pointer: "/input_shape", detail: "the extents' product is too large") }
                product = next
            }
            width = product
        }
        var linear: (index: Int, name: String?, inFeatures: Int, outFeatures: Int, bias: Bool)?
        var isFlat = spec.inputShape.map { $0.count == 1 } ?? true
        for (index, layer) in spec.layers.enumerated() {
            switch layer {
            case .flatten:
                isFlat = true
            case .linear(let name, let inFeatures, let outFeatures, let bias):
                guard linear == nil else {
                    throw JSONIssue(
                        pointer: "/layers/\(index)", detail: "only one linear layer is supported: softmax regression")
                }
                guard isFlat else {
                    throw JSONIssue(
                        pointer: "/layers/\(index)",
                        detail: "gets examples of shape \(spec.inputShape ?? []); put a flatten layer before it")
                }
                linear = (index, name, inFeatures, outFeatures, bias)
            }
        }
        guard let linear else { throw JSONIssue(pointer: "/layers", detail: "needs a linear layer") }
        let place = "/layers/\(linear.index)"
        if let width, width != linear.inFeatures {
            throw JSONIssue(
                pointer: place + "/in_features",
                detail: "is \(linear.inFeatures), but input_shape \(spec.inputShape ?? []) makes \(width) features")
        }
        guard linear.outFeatures >= 2 else {
            throw JSONIssue(
                pointer: place + "/out_features", detail: "must be at least 2 for cross_entropy: one output for each class")
        }
        let (weights, overflow) = linear.inFeatures.multipliedReportingOverflow(by: linear.outFeatures)
        guard !overflow, weights <= Int(Int32.max) else {
            throw JSONIssue(
                pointer: place, detail: "\(linear.inFeatures) × \(linear.outFeatures) parameters are more than \(Int32.max)")
        }
        self.init(
            inputWidth: linear.inFeatures, classCount: linear.outFeatures, hasBias: linear.bias,
            layerName: linear.name ?? String(linear.index))
    }
}
