/// A layer of a network by name: what it puts out can serve as features.
public struct NetworkLayer: Sendable, Equatable {
    /// What its tensors are named after, or would be if it had any: its name or its index, behind those of the residual blocks that
    /// it stands in ("2.body.0").
    public let name: String
    /// What it does, as specs have it ("linear").
    public let type: String
    /// Extents of what it puts out for one example.
    public let shape: [Int]
    /// Its output among the network's activations, of which the first is the input: that of a layer that has no step is the one before.
    let activation: Int

    /// Numbers that it puts out for one example.
    public var width: Int { shape.reduce(1, *) }

    /// The same layer in a network without the first steps.
    func moved(back steps: Int) -> NetworkLayer {
        NetworkLayer(name: name, type: type, shape: shape, activation: activation - steps)
    }
}

/// A network has no layer of some name.
public struct UnknownLayer: Error, Equatable, Sendable {
    /// What was asked for.
    public let name: String
    /// The layers that there are.
    public let layers: [NetworkLayer]

    /// Names that are listed, and characters of the one that was asked for.
    private static let (listed, quoted) = (40, 64)

    /// What is wrong, and which names work, with what the layers put out.
    public var detail: String {
        let known = layers.prefix(Self.listed).map { "\"\($0.name)\" (\($0.type), \($0.width))" }.joined(separator: ", ")
        let more = layers.count > Self.listed ? ", and \(layers.count - Self.listed) more" : ""
        let name = name.count > Self.quoted ? name.prefix(Self.quoted) + "…" : name[...]
        return "no layer is called \"\(name)\"; layers, first to last, and how many numbers each puts out: \(known)\(more)"
    }
}

extension Network {
    /// The layer of a name; of several the first.
    /// - Throws: `UnknownLayer` where there is none.
    public func layer(named name: String) throws(UnknownLayer) -> NetworkLayer {
        guard let layer = layers.first(where: { $0.name == name }) else { throw UnknownLayer(name: name, layers: layers) }
        return layer
    }

    /// The layer whose output the last layer with weights (linear, convolution or embedding) reads: the last hidden layer. nil where that
    /// reads the network's input.
    ///
    /// Layers that do nothing to the numbers count: of ReLU and flatten the latter.
    public var hiddenLayer: NetworkLayer? {
        guard let last = steps.lastIndex(where: \.operation.hasWeights), last > 0 else { return nil }
        return layers.last { $0.activation == last }
    }

    /// What leads to the output of a layer, one of `layers`: it has no steps where that is the input itself, in another shape perhaps.
    ///
    /// Whatever the layer stands in: of a residual block that it is inside, the layers before it. It goes by the parameters and the fixed
    /// tensors of the whole, and has no loss of its own.
    public func leading(to layer: NetworkLayer) -> Network { prefix(steps: layer.activation) }

    /// Whether outputs are inputs, there being no steps.
    public var isIdentity: Bool { steps.isEmpty }

    /// The first steps alone.
    func prefix(steps count: Int) -> Network {
        Network(
            inputShape: inputShape, tokenCount: tokenCount, outputWidth: count == 0 ? inputWidth : steps[count - 1].outputWidth,
            loss: .meanSquaredError, weightDecay: 0, tensors: tensors, parameterCount: parameterCount, fixedCount: fixedCount,
            layers: layers.filter { $0.activation <= count }, steps: Array(steps[..<count]),
            skips: skips[...count].map { $0.filter { $0 <= count } })
    }
}
