internal import LinearAlgebra
public import Networks

/// A model's linear last layer, trained again with an L2 term until it is stationary: what the representer theorem speaks of (Yeh et al.
/// 2018, Representer Point Selection, theorem 3.1; TracIn, appendix A.2).
///
///     θ* = (W, b) = argmin (1/n) Σ wᵢ·ℓ(W·hᵢ + b, yᵢ) + (λ/2)·‖(W, b)‖²
///
/// h being what reaches the layer, which all other layers make as they did. The bias is under the L2 term too: it is one more weight, on a
/// feature that is always 1, and the theorem speaks of h̃ = (h, 1). TracIn writes the term as λ‖w‖²; this λ is twice that one, and is what
/// `weight_decay` is of models.
public struct RetrainedLayer: Sendable {
    /// The layer at θ*, as a network of its own on features h. Its weight decay is λ.
    public let network: TrainedNetwork
    /// n.
    public let exampleCount: Int
    /// ‖∇‖ of the objective at θ*.
    public let gradientNorm: Double
    /// Newton steps that were made.
    public let steps: Int
    /// How far the outputs have moved.
    public let shift: OutputShift

    /// λ.
    public var decay: Double { network.network.weightDecay }

    /// ‖∇‖/(λ‖θ*‖): the share of θ*, and about that of outputs, that is no example's. Of an exactly stationary layer 0.
    public var unattributed: Double {
        let pull = decay * Vectors.norm(network.parameters)
        return gradientNorm == 0 ? 0 : gradientNorm / pull
    }

    init(network: TrainedNetwork, exampleCount: Int, gradientNorm: Double, steps: Int, shift: OutputShift) {
        self.network = network
        self.exampleCount = exampleCount
        self.gradientNorm = gradientNorm
        self.steps = steps
        self.shift = shift
    }

    /// The L2 strength: the one that is given, or else the model's weight decay.
    /// - Throws: `RepresenterError.noDecay`, `.invalidDecay`.
    public static func decay(_ given: Double?, of network: Network) throws(RepresenterError) -> Double {
        let decay = given ?? network.weightDecay
        guard given != nil || decay > 0 else { throw .noDecay }
        guard decay > 0, Float(decay).isNormal, (1 / Float(decay)).isNormal else { throw .invalidDecay(decay) }
        return decay
    }

    /// A network of the layer alone.
    static func network(
        of layer: OutputLayer, loss: LossSpec, decay: Double, parameters: [Float]
    ) throws -> TrainedNetwork {
        let kind = LayerSpec.Kind.linear(inFeatures: layer.inputs, outFeatures: layer.outputs, bias: layer.hasBias)
        let network = try Network(ModelSpec(layers: [LayerSpec(kind)], loss: loss, weightDecay: decay))
        return TrainedNetwork(network, parameters: parameters)
    }
}
