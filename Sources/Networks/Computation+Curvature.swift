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
    /// images ← Σ_batch Cᵢ·x for each of `count` vectors, `parameterCount` apart. `completed` is told of each as it is there: images of a
    /// batch of one chunk may then take each other's place, 0 apart.
    ///
    /// Hessian: forward and backward once, then forward and backward along each vector (Pearlmutter 1994). The others: forward once,
    /// then forward along each vector to u = Jv, and backward from A·u, where A is ∂²ℓ/∂out² or r rᵀ (Martens 2020, section 8).
    /// Vectors share the first way and meet nowhere else: each image has the bits that it would have alone. Where that way was kept it is
    /// not gone again.
    func addProduct(
        _ kind: CurvatureKind, over batch: ExampleBatch, of examples: LabeledExamples, kept: KeptActivations<Number>? = nil,
        x: UnsafePointer<Number>, to images: UnsafeMutablePointer<Number>, apart: Int? = nil, count: Int, pass: Pass<Number>,
        state: UnsafeMutablePointer<Number>, completed: (Int) -> Void = { _ in }
    ) throws {
        let length = network.parameterCount
        let apart = apart ?? length
        try forEachReadyChunk(of: batch, examples, for: kind, kept: kept, in: pass, state: state) { chunk in
            let overwriting = chunk.lowerBound == 0
            // No longer needed as outputs: r, while δ becomes something else for each vector.
            if kind == .empiricalFisher {
                pass.outputs.update(from: pass.outputGradients, count: chunk.count * network.outputWidth)
            }
            for k in 0..<count {
                let image = images + k * apart
                try pass.tangent(along: x + k * length, parameters)
                switch kind {
                case .hessian:
                    multiply(chunk.count, pass.outputTangents, state, into: pass.outputGradientTangents)
                    try pass.tangentBackward(along: x + k * length, parameters, addingTo: image, overwriting: overwriting)
                case .gaussNewton:
                    multiply(chunk.count, pass.outputTangents, state, into: pass.outputGradients)
                    try pass.backward(parameters, addingTo: image, overwriting: overwriting)
                case .empiricalFisher:
                    multiplyOuter(chunk, of: batch, examples, in: pass)
                    try pass.backward(parameters, addingTo: image, overwriting: overwriting)
                }
                if chunk.upperBound == batch.count { completed(k) }
            }
        }
    }

    /// Calls `body` for each chunk of a batch, all in place that products of a kind with any vector need.
    private func forEachReadyChunk(
        of batch: ExampleBatch, _ examples: LabeledExamples, for kind: CurvatureKind, kept: KeptActivations<Number>?,
        in pass: Pass<Number>, state: UnsafeMutablePointer<Number>, _ body: (Range<Int>) throws -> Void
    ) throws {
        guard let kept else {
            return try forEachChunk(of: batch, examples.features, in: pass) { chunk in
                differentiateLoss(chunk, of: batch, examples, factor: 1, in: pass, state: state)
                if kind == .hessian { try pass.backward(parameters) }
                try body(chunk)
            }
        }
        for start in stride(from: 0, to: batch.count, by: pass.capacity) {
            try pass.interruption.check()
            let chunk = start..<min(start + pass.capacity, batch.count)
            kept.give(chunk, of: batch, to: pass, state)
            if kept.readsFeatures { load(chunk, of: batch, examples.features, into: pass) }
            try body(chunk)
        }
    }

    /// What all products of a kind can share, of all examples.
    /// - Throws: `Interrupted`.
    func activations(
        for kind: CurvatureKind, _ layout: ActivationLayout, of examples: LabeledExamples, parallel: Parallel,
        interruption: Interruption
    ) throws -> KeptActivations<Number> {
        let kept = KeptActivations<Number>(layout, count: examples.count)
        try forEachPiece(of: .range(0..<examples.count), parallel, interruption) { piece, _ in
            try withPass(kind.order, interruption: interruption) { pass in
                let state = AlignedMemory<Number>(uninitialized: pass.capacity * loss.stateWidth)
                try forEachReadyChunk(of: piece, examples, for: kind, kept: nil, in: pass, state: state.start) { chunk in
                    kept.take(chunk, of: piece, from: pass, state.start)
                }
            }
        }
        return kept
    }

    private func multiply(
        _ rows: Int, _ u: UnsafePointer<Number>, _ state: UnsafePointer<Number>, into out: UnsafeMutablePointer<Number>
    ) {
        for row in 0..<rows {
            loss.multiply(
                state + row * loss.stateWidth, u + row * network.outputWidth, into: out + row * network.outputWidth)
        }
    }

    /// δ ← w r (r·u) for each row; w·r is where the outputs were.
    private func multiplyOuter(
        _ chunk: Range<Int>, of batch: ExampleBatch, _ examples: LabeledExamples, in pass: Pass<Number>
    ) {
        let width = network.outputWidth
        for row in 0..<chunk.count {
            let (r, u) = (pass.outputs + row * width, pass.outputTangents + row * width)
            let weight = Number(examples.weight(batch.example(chunk.lowerBound + row)))
            var sum: Number = 0
            for c in 0..<width { sum += r[c] * u[c] }
            let scale = weight == 0 ? 0 : sum / weight
            for c in 0..<width { pass.outputGradients[row * width + c] = scale * r[c] }
        }
    }
}
