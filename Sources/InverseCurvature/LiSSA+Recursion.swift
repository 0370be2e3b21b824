internal import Foundation
internal import LinearAlgebra

extension LiSSA {
    /// Whether the recursion contracts in mean square whatever the batches: only numbers that overflow can grow then.
    var isSafe: Bool { settings.scale >= safeScale }

    /// Why numbers grew without bound.
    func failure(at step: Int) -> SolverError {
        isSafe ? .notFinite : .diverged(settings: settings, step: step, safeScale: safeScale)
    }

    /// The independent corrections δₜ of one round, each for all of the stacked remainders r.
    ///
    /// - Parameters:
    ///   - round: 0 for the first; names the random streams.
    ///   - effort: recursions that each δₜ is the mean of.
    func corrections(
        of remainders: [Float], count: Int, round: Int, effort: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption
    ) throws -> [[Float]] {
        let length = remainders.count
        let estimates = AlignedMemory<Float>(uninitialized: length * settings.numRepeat)
        try parallel.forEach(settings.numRepeat, interruption: interruption) { index in
            let place = estimates.start + index * length
            func recursion(_ part: Int, into h: UnsafeMutablePointer<Float>) throws {
                // The first round's streams are numbered by its repeats alone.
                let number = UInt64(round) << 32 | UInt64(index * effort + part)
                let stream = RandomStream(seed: settings.seed, index: number)
                let examples = system.data.exampleCount
                // Without replacement in the first round, which is plain LiSSA; then without bias.
                let draws: BatchDraws =
                    round == 0 || settings.batchSize >= examples
                    ? .epochs(EpochSampler(count: examples, stream: stream)) : .independent(stream, count: UInt32(examples))
                try recur(
                    on: draws, of: system.data, remainders, count: count, shift: system.shift, h: h, interruption: interruption)
            }
            guard effort > 1 else { return try recursion(0, into: place) }
            let h = AlignedMemory<Float>(uninitialized: length)
            var sums = [Double](repeating: 0, count: length)
            for part in 0..<effort {
                try recursion(part, into: h.start)
                for i in 0..<length { sums[i] += Double(h.start[i]) }
            }
            for i in 0..<length { place[i] = Float(sums[i] / Double(effort)) }
        }
        return try (0..<settings.numRepeat).map {
            try interruption.check()
            return Array(estimates.elements[$0 * length..<($0 + 1) * length])
        }
    }

    /// How many times (j + 1)‖r‖ a recursion may reach at a scale that is not known to be safe: without noise, a recursion that
    /// contracts never exceeds it once.
    private static let tolerableGrowth = 32.0

    /// One recursion; leaves h/scale in `h`.
    private func recur<Operator: CurvatureOperator>(
        on draws: BatchDraws, of curvature: Operator, _ v: [Float], count: Int, shift: Double,
        h: UnsafeMutablePointer<Float>, interruption: Interruption
    ) throws {
        let workspace = curvature.makeWorkspace(vectorCount: count, interruption: interruption)
        // Also where the curvature does not ask: a step is its products, and what every step takes.
        var pace = PacedInterruption(interruption)
        let operations = 4 * settings.batchSize * curvature.dimension * count + 5000
        var sampler = draws
        // This step's rows, and the next one's: those are asked for while this step computes.
        var batch = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: settings.batchSize)
        var nextBatch = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: settings.batchSize)
        defer {
            batch.deallocate()
            nextBatch.deallocate()
        }
        sampler.next(into: nextBatch)
        let keep = Float(1 - shift / settings.scale)
        let step = Float(-1 / settings.scale)
        try v.withUnsafeBufferPointer { v in
            let v = v.baseAddress!
            let length = curvature.dimension
            let sizes = (0..<count).map { Vectors.norm(v + $0 * length, length) }
            // The fixed point is at most scale/λ times v, so that anything far beyond it is on its way to infinity.
            let furthest = 100 * settings.scale / max(shift, 1e-6 * settings.scale)
            h.update(from: v, count: length * count)
            for j in 0..<settings.recursionDepth {
                swap(&batch, &nextBatch)
                sampler.next(into: nextBatch)
                curvature.prepare(for: .indices(UnsafeBufferPointer(nextBatch)), workspace: workspace)
                try curvature.addProduct(
                    over: .indices(UnsafeBufferPointer(batch)), alpha: step, of: h, beta: keep, plus: v, to: h,
                    vectorCount: count,
                    workspace: workspace)
                try pace.check(after: operations)
                let isChecked = j % 16 == 15 || j == settings.recursionDepth - 1 || !isSafe && j < 16
                guard isChecked else { continue }
                let bound = isSafe ? furthest : min(furthest, Self.tolerableGrowth * Double(j + 2))
                // Written so that NaN fails it too.
                guard sizes.indices.allSatisfy({ Vectors.norm(h + $0 * length, length) <= bound * sizes[$0] }) else {
                    throw failure(at: j + 1)
                }
            }
            BLAS.scale(length * count, by: Float(1 / settings.scale), h)
        }
    }
}

/// How a recursion draws its mini-batches.
private enum BatchDraws {
    /// Without replacement: less noise, and the bias that `LiSSA.samplingBias` bounds.
    case epochs(EpochSampler)
    /// With replacement: the batches are independent, and the expectation of the recursion is exactly that of the full batch.
    case independent(RandomStream, count: UInt32)

    /// Fills `batch` with the next rows.
    mutating func next(into batch: UnsafeMutableBufferPointer<UInt32>) {
        switch self {
        case .epochs(var sampler):
            // Taken out, so that it is not copied.
            self = .independent(RandomStream(seed: 0), count: 1)
            sampler.next(into: batch)
            self = .epochs(sampler)
        case .independent(var stream, let count):
            for i in batch.indices { batch[i] = stream.next(below: count) }
            self = .independent(stream, count: count)
        }
    }
}
