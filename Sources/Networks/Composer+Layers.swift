internal import JSON
internal import LinearAlgebra

// What each kind of layer becomes, and what it needs.
extension Composer {
    mutating func append(_ layer: LayerSpec, _ place: Place) throws(JSONIssue) {
        if inputType == .int32, tokenCount == nil, !layer.kind.takesTokens {
            throw place.issue("gets token ids; with input_dtype int32 the first layer must be embedding or mean_embedding")
        }
        let isTrained = layer.isTrainable
        switch layer.kind {
        case .dropout: break
        case .flatten: shape = [shape.product ?? 0]
        case .activation(let function): try append(.elementwise(ElementwiseStep(function: function)), to: shape, place)
        case .residual(let layers): try append(residual: layers, isTrained: isTrained, place)
        case .linear(let inFeatures, let outFeatures, let bias):
            try append(linear: inFeatures, outFeatures, bias, isTrained, place)
        case .conv2d(let inChannels, let outChannels, let window, let groups, let bias):
            try append(convolution: (inChannels, outChannels), window, groups, bias, isTrained, place)
        case .batchNorm(let dimensions, let features, let epsilon, let affine):
            try append(batchNorm: features, dimensions, epsilon, affine, isTrained, place)
        case .layerNorm(let normalized, let epsilon, let affine, let bias):
            try append(layerNorm: normalized, epsilon, affine, bias, isTrained, place)
        case .maxPool2d(let window, let ceilMode):
            let (channels, input) = try image(place)
            let output = try extents(of: window, on: input, ceilMode: ceilMode, place)
            try width(of: [channels, output.height, output.width], place)
            let step = MaxPoolStep(channels: channels, input: input, output: output, window: window)
            try append(.maxPool(step), to: [channels, output.height, output.width], place)
        case .avgPool2d(let window, let ceilMode, let countIncludePad, let divisor):
            let (channels, input) = try image(place)
            let output = try extents(of: window, on: input, ceilMode: ceilMode, place)
            try width(of: [channels, output.height, output.width], place)
            let spans = MeanPoolStep.spans(of: window, on: input, output: output, countIncludePad: countIncludePad)
            try append(meanPool: channels, input, output, spans, divisor, place)
        case .adaptiveAvgPool2d(let height, let width):
            let (channels, input) = try image(place)
            let output = LayerSpec.Pair(height ?? input.height, width ?? input.width)
            try self.width(of: [channels, output.height, output.width], place)
            try append(meanPool: channels, input, output, MeanPoolStep.adaptiveSpans(of: input, output: output), nil, place)
        case .embedding(let count, let width, let padding):
            let output = shape + [width]
            try append(embedding: count, width, padding, isMean: false, to: output, isTrained, place)
        case .meanEmbedding(let count, let width, let padding):
            guard shape.count == 1 else { throw place.issue(gets: shape, needs: "[tokens]") }
            try append(embedding: count, width, padding, isMean: true, to: [width], isTrained, place)
        }
    }

    private mutating func append(residual layers: [LayerSpec], isTrained: Bool, _ place: Place) throws(JSONIssue) {
        let (origin, entered) = (steps.count, shape)
        let body = isTrained ? layers : layers.map { LayerSpec($0.kind, name: $0.name, isTrainable: false) }
        try append(body, pointer: place.pointer + "/layers", prefix: place.name + ".body.")
        guard shape == entered else {
            throw place.issue("gets \(entered), but its layers put out \(shape); they must keep the shape, as both are added")
        }
        try append(.addition(AdditionStep(origin: origin)), to: shape, place)
    }

    private mutating func append(
        linear inFeatures: Int, _ outFeatures: Int, _ bias: Bool, _ isTrained: Bool, _ place: Place
    ) throws(JSONIssue) {
        guard shape.last == inFeatures else {
            let flat = shape.product == inFeatures ? "; put a flatten layer before it" : ""
            throw place.issue(gets: shape, needs: "[…, \(inFeatures)], as in_features is \(inFeatures)" + flat)
        }
        let weight = try tensor("weight", [outFeatures, inFeatures], isTrained: isTrained, place)
        let bias = bias ? try tensor("bias", [outFeatures], isTrained: isTrained, place) : nil
        let step = LinearStep(
            positions: shape.dropLast().reduce(1, *), inputs: inFeatures, outputs: outFeatures, weight: weight, bias: bias)
        try append(.linear(step), to: shape.dropLast() + [outFeatures], place)
    }

    private mutating func append(
        convolution channels: (inputs: Int, outputs: Int), _ window: LayerSpec.Window, _ groups: Int, _ bias: Bool,
        _ isTrained: Bool,
        _ place: Place
    ) throws(JSONIssue) {
        let (given, input) = try image(place)
        guard given == channels.inputs else {
            throw place.issue(gets: shape, needs: "[\(channels.inputs), height, width], as in_channels is \(channels.inputs)")
        }
        let output = try extents(of: window, on: input, ceilMode: false, place)
        try width(of: [channels.outputs, output.height, output.width], place)
        let working = ConvolutionStep.workingCount(
            inChannels: channels.inputs, outChannels: channels.outputs, input: input, output: output, window: window)
        guard working != nil else {
            throw place.issue(
                "gets \(shape), which is too large once padded, or its kernel is; use less padding or a smaller kernel")
        }
        let weightShape = [
            channels.outputs, channels.inputs / groups, window.kernel.height, window.kernel.width,
        ]
        let weight = try tensor("weight", weightShape, isTrained: isTrained, place)
        let bias = bias ? try tensor("bias", [channels.outputs], isTrained: isTrained, place) : nil
        let step = ConvolutionStep(
            inChannels: channels.inputs, outChannels: channels.outputs, groups: groups, input: input, output: output,
            window: window,
            weight: weight, bias: bias)
        try append(.convolution(step), to: [channels.outputs, output.height, output.width], place)
    }

    private mutating func append(
        batchNorm features: Int, _ dimensions: Int, _ epsilon: Double, _ affine: Bool, _ isTrained: Bool, _ place: Place
    ) throws(JSONIssue) {
        let fits = dimensions == 2 ? shape.count == 3 : shape.count == 1 || shape.count == 2
        guard fits, shape[0] == features else {
            let needs = dimensions == 2 ? "[\(features), height, width]" : "[\(features)] or [\(features), length]"
            throw place.issue(gets: shape, needs: needs + ", as num_features is \(features)")
        }
        let weight = affine ? try tensor("weight", [features], isTrained: isTrained, place) : nil
        let bias = affine ? try tensor("bias", [features], isTrained: isTrained, place) : nil
        let mean = try tensor("running_mean", [features], isTrained: false, place)
        let variance = try tensor("running_var", [features], isTrained: false, place)
        let step = BatchNormStep(
            channels: features, spatial: shape.dropFirst().reduce(1, *), epsilon: epsilon, mean: mean, variance: variance,
            weight: weight, bias: bias)
        try append(.batchNorm(step), to: shape, place)
    }

    private mutating func append(
        layerNorm normalized: [Int], _ epsilon: Double, _ affine: Bool, _ bias: Bool, _ isTrained: Bool, _ place: Place
    ) throws(JSONIssue) {
        guard shape.count >= normalized.count, Array(shape.suffix(normalized.count)) == normalized else {
            throw place.issue(gets: shape, needs: "extents that end in \(normalized), as normalized_shape says")
        }
        let weight = affine ? try tensor("weight", normalized, isTrained: isTrained, place) : nil
        let bias = affine && bias ? try tensor("bias", normalized, isTrained: isTrained, place) : nil
        let step = LayerNormStep(
            positions: shape.dropLast(normalized.count).reduce(1, *), width: normalized.reduce(1, *), epsilon: epsilon,
            weight: weight, bias: bias)
        try append(.layerNorm(step), to: shape, place)
    }

    private mutating func append(
        meanPool channels: Int, _ input: LayerSpec.Pair, _ output: LayerSpec.Pair,
        _ spans: (vertical: [MeanPoolStep.Span], horizontal: [MeanPoolStep.Span]), _ divisor: Int?, _ place: Place
    ) throws(JSONIssue) {
        let step = MeanPoolStep(
            channels: channels, input: input, output: output, vertical: spans.vertical, horizontal: spans.horizontal,
            divisor: divisor)
        try append(.meanPool(step), to: [channels, output.height, output.width], place)
    }

    private mutating func append(
        embedding count: Int, _ width: Int, _ padding: Int?, isMean: Bool, to output: [Int], _ isTrained: Bool, _ place: Place
    ) throws(JSONIssue) {
        guard inputType == .int32, tokenCount == nil, steps.isEmpty else {
            throw place.issue("takes token ids: it must come first, with \"input_dtype\": \"int32\"")
        }
        tokenCount = count
        let weight = try tensor("weight", [count, width], isTrained: isTrained, place)
        let step = EmbeddingStep(
            positions: shape.reduce(1, *), count: count, width: width, padding: padding, isMean: isMean, weight: weight)
        try append(.embedding(step), to: output, place)
    }

    /// The shape as channels, height and width.
    private func image(_ place: Place) throws(JSONIssue) -> (channels: Int, extents: LayerSpec.Pair) {
        guard shape.count == 3 else { throw place.issue(gets: shape, needs: "[channels, height, width]") }
        return (shape[0], LayerSpec.Pair(shape[1], shape[2]))
    }

    private func extents(
        of window: LayerSpec.Window, on input: LayerSpec.Pair, ceilMode: Bool, _ place: Place
    ) throws(JSONIssue) -> LayerSpec.Pair {
        guard let output = window.outputExtents(of: input, ceilMode: ceilMode) else {
            let (kernel, padding) = (window.kernel, window.padding)
            throw place.issue(
                "gets \(shape); its kernel of \(kernel.height) × \(kernel.width), with dilation \(window.dilation.height) × "
                    + "\(window.dilation.width), must fit into height and width with padding \(padding.height) × "
                    + "\(padding.width) on each side")
        }
        return output
    }
}

extension LayerSpec.Kind {
    /// Its name in a spec.
    var typeName: String {
        switch self {
        case .linear: "linear"
        case .conv2d: "conv2d"
        case .batchNorm(let dimensions, _, _, _): "batch_norm\(dimensions)d"
        case .layerNorm: "layer_norm"
        case .activation(let function): function.typeName
        case .maxPool2d: "max_pool2d"
        case .avgPool2d: "avg_pool2d"
        case .adaptiveAvgPool2d: "adaptive_avg_pool2d"
        case .flatten: "flatten"
        case .dropout: "dropout"
        case .residual: "residual"
        case .embedding: "embedding"
        case .meanEmbedding: "mean_embedding"
        }
    }

    fileprivate var takesTokens: Bool {
        switch self {
        case .embedding, .meanEmbedding: true
        default: false
        }
    }
}

extension ElementwiseFunction {
    fileprivate var typeName: String {
        switch self {
        case .relu: "relu"
        case .leakyReLU: "leaky_relu"
        case .tanh: "tanh"
        case .sigmoid: "sigmoid"
        case .silu: "silu"
        case .gelu, .geluTanh: "gelu"
        case .softplus: "softplus"
        }
    }
}

extension Operation {
    /// Whether it is a layer in the sense of "the last layer": one that mixes its inputs by weights.
    var hasWeights: Bool {
        switch self {
        case .linear, .convolution, .embedding: true
        case .batchNorm, .layerNorm, .elementwise, .maxPool, .meanPool, .addition: false
        }
    }

    /// Whether outputs are affine in the inputs.
    var isAffine: Bool {
        switch self {
        case .linear, .convolution, .batchNorm, .meanPool, .addition: true
        case .elementwise, .layerNorm, .maxPool, .embedding: false
        }
    }
}
