extension SoftmaxRegression {
    /// The softmax regression that a network is, nil where it is none: one linear layer over all of its input, trained, under plain
    /// cross entropy. It then has kernels of its own, which read features as they are stored.
    public init?(_ network: Network) {
        guard network.steps.count == 1, case .linear(let linear) = network.steps[0].operation, linear.positions == 1,
            network.steps[0].isTrained, network.loss == .crossEntropy(labelSmoothing: 0)
        else { return nil }
        self.init(
            inputWidth: linear.inputs, classCount: linear.outputs, hasBias: linear.bias != nil,
            layerName: network.steps[0].name)
    }
}
