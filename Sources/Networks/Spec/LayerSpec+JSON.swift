internal import JSON
internal import LinearAlgebra

extension LayerSpec {
    /// The largest extent of anything: products of two of them still fit an `Int`.
    static let largestExtent = 1 << 30
    /// How deep residual blocks may lie in each other.
    private static let deepestNesting = 8

    /// What reads the fields of each type of layer.
    private static let types: [(name: String, fields: [String], read: @Sendable (JSONObjectReader, Int) -> Kind?)] = [
        ("linear", ["in_features", "out_features", "bias"], { layer, _ in linear(layer) }),
        (
            "conv2d",
            [
                "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias",
                "padding_mode",
            ], { layer, _ in convolution(layer) }
        ),
        (
            "batch_norm1d", ["num_features", "eps", "momentum", "affine", "track_running_stats"],
            { layer, _ in batchNorm(layer, dimensions: 1) }
        ),
        (
            "batch_norm2d", ["num_features", "eps", "momentum", "affine", "track_running_stats"],
            { layer, _ in batchNorm(layer, dimensions: 2) }
        ),
        ("layer_norm", ["normalized_shape", "eps", "elementwise_affine", "bias"], { layer, _ in layerNorm(layer) }),
        ("relu", ["inplace"], { _, _ in .activation(.relu) }),
        (
            "leaky_relu", ["negative_slope", "inplace"],
            { layer, _ in .activation(.leakyReLU(slope: Float(layer.number("negative_slope", default: 0.01, in: -1e6...1e6)))) }
        ),
        (
            "gelu", ["approximate"],
            { layer, _ in
                .activation(layer.choice("approximate", of: ["none", "tanh"], default: "none") == "tanh" ? .geluTanh : .gelu)
            }
        ),
        ("silu", ["inplace"], { _, _ in .activation(.silu) }),
        ("tanh", [], { _, _ in .activation(.tanh) }),
        ("sigmoid", [], { _, _ in .activation(.sigmoid) }),
        (
            "softplus", ["beta", "threshold"],
            { layer, _ in
                .activation(
                    .softplus(
                        beta: Float(layer.number("beta", default: 1, in: 1e-6...1e6)),
                        threshold: Float(layer.number("threshold", default: 20, in: 0...1e6))))
            }
        ),
        (
            "max_pool2d", ["kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"],
            { layer, _ in
                layer.forbid("return_indices", but: false)
                return layer.window(poolingWith: "max_pool2d").map {
                    .maxPool2d($0, ceilMode: layer.bool("ceil_mode", default: false))
                }
            }
        ),
        (
            "avg_pool2d", ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"],
            { layer, _ in
                layer.window(poolingWith: "avg_pool2d").map {
                    .avgPool2d(
                        $0, ceilMode: layer.bool("ceil_mode", default: false),
                        countIncludePad: layer.bool("count_include_pad", default: true),
                        divisor: layer.optionalInteger("divisor_override", in: 1...largestExtent))
                }
            }
        ),
        ("adaptive_avg_pool2d", ["output_size"], { layer, _ in adaptivePool(layer) }),
        (
            "flatten", ["start_dim", "end_dim"],
            { layer, _ in
                _ = layer.integer("start_dim", default: 1, in: 1...1)
                _ = layer.integer("end_dim", default: -1, in: -1 ... -1)
                return .flatten
            }
        ),
        (
            "dropout", ["p", "inplace"],
            { layer, _ in
                _ = layer.number("p", default: 0.5, in: 0...1)
                return .dropout
            }
        ),
        ("residual", ["layers"], { layer, depth in residual(layer, depth: depth) }),
        (
            "embedding", ["num_embeddings", "embedding_dim", "padding_index", "padding_idx"],
            { layer, _ in
                layer.embedding().map { .embedding(count: $0.count, width: $0.width, padding: $0.padding) }
            }
        ),
        (
            "mean_embedding", ["num_embeddings", "embedding_dim", "padding_index", "padding_idx"],
            { layer, _ in
                layer.embedding(paddingUnlessSaid: 0).map {
                    .meanEmbedding(count: $0.count, width: $0.width, padding: $0.padding)
                }
            }
        ),
    ]

    /// Reads a layer that lies `depth` residual blocks deep.
    init?(_ reader: JSONReader, depth: Int) {
        guard let type = reader.object()?.choice("type", of: Self.types.map(\.name)),
            let known = Self.types.first(where: { $0.name == type }),
            let layer = reader.object(allowing: ["type", "name", "trainable"] + known.fields)
        else { return nil }
        let name = layer.optionalString("name")
        if let name, name.isEmpty || name.utf8.count > 128 || !name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != 0x2F }) {
            layer.report("name", "must have 1 to 128 bytes, without spaces, slashes and control characters")
        }
        guard let kind = known.read(layer, depth) else { return nil }
        self.init(kind, name: name, isTrainable: layer.bool("trainable", default: true))
    }

    private static func linear(_ layer: JSONObjectReader) -> Kind? {
        let (inputs, outputs) = (layer.extent("in_features"), layer.extent("out_features"))
        guard let inputs, let outputs else { return nil }
        return .linear(inFeatures: inputs, outFeatures: outputs, bias: layer.bool("bias", default: true))
    }

    private static func convolution(_ layer: JSONObjectReader) -> Kind? {
        _ = layer.choice("padding_mode", of: ["zeros"], default: "zeros")
        let (inputs, outputs) = (layer.extent("in_channels"), layer.extent("out_channels"))
        let groups = layer.integer("groups", default: 1, in: 1...largestExtent)
        guard let inputs, let outputs, let window = layer.window(strideUnlessSaid: Pair(1)) else { return nil }
        for (field, channels) in [("in_channels", inputs), ("out_channels", outputs)] where !channels.isMultiple(of: groups) {
            layer.report("groups", "must divide \(field), which is \(channels); got \(groups)")
            return nil
        }
        return .conv2d(
            inChannels: inputs, outChannels: outputs, window: window, groups: groups, bias: layer.bool("bias", default: true))
    }

    private static func batchNorm(_ layer: JSONObjectReader, dimensions: Int) -> Kind? {
        layer.forbid("track_running_stats", but: true)
        _ = layer.optionalNumber("momentum", in: 0...1)
        guard let features = layer.extent("num_features") else { return nil }
        return .batchNorm(
            dimensions: dimensions, features: features, epsilon: layer.number("eps", default: 1e-5, in: 0...1e6),
            affine: layer.bool("affine", default: true))
    }

    private static func layerNorm(_ layer: JSONObjectReader) -> Kind? {
        guard let value = layer.value("normalized_shape", "an extent or several") else { return nil }
        let shape =
            value.json.arrayValue == nil
            ? value.integer(in: 1...largestExtent).map { [$0] } : value.integers(count: 1...8, in: 1...largestExtent)
        guard let shape else { return nil }
        return .layerNorm(
            shape: shape, epsilon: layer.number("eps", default: 1e-5, in: 0...1e6),
            affine: layer.bool("elementwise_affine", default: true), bias: layer.bool("bias", default: true))
    }

    private static func adaptivePool(_ layer: JSONObjectReader) -> Kind? {
        guard let value = layer.value("output_size", "an extent or [height, width]") else { return nil }
        guard let extents = value.json.arrayValue else {
            return value.integer(in: 1...largestExtent).map { .adaptiveAvgPool2d(height: $0, width: $0) }
        }
        guard extents.count == 2 else {
            value.report("must be an extent or [height, width]; got \(extents.count) values")
            return nil
        }
        // A null keeps the extent, as PyTorch's None does.
        let read = (value.array(count: 2...2) ?? []).map { $0.json.isNull ? nil : $0.integer(in: 1...largestExtent) }
        return .adaptiveAvgPool2d(height: read.first ?? nil, width: read.last ?? nil)
    }

    private static func residual(_ layer: JSONObjectReader, depth: Int) -> Kind? {
        guard depth < deepestNesting else {
            layer.report("residual blocks may lie at most \(deepestNesting) deep in each other")
            return nil
        }
        guard let inner = layer.array("layers", count: 1...1024) else { return nil }
        return .residual(inner.compactMap { LayerSpec($0, depth: depth + 1) })
    }
}

extension JSONObjectReader {
    /// A positive extent.
    fileprivate func extent(_ key: String) -> Int? { integer(key, in: 1...LayerSpec.largestExtent) }

    /// Reports a member that says something else than all that is supported.
    fileprivate func forbid(_ key: String, but supported: Bool) {
        if bool(key, default: supported) != supported { report(key, "must be \(supported): the other is not supported") }
    }

    /// One number for height and width, or one for each.
    fileprivate func pair(_ key: String, default standard: LayerSpec.Pair?, in range: ClosedRange<Int>) -> LayerSpec.Pair? {
        guard let reader = optionalValue(key) else {
            if standard == nil { report(key, "is missing; an integer, or one for height and one for width, is required") }
            return standard
        }
        guard reader.json.arrayValue != nil else { return reader.integer(in: range).map { LayerSpec.Pair($0) } }
        return reader.integers(count: 2...2, in: range).map { LayerSpec.Pair($0[0], $0[$0.count - 1]) }
    }

    /// The window of a convolution, or of a pooling layer.
    fileprivate func window(strideUnlessSaid stride: LayerSpec.Pair?) -> LayerSpec.Window? {
        let extents = 1...LayerSpec.largestExtent
        guard let kernel = pair("kernel_size", default: nil, in: extents),
            let stride = pair("stride", default: stride ?? kernel, in: extents),
            let dilation = pair("dilation", default: LayerSpec.Pair(1), in: extents),
            let padding = padding(kernel: kernel, stride: stride, dilation: dilation)
        else { return nil }
        return LayerSpec.Window(kernel: kernel, stride: stride, padding: padding, dilation: dilation)
    }

    /// The window of a pooling layer: its stride is its kernel unless said, and its padding at most half of that.
    fileprivate func window(poolingWith type: String) -> LayerSpec.Window? {
        guard let window = window(strideUnlessSaid: nil) else { return nil }
        guard 2 * window.padding.height <= window.kernel.height, 2 * window.padding.width <= window.kernel.width else {
            report("padding", "must be at most half of kernel_size in \(type)")
            return nil
        }
        return window
    }

    private func padding(kernel: LayerSpec.Pair, stride: LayerSpec.Pair, dilation: LayerSpec.Pair) -> LayerSpec.Pair? {
        guard case .string(let text)? = members["padding"] else {
            return pair("padding", default: LayerSpec.Pair(0), in: 0...LayerSpec.largestExtent)
        }
        switch text {
        case "valid": return LayerSpec.Pair(0)
        case "same":
            let (height, width) = (dilation.height * (kernel.height - 1), dilation.width * (kernel.width - 1))
            guard stride == LayerSpec.Pair(1), height.isMultiple(of: 2), width.isMultiple(of: 2) else {
                report("padding", "\"same\" needs stride 1 and as many zeros on each side; say the numbers, or pad the inputs")
                return nil
            }
            return LayerSpec.Pair(height / 2, width / 2)
        default:
            report("padding", "must be an integer, one for height and one for width, \"same\" or \"valid\"; got \"\(text)\"")
            return nil
        }
    }

    /// The fields of an embedding. `padding_idx` is PyTorch's name for `padding_index`.
    fileprivate func embedding(paddingUnlessSaid padding: Int? = nil) -> (count: Int, width: Int, padding: Int?)? {
        // Ids pass through single precision, which is exact up to 2²⁴.
        let (count, width) = (integer("num_embeddings", in: 1...1 << 24), extent("embedding_dim"))
        guard let count, let width else { return nil }
        let said = ["padding_index", "padding_idx"].filter(has)
        if said.count == 2 { report("padding_idx", "says the same as padding_index; leave one out") }
        let index = said.first.map { integer($0, default: 0, in: -count...count - 1) } ?? padding
        return (count, width, index.map { $0 < 0 ? $0 + count : $0 })
    }
}
