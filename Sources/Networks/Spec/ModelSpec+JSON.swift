public import JSON

extension ModelSpec {
    /// Reads a spec.
    /// - Throws: every problem found, each with a pointer to its place.
    public init(_ json: JSON) throws(JSONIssues) {
        let reader = JSONReader(json)
        let object = reader.object(allowing: ["input_shape", "input_dtype", "layers", "loss", "weight_decay"])
        let shape = object?.optionalValue("input_shape")?.integers(count: 1...8, in: 1...LayerSpec.largestExtent)
        let type = object?.choice("input_dtype", of: ["float32", "int32"], default: "float32")
        let layers = (object?.array("layers", count: 1...1024) ?? []).compactMap { LayerSpec($0, depth: 0) }
        let loss = object?.value("loss", "an object")?.loss()
        let weightDecay = object?.number("weight_decay", default: 0, in: 0...1e6) ?? 0
        try reader.issues.check()
        self.init(
            inputShape: shape, inputType: type == "int32" ? .int32 : .float32, layers: layers,
            loss: loss ?? .crossEntropy(labelSmoothing: 0), weightDecay: weightDecay)
    }
}

extension JSONReader {
    /// The value as a loss.
    fileprivate func loss() -> LossSpec? {
        let types = ["cross_entropy", "binary_cross_entropy", "mean_squared_error", "smooth_hinge"]
        switch object()?.choice("type", of: types) {
        case "cross_entropy":
            let smoothing = object(allowing: ["type", "label_smoothing"])?.number("label_smoothing", default: 0, in: 0...1)
            return .crossEntropy(labelSmoothing: smoothing ?? 0)
        case "binary_cross_entropy":
            return object(allowing: ["type"]).map { _ in .binaryCrossEntropy }
        case "mean_squared_error":
            return object(allowing: ["type"]).map { _ in .meanSquaredError }
        case "smooth_hinge":
            return object(allowing: ["type", "temperature"])?.number("temperature", in: 1e-6...1e6).map {
                .smoothHinge(temperature: $0)
            }
        default: return nil
        }
    }
}
