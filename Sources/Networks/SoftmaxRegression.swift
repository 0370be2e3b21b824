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

    /// outputs ← rows·Wᵀ + b, [rowCount, C], of stored numbers that stand for `multiplier` times their value.
    @inline(__always)
    public func outputs(
        _ parameters: UnsafePointer<Float>, rows: UnsafePointer<Float>, rowCount: Int, multiplier: Float,
        into outputs: UnsafeMutablePointer<Float>
    ) {
        if hasBias {
            let bias = parameters + classCount * inputWidth
            for row in 0..<rowCount { (outputs + row * classCount).update(from: bias, count: classCount) }
        }
        BLAS.multiply(
            .none, .transposed, m: rowCount, n: classCount, k: inputWidth, alpha: multiplier, rows, inputWidth,
            parameters, inputWidth, beta: hasBias ? 1 : 0, outputs, classCount)
    }

    /// gradient ← β·gradient + α · Σ_rows weightᵢ ⊗ x̃ᵢ for per-row output weights [rowCount, C].
    @inline(__always)
    public func accumulate(
        _ outputWeights: UnsafePointer<Float>, rows: UnsafePointer<Float>, rowCount: Int, multiplier: Float,
        alpha: Float, beta: Float, into gradient: UnsafeMutablePointer<Float>
    ) {
        BLAS.multiply(
            .transposed, .none, m: classCount, n: inputWidth, k: rowCount, alpha: alpha * multiplier, outputWeights,
            classCount, rows, inputWidth, beta: beta, gradient, inputWidth)
        guard hasBias else { return }
        let bias = gradient + classCount * inputWidth
        for c in 0..<classCount {
            var sum: Float = 0
            for row in 0..<rowCount { sum += outputWeights[row * classCount + c] }
            bias[c] = (beta == 0 ? 0 : beta * bias[c]) + alpha * sum
        }
    }
}
