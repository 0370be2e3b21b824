/// The last layer of a network, where it is linear and nothing follows it: outputs = W·h + b of the features h that reach it.
public struct OutputLayer: Sendable, Equatable {
    /// What its tensors are named after.
    public let name: String
    /// D: numbers that reach it.
    public let inputs: Int
    /// C: the network's outputs.
    public let outputs: Int
    /// Whether it has biases.
    public let hasBias: Bool
    private let weight: TensorSlot
    private let bias: TensorSlot?

    fileprivate init(_ kernel: LinearStep, named name: String) {
        self.name = name
        (inputs, outputs, hasBias) = (kernel.inputs, kernel.outputs, kernel.bias != nil)
        (weight, bias) = (kernel.weight, kernel.bias)
    }

    /// Numbers in W and b.
    public var parameterCount: Int { outputs * (inputs + (hasBias ? 1 : 0)) }

    /// Where W and b lie: among what is trained, or what is fixed.
    var slots: [TensorSlot] { [weight] + (bias.map { [$0] } ?? []) }
}

/// Why a network's last layer is not linear.
public struct OutputLayerFlaw: Error, Equatable, Sendable, CustomStringConvertible {
    /// What stands at the network's end, in a sentence.
    public let description: String
}

extension Network {
    /// The linear layer, trained or not, that puts out the network's outputs. Flattening and dropout, which do nothing, may follow it.
    /// - Throws: `OutputLayerFlaw` where the outputs come out of something else.
    public func outputLayer() throws(OutputLayerFlaw) -> OutputLayer {
        guard let last = steps.last else { throw OutputLayerFlaw(description: "the model has no layer that does anything") }
        guard case .linear(let kernel) = last.operation else {
            throw OutputLayerFlaw(description: "the model's outputs come out of layer '\(last.name)', \(last.operation.noun)")
        }
        guard kernel.positions == 1 else {
            throw OutputLayerFlaw(
                description: "the last layer, '\(last.name)', is linear but applied to \(kernel.positions) rows of each example, "
                    + "whose outputs share its weights")
        }
        return OutputLayer(kernel, named: last.name)
    }
}

extension TrainedNetwork {
    /// W [C, D] and then b [C] of the output layer.
    public func parameters(of layer: OutputLayer) -> [Float] {
        let parameters = computation.parameters
        return layer.slots.flatMap { Array(UnsafeBufferPointer(start: $0.pointer(in: parameters), count: $0.count)) }
    }
}

extension Operation {
    /// What it is, in words.
    fileprivate var noun: String {
        switch self {
        case .linear: "a linear layer"
        case .convolution: "a convolution"
        case .elementwise: "an activation"
        case .batchNorm, .layerNorm: "a normalization"
        case .maxPool, .meanPool: "a pooling"
        case .addition: "the end of a residual block"
        case .embedding: "an embedding"
        }
    }
}
