public import LinearAlgebra

/// Examples with what a network is to say of them.
public struct LabeledExamples: Sendable {
    /// Inputs, [n, inputWidth].
    public let features: FeatureRows
    /// One for each example.
    public let targets: Targets
    /// What each example's loss is multiplied by; nil for 1 everywhere. With weights wᵢ the objective is
    /// F(θ) = (1/n) Σᵢ wᵢ·ℓ(zᵢ; θ) + (weight_decay/2)·‖θ‖², and gᵢ = wᵢ·∇ℓ(zᵢ; θ): score / n stays the change on removal.
    public let weights: [Float]?

    /// n.
    public var count: Int { features.count }

    /// Examples of given inputs, targets and weights, as many of each.
    public init(features: FeatureRows, targets: Targets, weights: [Float]? = nil) {
        precondition(
            targets.count == features.count && weights?.count ?? features.count == features.count, "one for each example")
        self.features = features
        self.targets = targets
        self.weights = weights
    }

    /// w of one example.
    @inline(__always)
    func weight(_ row: Int) -> Float { weights?[row] ?? 1 }
}

extension ExampleBatch {
    /// The example in a place of the batch.
    @inline(__always)
    func example(_ place: Int) -> Int {
        switch self {
        case .range(let rows): rows.lowerBound + place
        case .indices(let rows): Int(rows[place])
        }
    }
}
