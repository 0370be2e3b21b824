internal import Foundation
public import LinearAlgebra

extension NetworkCurvature {
    /// Examples that a size is estimated from.
    private static let sampleSize = 1024

    /// The size, estimated from 1,024 examples evenly spread, or all where there are fewer.
    ///
    /// With A = BBᵀ and random signs e, ‖Jᵀ B e‖² is the trace of an example's JᵀAJ in the mean (Hutchinson 1990), and the trace bounds the
    /// norm. The empirical Fisher's is ‖g‖² without chance. Of a Hessian that is not also the Gauss-Newton matrix the trace is estimated
    /// from its products with random signs, and the norm is taken from the Gauss-Newton matrix, which it comes near where losses are
    /// small.
    /// - Throws: `Interrupted`.
    public func measure(parallel: Parallel, interruption: Interruption) throws -> CurvatureSize {
        let sample = Parallel.ranges(of: exampleCount, pieces: Self.sampleSize).map { UInt32($0.lowerBound) }
        let traces = AlignedMemory<Double>(uninitialized: sample.count)
        let pieces = Parallel.ranges(of: sample.count, pieces: 16)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            try measure(sample, pieces[piece], into: traces.start, stream: UInt64(piece), interruption: interruption)
        }
        let mean = traces.elements.reduce(0, +) / Double(sample.count)
        let isExact = substance != .hessian
        return CurvatureSize(
            trace: isExact ? mean : try probedTrace(over: sample, parallel: parallel, interruption: interruption),
            largestExampleNorm: traces.elements.max() ?? 0)
    }

    /// The trace of each example's part, or an estimate: an example at a time.
    private func measure(
        _ sample: [UInt32], _ places: Range<Int>, into traces: UnsafeMutablePointer<Double>, stream: UInt64,
        interruption: Interruption
    ) throws {
        let computation = model.computation
        let (network, loss) = (computation.network, computation.loss)
        var random = RandomStream(seed: 0, index: stream)
        let gradient = AlignedMemory<Float>(uninitialized: dimension)
        var state = [Float](repeating: 0, count: loss.stateWidth)
        try computation.withPass(.first) { pass in
            for place in places {
                let row = Int(sample[place])
                let batch = ExampleBatch.range(row..<row + 1)
                try computation.forEachChunk(of: batch, examples.features, in: pass, interruption: interruption) { chunk in
                    computation.differentiateLoss(chunk, of: batch, examples, factor: 1, in: pass, state: &state)
                    if kind != .empiricalFisher {
                        let signs = (0..<network.outputWidth).map { _ in random.next() & 1 == 0 ? Float(1) : -1 }
                        loss.multiplyRoot(state, signs, into: pass.outputGradients)
                    }
                    gradient.elements.update(repeating: 0)
                    pass.backward(computation.parameters, addingTo: gradient.start)
                    let squared = Vectors.dot(gradient.start, gradient.start, dimension)
                    let weight = Double(examples.weight(row))
                    // g is weighted already: wᵢ∇ℓᵢ∇ℓᵢᵀ = gᵢgᵢᵀ / wᵢ.
                    traces[place] = kind == .empiricalFisher ? (weight == 0 ? 0 : squared / weight) : squared
                }
            }
        }
    }

    /// The mean of zᵀCz over a few vectors z of random signs.
    private func probedTrace(over sample: [UInt32], parallel: Parallel, interruption: Interruption) throws -> Double {
        let probes = 8
        let values = AlignedMemory<Double>(uninitialized: probes)
        try parallel.forEach(probes, interruption: interruption) { probe in
            var random = RandomStream(seed: 1, index: UInt64(probe))
            let signs = (0..<dimension).map { _ in random.next() & 1 == 0 ? Float(1) : -1 }
            var image = [Float](repeating: 0, count: dimension)
            let workspace = makeWorkspace(vectorCount: 1, interruption: interruption)
            try sample.withUnsafeBufferPointer { sample in
                try addProduct(
                    over: .indices(sample), alpha: 1, of: signs, beta: 0, plus: nil, to: &image, vectorCount: 1,
                    workspace: workspace)
            }
            values.start[probe] = Vectors.dot(signs, image)
        }
        return values.elements.reduce(0, +) / Double(probes)
    }
}
