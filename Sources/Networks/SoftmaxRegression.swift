public import LinearAlgebra

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
    /// What the linear layer's tensors are named after.
    public let layerName: String

    /// p: numbers in θ.
    public var parameterCount: Int { classCount * (inputWidth + (hasBias ? 1 : 0)) }

    /// θ's tensors in order: name and shape.
    public var tensors: [(name: String, shape: [Int])] {
        var tensors = [(name: layerName + ".weight", shape: [classCount, inputWidth])]
        if hasBias { tensors.append((name: layerName + ".bias", shape: [classCount])) }
        return tensors
    }

    /// - Parameters: all at least 1, `classCount` at least 2; `init(spec:)` checks what users write.
    public init(inputWidth: Int, classCount: Int, hasBias: Bool, layerName: String = "0") {
        precondition(inputWidth > 0 && classCount > 1, "a softmax regression needs features and two classes")
        self.inputWidth = inputWidth
        self.classCount = classCount
        self.hasBias = hasBias
        self.layerName = layerName
    }

    /// outputs ← x·Wᵀ + b for the rows of a tile: [rows, C].
    @inline(__always)
    public func outputs(
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
    public func accumulate(
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
