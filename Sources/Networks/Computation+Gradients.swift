internal import LinearAlgebra

extension Computation {
    /// Outputs of a batch, [count, outputWidth]; the pieces are chunks, so that the bits do not depend on the threads.
    func outputs(
        of batch: ExampleBatch, _ features: FeatureRows, parallel: Parallel, interruption: Interruption
    ) throws -> AlignedMemory<Number> {
        let width = network.outputWidth
        let outputs = AlignedMemory<Number>(uninitialized: batch.count * width)
        try forEachPiece(of: batch, parallel, interruption) { piece, first in
            try withPass(.none, interruption: interruption) { pass in
                try forEachChunk(of: piece, features, in: pass) { chunk in
                    (outputs.start + (first + chunk.lowerBound) * width).update(from: pass.outputs, count: chunk.count * width)
                }
            }
        }
        return outputs
    }

    /// gradient ← gradient + factor·Σ_batch wᵢ∇ℓᵢ, by one thread; `overwriting`, without what was there.
    /// - Returns: Σ_batch wᵢℓᵢ.
    @discardableResult
    func addGradient(
        over batch: ExampleBatch, of examples: LabeledExamples, factor: Number, to gradient: UnsafeMutablePointer<Number>,
        overwriting: Bool = false, interruption: Interruption
    ) throws -> Double {
        try withPass(.first, interruption: interruption) { pass in
            let state = AlignedMemory<Number>(uninitialized: pass.capacity * loss.stateWidth)
            var total = 0.0
            try forEachChunk(of: batch, examples.features, in: pass) { chunk in
                differentiateLoss(chunk, of: batch, examples, factor: factor, in: pass, state: state.start)
                try pass.backward(parameters, addingTo: gradient, overwriting: overwriting && chunk.lowerBound == 0)
                for place in chunk {
                    let example = batch.example(place)
                    total +=
                        Double(examples.weight(example))
                        * loss.value(
                            pass.outputs + (place - chunk.lowerBound) * network.outputWidth,
                            target: examples.targets.number(example))
                }
            }
            return total
        }
    }

    /// direction · gᵢ for each example of a batch and each of `count` directions, `parameterCount` apart: [directions, count].
    ///
    /// The derivative of wᵢℓᵢ along the direction, in forward mode: r·(J v), so that no gradient is ever written out. One way forward
    /// and one along each direction.
    func scores(
        of batch: ExampleBatch, _ examples: LabeledExamples, along directions: UnsafePointer<Number>, count: Int,
        into scores: UnsafeMutablePointer<Number>, stride: Int, interruption: Interruption
    ) throws {
        let width = network.outputWidth
        try withPass(.first, interruption: interruption) { pass in
            let state = AlignedMemory<Number>(uninitialized: pass.capacity * loss.stateWidth)
            try forEachChunk(of: batch, examples.features, in: pass) { chunk in
                differentiateLoss(chunk, of: batch, examples, factor: 1, in: pass, state: state.start)
                for d in 0..<count {
                    try pass.tangent(along: directions + d * network.parameterCount, parameters)
                    for row in 0..<chunk.count {
                        var sum: Number = 0
                        for c in 0..<width { sum += pass.outputGradients[row * width + c] * pass.outputTangents[row * width + c] }
                        scores[d * stride + chunk.lowerBound + row] = sum
                    }
                }
            }
        }
    }

    /// Cuts a batch into pieces of a chunk each, or of more examples where that is said, and runs `body` for each with its first place.
    func forEachPiece(
        of batch: ExampleBatch, atLeast least: Int = 1, _ parallel: Parallel, _ interruption: Interruption,
        _ body: @escaping @Sendable (ExampleBatch, Int) throws -> Void
    ) throws {
        let size = max(least, network.rowsAtATime)
        // Only read, by every piece.
        nonisolated(unsafe) let batch = batch
        try parallel.forEach((batch.count + size - 1) / size, interruption: interruption) { piece in
            let places = piece * size..<min((piece + 1) * size, batch.count)
            try body(batch.part(places), places.lowerBound)
        }
    }
}
