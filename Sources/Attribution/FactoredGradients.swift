public import LinearAlgebra
public import Networks

/// The gradients of all training examples at one checkpoint, kept as their two factors: gᵢ = rᵢ ⊗ x̃ᵢ.
///
/// A gradient of p = C·(D + 1) numbers takes C, beside the features that are there anyway; and its dot product with a vector S is
/// rᵢ · (S x̃ᵢ) (TracIn appendix F), so that no gradient is ever written out. Reads D stored numbers and C floats an example.
public struct FactoredGradients: TrainingGradients {
    /// The model whose gradients these are.
    public let model: SoftmaxRegression
    /// x, [n, D].
    public let features: FeatureRows
    /// r, [n, C].
    public let residuals: [Float]

    /// Gradients of given factors, one row each for every example.
    public init(model: SoftmaxRegression, features: FeatureRows, residuals: [Float]) {
        precondition(residuals.count == features.count * model.classCount, "one row of residuals for each example")
        self.model = model
        self.features = features
        self.residuals = residuals
    }

    /// n.
    public var count: Int { features.count }
    /// p.
    public var dimension: Int { model.parameterCount }
}
