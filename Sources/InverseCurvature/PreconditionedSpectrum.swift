internal import Foundation
public import LinearAlgebra

/// What the settings of a preconditioned recursion need to know of M = P^-½(D + λI)P^-½; estimated once for a checkpoint, a λ and a P, and
/// kept.
public struct PreconditionedSpectrum: Sendable, Equatable, Codable {
    /// λ_min(M) and λ_max(M), as far as Lanczos' recursion came.
    public let ends: SpectrumEnds
    /// tr P⁻¹D, an estimate.
    public let trace: Double
    /// How large M is where D is that of a mini-batch, for growing sizes.
    public let batches: [BatchSpectrum]
    /// How many evenly spread examples ends and trace were found on; nil where on all.
    public let sampleSize: Int?
    /// What P⁻¹ takes beside a product with one example's Cᵢ, which is about 4·p flops.
    public let rowsOfPreconditioner: Double

    /// Sizes of which the automatic settings choose: smaller ones would leave P⁻¹ to be most of the work.
    public static let standardSizes = [128, 256, 512, 1024]
    /// Steps for the ends, the smaller of which is slow to come, and for each batch.
    private static let steps = 24, batchSteps = 8
    /// Batches of each size.
    private static let batchCount = 4
    /// Vectors of random signs that the trace is estimated with (Hutchinson 1990).
    private static let probes = 4

    /// What is known from before.
    public init(
        ends: SpectrumEnds, trace: Double, batches: [BatchSpectrum], sampleSize: Int? = nil, rowsOfPreconditioner: Double
    ) {
        self.ends = ends
        self.trace = trace
        self.batches = batches
        self.sampleSize = sampleSize
        self.rowsOfPreconditioner = rowsOfPreconditioner
    }

    /// Estimates: 28 products over a sample of S examples, or over all where there are fewer than 4·S; 8 over each batch; and with each of
    /// them twice the root of P⁻¹.
    /// - Throws: `SolverError.notFinite`, `Interrupted`.
    public init(
        of system: DampedCurvature, by preconditioner: any RootedPreconditioner,
        sample: Int = SpectrumEstimate.standardSample, batchSizes: [Int] = Self.standardSizes, parallel: Parallel,
        interruption: Interruption = .never
    ) throws {
        precondition(preconditioner.dimension == system.dimension, "the preconditioner has the system's order")
        let count = system.data.exampleCount
        let chosen = sample > 0 && count / 4 >= sample ? SpectrumSample(of: system.data, size: sample) : .everything
        let matrix = RootedSystem(system: system, root: preconditioner.root, interruption: interruption)
        do {
            let ends = try Lanczos.ends(
                dimension: system.dimension, steps: Self.steps, parallel: parallel, interruption: interruption
            ) { x, y in try matrix.multiply(x, to: y, over: chosen, parallel) }
            let trace = try matrix.trace(over: chosen, probes: Self.probes, parallel)
            guard trace.isFinite else { throw LanczosError.notFinite }
            self.init(
                ends: ends, trace: trace,
                batches: try batchSizes.filter { (1...max(1, count / 8)).contains($0) }.sorted().map {
                    try BatchSpectrum(of: count, size: $0, count: Self.batchCount, parallel: parallel, interruption: interruption)
                    {
                        try matrix.largest(over: $0, steps: Self.batchSteps)
                    }
                },
                sampleSize: chosen.size, rowsOfPreconditioner: preconditioner.operations / (4 * Double(system.dimension)))
        } catch LanczosError.notFinite {
            throw SolverError.notFinite
        }
    }

    /// At most λ_min(M), as far as the search saw, but never less than half of what it found.
    var slowest: Double { max(ends.smallest.value / 2, ends.smallest.value - ends.smallest.residual, 0) }
    /// At least λ_max(M), as far as the search saw.
    var largest: Double { ends.largest.value + ends.largest.residual }
}

/// M = P^-½(D + λI)P^-½ by its products.
private struct RootedSystem: Sendable {
    let system: DampedCurvature
    let root: any Preconditioner
    let interruption: Interruption

    /// y ← M·x over a sample.
    func multiply(
        _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, over sample: SpectrumSample, _ parallel: Parallel
    ) throws {
        try multiply(x, to: y, parallel) { a, b in
            try sample.product(with: system.data, of: a, to: b, parallel: parallel, interruption: interruption)
        }
    }

    private func multiply(
        _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, _ parallel: Parallel, by product: Lanczos.Multiply
    ) throws {
        let length = system.dimension
        let a = AlignedMemory<Float>(uninitialized: length)
        let b = AlignedMemory<Float>(uninitialized: length)
        try root.apply(x, to: a.start, count: 1, parallel: parallel, interruption: interruption)
        try product(a.start, b.start)
        BLAS.add(length, alpha: Float(system.shift), a.start, to: b.start)
        try root.apply(b.start, to: y, count: 1, parallel: parallel, interruption: interruption)
        withExtendedLifetime((a, b)) {}
    }

    /// λ_max(M) with D over some rows.
    func largest(over rows: AlignedMemory<UInt32>, steps: Int) throws -> Double {
        let curvature = system.data
        return try leading(of: curvature, rows, steps)
    }

    private func leading<Curvature: CurvatureOperator>(
        of curvature: Curvature, _ rows: AlignedMemory<UInt32>, _ steps: Int
    ) throws -> Double {
        let workspace = curvature.makeWorkspace(vectorCount: 1, interruption: interruption)
        let alone = Parallel(threads: 1)
        return try Lanczos.ends(dimension: system.dimension, steps: steps, parallel: alone, interruption: interruption) { x, y in
            try multiply(x, to: y, alone) { a, b in
                try curvature.addProduct(
                    over: .indices(UnsafeBufferPointer(rows.elements)), alpha: 1, of: a, beta: 0, plus: nil, to: b,
                    vectorCount: 1, workspace: workspace)
            }
        }.largest.value
    }

    /// tr P⁻¹D over a sample: the mean of (P^-½z)ᵀD(P^-½z).
    func trace(over sample: SpectrumSample, probes: Int, _ parallel: Parallel) throws -> Double {
        let length = system.dimension
        let signs = AlignedMemory<Float>(uninitialized: length)
        let a = AlignedMemory<Float>(uninitialized: length)
        var sum = 0.0
        for probe in 0..<probes {
            try interruption.check()
            var stream = RandomStream(seed: 0, index: UInt64(probe))
            for i in 0..<length { signs.start[i] = stream.next() >> 63 == 0 ? 1 : -1 }
            try root.apply(signs.start, to: a.start, count: 1, parallel: parallel, interruption: interruption)
            try sample.product(
                with: system.data, of: a.start, to: signs.start, parallel: parallel, interruption: interruption)
            sum += Vectors.dot(a.start, signs.start, length)
        }
        return sum / Double(probes)
    }
}
