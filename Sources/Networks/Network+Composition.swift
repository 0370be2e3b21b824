public import JSON
internal import LinearAlgebra

extension Network {
    /// The network that a spec describes.
    /// - Parameter exampleShape: extents of an example where neither the spec nor its first layers say them.
    /// - Throws: `JSONIssue` naming the layer that does not fit, the shape it gets and the shape it needs.
    public init(_ spec: ModelSpec, exampleShape: [Int]? = nil) throws(JSONIssue) {
        let implied = spec.inputShape ?? spec.layers.impliedShape(throughFlatten: false)
        guard let shape = implied ?? exampleShape ?? spec.layers.impliedShape(throughFlatten: true) else {
            throw JSONIssue(pointer: "/input_shape", detail: "is missing; the first layer does not imply it")
        }
        var composer = Composer(shape: shape, inputType: spec.inputType)
        guard let width = shape.product, width <= Composer.largestWidth else {
            throw JSONIssue(pointer: "/input_shape", detail: "makes more than \(Composer.largestWidth) numbers an example")
        }
        composer.activationWidth = width
        try composer.append(spec.layers, pointer: "/layers", prefix: "")
        if spec.inputType == .int32, composer.tokenCount == nil {
            throw JSONIssue(pointer: "/input_dtype", detail: "is int32, which only embedding and mean_embedding take")
        }
        guard composer.trainedCount > 0 else {
            throw JSONIssue(
                pointer: "/layers", detail: "no layer has parameters that are trained; leave \"trainable\": false out of one")
        }
        let outputWidth = try Self.outputWidth(of: composer.shape, for: spec.loss)
        var skips = Array(repeating: [Int](), count: composer.steps.count + 1)
        for (index, step) in composer.steps.enumerated() {
            if case .addition(let addition) = step.operation { skips[addition.origin].append(index + 1) }
        }
        self.init(
            inputShape: shape, tokenCount: composer.tokenCount, outputWidth: outputWidth, loss: spec.loss,
            weightDecay: spec.weightDecay, tensors: composer.tensors, parameterCount: composer.trainedCount,
            fixedCount: composer.fixedCount, layers: composer.layers, steps: composer.steps, skips: skips)
    }

    private static func outputWidth(of shape: [Int], for loss: LossSpec) throws(JSONIssue) -> Int {
        switch loss {
        case .crossEntropy:
            guard shape.count == 1, shape[0] >= 2 else {
                throw JSONIssue(
                    pointer: "/layers",
                    detail: "the last layer puts out \(shape); cross_entropy needs one extent, with an output for each of at "
                        + "least 2 classes")
            }
            return shape[0]
        case .binaryCrossEntropy, .meanSquaredError, .smoothHinge:
            guard shape == [1] else {
                throw JSONIssue(
                    pointer: "/layers",
                    detail: "the last layer puts out \(shape); binary_cross_entropy, mean_squared_error and smooth_hinge need [1]"
                )
            }
            return 1
        }
    }

    /// Whether outputs are affine in θ, so that F is convex in it: every loss is convex in the outputs.
    public var isConvex: Bool {
        guard let first = steps.firstIndex(where: \.isTrained) else { return true }
        // Every kind of step is affine in its own tensors.
        return steps[first...].dropFirst().allSatisfy { !$0.isTrained && $0.operation.isAffine }
    }
}

/// Puts steps together, layer by layer.
struct Composer {
    /// Numbers that an example may become anywhere: 256 MiB of them in single precision.
    static let largestWidth = 1 << 26
    /// Numbers in θ, and in what is fixed.
    static let largestCount = Int(Int32.max)

    /// What the next layer gets.
    var shape: [Int]
    let inputType: ModelSpec.InputType
    var steps: [Step] = []
    private(set) var layers: [NetworkLayer] = []
    var tensors: [NetworkTensor] = []
    var trainedCount = 0
    /// Where in θ the tensors of the step that is being made begin.
    private var stepBegin = 0
    var fixedCount = 0
    var tokenCount: Int?
    /// Numbers of all activations of an example so far.
    var activationWidth = 0

    init(shape: [Int], inputType: ModelSpec.InputType) {
        self.shape = shape
        self.inputType = inputType
    }

    /// Appends layers whose tensors' names begin with `prefix`.
    mutating func append(_ layers: [LayerSpec], pointer: String, prefix: String) throws(JSONIssue) {
        var names: Set<String> = []
        for (index, layer) in layers.enumerated() {
            let name = layer.name ?? String(index)
            guard names.insert(name).inserted else {
                throw JSONIssue(pointer: "\(pointer)/\(index)/name", detail: "\"\(name)\" is what another layer is called")
            }
            let place = Place(pointer: "\(pointer)/\(index)", name: prefix + name, type: layer.kind.typeName)
            try append(layer, place)
            self.layers.append(NetworkLayer(name: place.name, type: place.type, shape: shape, activation: steps.count))
        }
    }

    /// Where a layer stands, and what it is called.
    struct Place {
        let pointer, name, type: String

        /// An issue with the layer.
        func issue(_ detail: String) -> JSONIssue { JSONIssue(pointer: pointer, detail: "layer '\(name)' (\(type)) \(detail)") }

        /// The layer can't take what it gets.
        func issue(gets shape: [Int], needs: String) -> JSONIssue { issue("gets \(shape); it needs \(needs)") }
    }

    /// The width of an output that there is room for: asked before a step is made, as steps prepare for every row and column.
    @discardableResult
    func width(of output: [Int], _ place: Place) throws(JSONIssue) -> Int {
        guard let width = output.product, width <= Self.largestWidth, activationWidth + width <= Self.largestWidth else {
            throw place.issue(
                "puts out \(output), with which an example takes more than \(Self.largestWidth) numbers on its way; use smaller layers"
            )
        }
        return width
    }

    /// Adds a step that puts out `output`.
    mutating func append(_ operation: Operation, to output: [Int], _ place: Place) throws(JSONIssue) {
        let width = try width(of: output, place)
        activationWidth += width
        steps.append(
            Step(
                operation: operation, inputWidth: shape.product ?? 0, outputWidth: width, trained: stepBegin..<trainedCount,
                pointer: place.pointer, name: place.name))
        shape = output
        stepBegin = trainedCount
    }

    /// Adds a tensor, which is part of θ if `isTrained`.
    mutating func tensor(_ name: String, _ shape: [Int], isTrained: Bool, _ place: Place) throws(JSONIssue) -> TensorSlot {
        let offset = isTrained ? trainedCount : fixedCount
        guard let count = shape.product, count <= Self.largestCount - offset else {
            throw place.issue("has a \(name) of \(shape), with which the model has more than \(Self.largestCount) parameters")
        }
        let slot = TensorSlot(isTrained: isTrained, offset: offset, count: count)
        if isTrained { trainedCount += count } else { fixedCount += count }
        tensors.append(NetworkTensor(name: "\(place.name).\(name)", shape: shape, slot: slot))
        return slot
    }
}

extension [Int] {
    /// The product of extents; nil where it overflows.
    var product: Int? {
        var product = 1
        for extent in self {
            let (next, overflow) = product.multipliedReportingOverflow(by: extent)
            guard !overflow else { return nil }
            product = next
        }
        return product
    }
}

extension [LayerSpec] {
    /// Extents of an example as the first layer that knows them says; behind a `flatten` it knows no more than their product.
    fileprivate func impliedShape(throughFlatten: Bool) -> [Int]? {
        for layer in self {
            switch layer.kind {
            case .linear(let inFeatures, _, _): return [inFeatures]
            case .batchNorm(dimensions: 1, let features, _, _): return [features]
            case .layerNorm(let shape, _, _, _): return shape
            case .residual(let layers): return layers.impliedShape(throughFlatten: throughFlatten)
            case .activation, .dropout: continue
            case .flatten where throughFlatten: continue
            default: return nil
            }
        }
        return nil
    }
}
