internal import Foundation
public import LinearAlgebra

extension NetworkCurvature {
    /// Examples that a size is estimated from.
    private static let sampleSize = 1024
    /// Of these, every so many-th has its Hessian's norm estimated.
    private static let normStride = 4
    /// Vectors of random signs that an example's Hessian's norm is estimated with.
    private static let normProbes = 4
    /// Vectors of random signs that tr(H − G) is estimated with, and those that share a way through the network.
    private static let traceProbes = 16, probesAtATime = 4
    /// Random signs of the outputs, where these are many.
    private static let draws = 32

    /// The size, from 1,024 examples evenly spread, or all where there are fewer; of all n the trace then has the standard error of a
    /// mean of 1,024.
    ///
    /// Of these examples the traces of the empirical Fisher and the Gauss-Newton matrix are exact, for more than 32 outputs unbiased to
    /// within √(2/32) of each example's own; and an example's trace bounds its norm, at most as many times too large as there are
    /// outputs. Of a Hessian H that is not also the Gauss-Newton matrix G, tr(H) is tr(G) + the mean of zᵀ(H − G)z over 16 vectors z of
    /// random signs (Hutchinson 1990), with the standard error √(2/16)·‖H − G‖ (Frobenius, without the diagonal); and its norm is the larger
    /// of G's and of √⟨‖Hᵢz‖²⟩ over four z for every fourth of the examples, which in the mean of squares is the Frobenius norm of Hᵢ and
    /// so bounds ‖Hᵢ‖₂.
    /// - Throws: `Interrupted`.
    public func measure(parallel: Parallel, interruption: Interruption) throws -> CurvatureSize {
        let sample = Parallel.ranges(of: exampleCount, pieces: Self.sampleSize).map { UInt32($0.lowerBound) }
        let traces = try traces(of: sample, parallel: parallel, interruption: interruption)
        let mean = traces.reduce(0, +) / Double(sample.count)
        let largest = traces.max() ?? 0
        guard substance == .hessian else { return CurvatureSize(trace: mean, largestExampleNorm: largest) }
        let remainder = try traceBeyondGaussNewton(over: sample, parallel: parallel, interruption: interruption)
        let norms = try hessianNorms(
            of: stride(from: 0, to: sample.count, by: Self.normStride).map { sample[$0] }, parallel: parallel,
            interruption: interruption)
        return CurvatureSize(trace: mean + remainder, largestExampleNorm: max(largest, norms.max() ?? 0))
    }

    /// The trace of each example's empirical Fisher or Gauss-Newton matrix.
    private func traces(of sample: [UInt32], parallel: Parallel, interruption: Interruption) throws -> [Double] {
        let traces = AlignedMemory<Double>(repeating: 0, count: sample.count)
        let pieces = Parallel.ranges(of: sample.count, pieces: 16)
        let (roots, scale) = roots(draws: Self.draws, seed: 0)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let gradient = AlignedMemory<Float>(repeating: 0, count: dimension)
            try sample[pieces[piece]].withUnsafeBufferPointer { indices in
                try model.computation.withPass(.first, interruption: interruption) { pass in
                    try forEachRoot(roots, of: .indices(indices), in: pass) { chunk in
                        try pass.addSquaredNorms(
                            model.computation.parameters, to: traces.start + pieces[piece].lowerBound + chunk.lowerBound,
                            gradient: gradient.start)
                    }
                }
            }
        }
        return traces.copy.map { scale * $0 }
    }

    /// The mean of zᵀ(H − G)z over some z.
    private func traceBeyondGaussNewton(
        over sample: [UInt32], parallel: Parallel, interruption: Interruption
    ) throws -> Double {
        let sums = AlignedMemory<Double>(repeating: 0, count: Self.traceProbes / Self.probesAtATime)
        let gaussNewton = NetworkCurvature(.gaussNewton, of: model, over: examples)
        try parallel.forEach(sums.count, interruption: interruption) { block in
            let signs = try signs(Self.probesAtATime, seed: 1, block: block, interruption: interruption)
            for (curvature, sign) in [(self, 1.0), (gaussNewton, -1.0)] {
                let images = try curvature.product(over: sample, of: signs, interruption: interruption)
                sums.start[block] += sign * Vectors.dot(signs, images)
            }
        }
        return sums.copy.reduce(0, +) / Double(Self.traceProbes)
    }

    /// Estimates of the Frobenius norms of some examples' Hessians.
    private func hessianNorms(of sample: [UInt32], parallel: Parallel, interruption: Interruption) throws -> [Double] {
        let norms = AlignedMemory<Double>(repeating: 0, count: sample.count)
        let signs = try signs(Self.normProbes, seed: 2, block: 0, interruption: interruption)
        let pieces = Parallel.ranges(of: sample.count, pieces: 16)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            for place in pieces[piece] {
                let images = try product(over: [sample[place]], of: signs, interruption: interruption)
                norms.start[place] = (Vectors.dot(images, images) / Double(Self.normProbes)).squareRoot()
            }
        }
        return norms.copy
    }

    /// The mean over some examples of their curvatures' products with stacked vectors, by one thread.
    private func product(over sample: [UInt32], of x: [Float], interruption: Interruption) throws -> [Float] {
        var images = [Float](repeating: 0, count: x.count)
        let workspace = makeWorkspace(vectorCount: x.count / dimension, interruption: interruption)
        try sample.withUnsafeBufferPointer {
            try addProduct(
                over: .indices($0), alpha: 1, of: x, beta: 0, plus: nil, to: &images, vectorCount: x.count / dimension,
                workspace: workspace)
        }
        return images
    }

    /// Stacked vectors like θ of random signs.
    /// - Throws: `Interrupted`.
    func signs(_ count: Int, seed: UInt64, block: Int, interruption: Interruption) throws(Interrupted) -> [Float] {
        var stream = RandomStream(seed: seed, index: UInt64(block))
        var signs = [Float](repeating: 1, count: count * dimension)
        for vector in 0..<count {
            try interruption.check()
            for i in vector * dimension..<(vector + 1) * dimension { signs[i] = stream.nextSign() }
        }
        return signs
    }
}
