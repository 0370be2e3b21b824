public import LinearAlgebra

// What layers inside of a network make of examples.
extension TrainedNetwork {
    /// What leads to the output of the layer of a name (see `Network.layers`), with weights or without, trained or frozen.
    /// - Throws: `UnknownLayer`, which lists the names that there are.
    public func outputs(ofLayer name: String) throws(UnknownLayer) -> TrainedNetwork {
        leading(to: try network.layer(named: name))
    }

    /// What leads to the output of `network.hiddenLayer`, the input of the last layer with weights; nil where that is the network's own.
    public var hidden: TrainedNetwork? { network.hiddenLayer.map(leading) }

    private func leading(to layer: NetworkLayer) -> TrainedNetwork {
        TrainedNetwork(network.leading(to: layer), sharing: computation)
    }

    /// Outputs of every row as rows of features; the rows themselves where there is nothing to compute.
    /// - Throws: `Interrupted`.
    public func outputRows(
        of features: FeatureRows, parallel: Parallel = Parallel(threads: 1), interruption: Interruption = .never
    ) throws -> FeatureRows {
        guard !network.isIdentity else { return features }
        let outputs = try outputs(of: features, parallel: parallel, interruption: interruption)
        return FeatureRows(.float32(outputs), count: features.count, width: network.outputWidth)
    }
}
