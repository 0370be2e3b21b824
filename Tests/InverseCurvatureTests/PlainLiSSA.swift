import InverseCurvature
import LinearAlgebra

/// LiSSA as it is defined, one repeat after the other and nothing checked: what one round must be, to the last bit.
enum PlainLiSSA {
    /// The repeats' h/scale, and their mean.
    static func solve(
        _ v: [Float], count: Int, of curvature: some CurvatureOperator, shift: Double, _ settings: LiSSA.Settings
    ) throws -> (mean: [Float], repeats: [[Float]]) {
        let repeats = try (0..<settings.numRepeat).map { index in
            let workspace = curvature.makeWorkspace(vectorCount: count)
            var sampler = EpochSampler(
                count: curvature.exampleCount, stream: RandomStream(seed: settings.seed, index: UInt64(index)))
            var batch = [UInt32](repeating: 0, count: settings.batchSize)
            var h = v
            for _ in 0..<settings.recursionDepth {
                batch.withUnsafeMutableBufferPointer { sampler.next(into: $0) }
                try batch.withUnsafeBufferPointer { batch in
                    try h.withUnsafeMutableBufferPointer { h in
                        try curvature.addProduct(
                            over: .indices(batch), alpha: Float(-1 / settings.scale), of: h.baseAddress!,
                            beta: Float(1 - shift / settings.scale), plus: v, to: h.baseAddress!, vectorCount: count,
                            workspace: workspace)
                    }
                }
            }
            BLAS.scale(h.count, by: Float(1 / settings.scale), &h)
            return h
        }
        guard repeats.count > 1 else { return (repeats[0], repeats) }
        let mean = v.indices.map { i in Float(repeats.reduce(0.0) { $0 + Double($1[i]) } * (1 / Double(repeats.count))) }
        return (mean, repeats)
    }
}
