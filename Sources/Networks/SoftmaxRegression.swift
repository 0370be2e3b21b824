internal import LinearAlgebra

/// Softmax regression: out = x·Wᵀ + b, p = softmax(out), ℓ = −log p[y]; convex in θ = (W row by row, then b).
///
/// With r = p − onehot(y) and x̃ = (x, 1), per example:
///
///     ∇ℓ  = r ⊗ x̃                                  (rank one: kept as its two factors)
///     ∇²ℓ = (diag(p) − p pᵀ) ⊗ x̃ x̃ᵀ                (Koh & Liang 2017, section 4.1, for C classes)
///
/// The second is also the Gauss-Newton matrix and the true Fisher, as the outputs are linear in θ.
public struct SoftmaxRegression: Sendable, Equatable {
    /// Features of one example.
    public let inputWidth: Int
    /// C, at least 2.
    public let classCount: Int
    /// Whether each class has a bias.
    public let hasBias: Bool

    /// p: numbers in θ.
    public var parameterCount: Int { classCount * (inputWidth + (hasBias ? 1 : 0)) }

    /// A regression of so many features, at least 1, to so many classes, at least 2.
    public init(inputWidth: Int, classCount: Int, hasBias: Bool) {
        precondition(inputWidth > 0 && classCount > 1, "a softmax regression needs features and two classes")
        self.inputWidth = inputWidth
        self.classCount = classCount
        self.hasBias = hasBias
    }

    /// The softmax regression that a network is, nil where it is none: one linear layer over all of its input, trained, under plain
    /// cross entropy. It then has kernels of its own, which read features as they are stored.
    public init?(_ network: Network) {
        guard network.steps.count == 1, case .linear(let linear) = network.steps[0].operation, linear.positions == 1,
            network.steps[0].isTrained, network.loss == .crossEntropy(labelSmoothing: 0)
        else { return nil }
        self.init(inputWidth: linear.inputs, classCount: linear.outputs, hasBias: linear.bias != nil)
    }

    /// outputs ← x·Wᵀ + b for the rows of a tile: [rows, C].
    @inline(__always)
    func outputs(
        _ parameters: UnsafePointer<Float>, of tile: RowTile, in features: FeatureRows,
        into outputs: UnsafeMutablePointer<Float>
    ) {
        features.project(tile, on: parameters, vectorCount: classCount, into: outputs)
        let bias = parameters + classCount * inputWidth
        let multiplier = features.multiplier
        for row in 0..<tile.count {
            let output = outputs + row * classCount
            if hasBias {
                for c in 0..<classCount { output[c] = multiplier * output[c] + bias[c] }
            } else {
                for c in 0..<classCount { output[c] *= multiplier }
            }
        }
    }

    /// gradient ← β·gradient + addend + α · Σ_rows weightᵢ ⊗ x̃ᵢ, for output weights [rows, C] of the rows of a tile, which are scaled in place.
    @inline(__always)
    func accumulate(
        _ outputWeights: UnsafeMutablePointer<Float>, of tile: RowTile, in features: FeatureRows, alpha: Float, beta: Float,
        plus addend: UnsafePointer<Float>? = nil, into gradient: UnsafeMutablePointer<Float>
    ) {
        if hasBias {
            let bias = gradient + classCount * inputWidth
            for c in 0..<classCount {
                var sum: Float = 0
                for row in 0..<tile.count { sum += outputWeights[row * classCount + c] }
                bias[c] = (beta == 0 ? 0 : beta * bias[c]) + alpha * sum + (addend?[classCount * inputWidth + c] ?? 0)
            }
        }
        let factor = alpha * features.multiplier
        for i in 0..<tile.count * classCount { outputWeights[i] *= factor }
        features.accumulate(tile, coefficients: outputWeights, vectorCount: classCount, beta: beta, plus: addend, into: gradient)
    }
}
