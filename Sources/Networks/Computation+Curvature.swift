internal import LinearAlgebra

/// Which second derivative of the objective's data part.
public enum CurvatureKind: String, Sendable, Hashable, CaseIterable {
    /// (1/n) Σ ∇²(wᵢℓᵢ).
    case hessian
    /// (1/n) Σ wᵢJᵢᵀ(∂²ℓᵢ/∂out²)Jᵢ: for cross entropy the true Fisher matrix.
    case gaussNewton = "gauss_newton"
    /// (1/n) Σ wᵢ∇ℓᵢ∇ℓᵢᵀ.
    case empiricalFisher = "empirical_fisher"

    var order: DerivativeOrder { self == .hessian ? .second : .first }
}

extension Computation {
    /// images ← images + factor · Σ_batch Cᵢ·x for each of `count` vectors, `parameterCount` apart; `overwriting`, without what was there.
    ///
    /// Hessian: forward and backward once, then forward and backward along each vector (Pearlmutter 1994). The others: forward once,
    /// then forward along each vector to u = Jv, and backward from A·u, where A is ∂²ℓ/∂out² or r rᵀ (Martens 2020, section 8).
    /// Vectors share the first way and meet nowhere else: each image has the bits that it would have alone.
    func addProduct(
        _ kind: CurvatureKind, over batch: ExampleBatch, of examples: LabeledExamples, factor: Number,
        x: UnsafePointer<Number>, to images: UnsafeMutablePointer<Number>, count: Int, pass: Pass<Number>,
        state: UnsafeMutablePointer<Number>, overwriting: Bool = false
    ) throws {
        let length = network.parameterCount
        try forEachChunk(of: batch, examples.features, in: pass) { chunk in
            let overwriting = overwriting && chunk.lowerBound == 0
            differentiateLoss(chunk, of: batch, examples, factor: factor, in: pass, state: state)
            if kind == .hessian { try pass.backward(parameters) }
            for k in 0..<count {
                try pass.tangent(along: x + k * length, parameters)
                switch kind {
                case .hessian:
                    multiply(chunk.count, pass.outputTangents, state, into: pass.outputGradientTangents)
                    try pass.tangentBackward(
                        along: x + k * length, parameters, addingTo: images + k * length, overwriting: overwriting)
                case .gaussNewton:
                    multiply(chunk.count, pass.outputTangents, state, into: pass.outputGradients)
                    try pass.backward(parameters, addingTo: images + k * length, overwriting: overwriting)
                case .empiricalFisher:
                    // With δ = f·w·r: w r (r·u) = δ (δ·u) / (f·w), and the next vector needs δ again.
                    multiplyOuter(chunk, of: batch, examples, factor: factor, in: pass)
                    try pass.backward(parameters, addingTo: images + k * length, overwriting: overwriting)
                    if k + 1 < count {
                        differentiateLoss(chunk, of: batch, examples, factor: factor, in: pass, state: state)
                    }
                }
            }
        }
    }

    private func multiply(
        _ rows: Int, _ u: UnsafePointer<Number>, _ state: UnsafePointer<Number>, into out: UnsafeMutablePointer<Number>
    ) {
        for row in 0..<rows {
            loss.multiply(
                state + row * loss.stateWidth, u + row * network.outputWidth, into: out + row * network.outputWidth)
        }
    }

    private func multiplyOuter(
        _ chunk: Range<Int>, of batch: ExampleBatch, _ examples: LabeledExamples, factor: Number, in pass: Pass<Number>
    ) {
        let width = network.outputWidth
        for row in 0..<chunk.count {
            let (delta, u) = (pass.outputGradients + row * width, pass.outputTangents + row * width)
            let weight = factor * Number(examples.weight(batch.example(chunk.lowerBound + row)))
            var sum: Number = 0
            for c in 0..<width { sum += delta[c] * u[c] }
            let scale = weight == 0 ? 0 : sum / weight
            for c in 0..<width { delta[c] *= scale }
        }
    }
}
