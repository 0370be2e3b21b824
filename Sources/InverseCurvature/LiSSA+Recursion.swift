internal import Foundation
internal import LinearAlgebra

extension LiSSA {
    /// Whether the recursion contracts in mean square whatever the batches: only numbers that overflow can grow then.
    func isSafe(isCautious: Bool) -> Bool {
        isCautious && cautious != nil || preconditioner == nil && settings.scale >= safeScale
    }

    /// Why numbers grew without bound.
    func failure(at step: Int, isCautious: Bool) -> SolverError {
        isSafe(isCautious: isCautious) ? .notFinite : .diverged(settings: settings, step: step, safeScale: safeScale)
    }

    /// The independent corrections δₜ of one round, each for all of the stacked remainders r.
    ///
    /// - Parameters:
    ///   - round: 0 for the first; names the random streams.
    ///   - effort: recursions that each δₜ is the mean of.
    ///   - isCautious: whether to take `cautious` settings, where there are some.
    func corrections(
        of remainders: [Float], count: Int, round: Int, effort: Int, isCautious: Bool = false, in system: DampedCurvature,
        parallel: Parallel, interruption: Interruption
    ) throws -> [[Float]] {
        let length = remainders.count
        let settings = isCautious ? cautious ?? self.settings : self.settings
        let estimates = AlignedMemory<Float>(uninitialized: length * settings.numRepeat)
        try parallel.forEach(settings.numRepeat, interruption: interruption) { index in
            let place = estimates.start + index * length
            func recursion(_ part: Int, into h: UnsafeMutablePointer<Float>) throws {
                // The first round's streams are numbered by its repeats alone.
                let number = UInt64(round) << 32 | UInt64(index * effort + part)
                let stream = RandomStream(seed: settings.seed, index: number)
                let examples = system.data.exampleCount
                // Without replacement in the first round, which is plain LiSSA; then without bias.
                let isWithoutReplacement = round == 0 && !settings.isPreconditioned || settings.batchSize >= examples
                let draws: BatchDraws =
                    isWithoutReplacement
                    ? .epochs(EpochSampler(count: examples, stream: stream)) : .independent(stream, count: UInt32(examples))
                let recursion = Recursion(
                    settings: settings, shift: system.shift, remainders: remainders, count: count, interruption: interruption)
                if settings.isPreconditioned, let preconditioner {
                    try recursion.run(on: draws, of: system.data, by: preconditioner, h: h) {
                        self.failure(at: $0, isCautious: false)
                    }
                } else {
                    try recursion.run(on: draws, of: system.data, isSafe: isSafe(isCautious: isCautious), h: h) {
                        self.failure(at: $0, isCautious: isCautious)
                    }
                }
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

}

/// One recursion of a round, for stacked remainders.
struct Recursion {
    let settings: LiSSA.Settings
    /// λ.
    let shift: Double
    /// r, stacked.
    let remainders: [Float]
    let count: Int
    let interruption: Interruption

    /// How many times (j + 1)‖r‖ a recursion may reach at a scale that is not known to be safe: without noise, a recursion that
    /// contracts never exceeds it once.
    static let tolerableGrowth = 32.0

    /// Plain; leaves δ = h/scale, or the mean of the last ones, in `h`.
    func run<Operator: CurvatureOperator>(
        on draws: BatchDraws, of curvature: Operator, isSafe: Bool, h: UnsafeMutablePointer<Float>,
        failure: (Int) -> SolverError
    ) throws {
        let workspace = curvature.makeWorkspace(vectorCount: count, interruption: interruption)
        // Also where the curvature does not ask: a step is its products, and what every step takes.
        var pace = PacedInterruption(interruption)
        let operations = 4 * settings.batchSize * curvature.dimension * count + 5000
        var batches = UpcomingBatches(draws, size: settings.batchSize)
        defer { batches.deallocate() }
        let keep = Float(1 - shift / settings.scale)
        let step = Float(-1 / settings.scale)
        let mean = TailMean(settings, count: count * curvature.dimension)
        try remainders.withUnsafeBufferPointer { v in
            let v = v.baseAddress!
            let length = curvature.dimension
            let sizes = (0..<count).map { Vectors.norm(v + $0 * length, length) }
            // The fixed point is at most scale/λ times v, so that anything far beyond it is on its way to infinity.
            let furthest = 100 * settings.scale / max(shift, 1e-6 * settings.scale)
            h.update(from: v, count: length * count)
            for j in 0..<settings.recursionDepth {
                batches.advance()
                curvature.prepare(for: .indices(batches.next), workspace: workspace)
                try curvature.addProduct(
                    over: .indices(batches.current), alpha: step, of: h, beta: keep, plus: v, to: h, vectorCount: count,
                    workspace: workspace)
                mean.add(h, step: j)
                try pace.check(after: operations)
                let isChecked = j % 16 == 15 || j == settings.recursionDepth - 1 || !isSafe && j < 16
                guard isChecked else { continue }
                let bound = isSafe ? furthest : min(furthest, Self.tolerableGrowth * Double(j + 2))
                // Written so that NaN fails it too.
                guard sizes.indices.allSatisfy({ Vectors.norm(h + $0 * length, length) <= bound * sizes[$0] }) else {
                    throw failure(j + 1)
                }
            }
            mean.write(to: h)
            for vector in 0..<count { BLAS.scale(length, by: Float(1 / settings.scale), h + vector * length) }
        }
    }

    /// h ← h + P⁻¹(r − (C_B + λI)h)/scale from h = P⁻¹r/scale; leaves δ = h, or the mean of the last ones, in `h`.
    ///
    /// ‖P^-½(r − (C_B + λI)h)‖ is known for nothing, and tells of growth: a recursion that contracts adds at most ‖P^-½r‖ a step.
    func run<Operator: CurvatureOperator>(
        on draws: BatchDraws, of curvature: Operator, by preconditioner: any Preconditioner, h: UnsafeMutablePointer<Float>,
        failure: (Int) -> SolverError
    ) throws {
        let workspace = curvature.makeWorkspace(vectorCount: count, interruption: interruption)
        var pace = PacedInterruption(interruption)
        let length = curvature.dimension
        let operations = 4 * settings.batchSize * length * count + 5000
        let alone = Parallel(threads: 1)
        var batches = UpcomingBatches(draws, size: settings.batchSize)
        defer { batches.deallocate() }
        let g = AlignedMemory<Float>(copying: remainders)
        let z = AlignedMemory<Float>(uninitialized: count * length)
        let mean = TailMean(settings, count: count * length)
        var sizes = [Double](repeating: 0, count: count)
        try remainders.withUnsafeBufferPointer { r in
            for j in 0...settings.recursionDepth {
                if j > 0 {
                    batches.advance()
                    curvature.prepare(for: .indices(batches.next), workspace: workspace)
                    g.start.update(from: h, count: count * length)
                    try curvature.addProduct(
                        over: .indices(batches.current), alpha: -1, of: h, beta: Float(-shift), plus: r.baseAddress!,
                        to: g.start, vectorCount: count, workspace: workspace)
                    try pace.check(after: operations)
                }
                try preconditioner.apply(g.start, to: z.start, count: count, parallel: alone, interruption: interruption)
                for vector in 0..<count {
                    let (g, z, h) = (g.start + vector * length, z.start + vector * length, h + vector * length)
                    let size = Vectors.dot(g, z, length)
                    if j == 0 {
                        sizes[vector] = size
                        for i in 0..<length { h[i] = 0 }
                    }
                    let bound = Self.tolerableGrowth * Double(j + 2)
                    guard size <= bound * bound * sizes[vector] else { throw failure(j) }
                    BLAS.add(length, alpha: Float(1 / settings.scale), z, to: h)
                }
                if j > 0 { mean.add(h, step: j - 1) }
            }
        }
        mean.write(to: h)
        withExtendedLifetime((g, z)) {}
    }
}

/// The mean of a recursion's last iterates.
private struct TailMean {
    private let first: Int
    private let factor: Float
    private let sum: AlignedMemory<Float>?

    init(_ settings: LiSSA.Settings, count: Int) {
        let averaged = min(settings.averaged, settings.recursionDepth)
        first = settings.recursionDepth - averaged
        factor = 1 / Float(max(1, averaged))
        sum = averaged > 1 ? AlignedMemory(repeating: 0, count: count) : nil
    }

    /// Takes the iterate after step `step`, counted from 0.
    func add(_ h: UnsafePointer<Float>, step: Int) {
        guard let sum, step >= first else { return }
        for i in 0..<sum.count { sum.start[i] += factor * h[i] }
    }

    func write(to h: UnsafeMutablePointer<Float>) {
        guard let sum else { return }
        h.update(from: sum.start, count: sum.count)
    }
}

/// This step's rows, and the next one's: those are asked for while this step computes.
private struct UpcomingBatches {
    private var draws: BatchDraws
    private var now, later: UnsafeMutableBufferPointer<UInt32>

    init(_ draws: BatchDraws, size: Int) {
        self.draws = draws
        now = .allocate(capacity: size)
        later = .allocate(capacity: size)
        self.draws.next(into: later)
    }

    var current: UnsafeBufferPointer<UInt32> { UnsafeBufferPointer(now) }
    var next: UnsafeBufferPointer<UInt32> { UnsafeBufferPointer(later) }

    mutating func advance() {
        swap(&now, &later)
        draws.next(into: later)
    }

    func deallocate() {
        now.deallocate()
        later.deallocate()
    }
}

/// How a recursion draws its mini-batches.
enum BatchDraws {
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
