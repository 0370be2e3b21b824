public import LinearAlgebra

/// What the automatic settings need to know of a curvature; estimated once for a checkpoint and kept.
///
/// What is optional is missing from estimates that were kept by earlier versions.
public struct SpectrumEstimate: Sendable, Equatable, Codable {
    /// λ_max(D), by Lanczos: a lower bound that is tight to about a per cent.
    public let largestEigenvalue: Double
    /// trace(D), or an estimate.
    public let trace: Double
    /// A bound of maxᵢ ‖Cᵢ‖, or an estimate of one.
    public let largestExampleNorm: Double
    /// ‖Dq − λq‖ over all examples for the vector q whose quotient `largestEigenvalue` is: an eigenvalue lies at most so far from it.
    public let largestResidual: Double?
    /// How many evenly spread examples q was found on; nil where on all.
    public let sampleSize: Int?
    /// What mini-batches' curvature is like, for growing sizes.
    public let batches: [BatchSpectrum]?

    /// An estimate known from before.
    public init(
        largestEigenvalue: Double, trace: Double, largestExampleNorm: Double, largestResidual: Double? = nil,
        sampleSize: Int? = nil, batches: [BatchSpectrum]? = nil
    ) {
        self.largestEigenvalue = largestEigenvalue
        self.trace = trace
        self.largestExampleNorm = largestExampleNorm
        self.largestResidual = largestResidual
        self.sampleSize = sampleSize
        self.batches = batches
    }

    /// Examples that the leading eigenvector is looked for on, where there are at least four times as many.
    public static let standardSample = 8192
    /// Steps of that search.
    private static let steps = 16

    /// Estimates.
    ///
    /// 16 Lanczos steps over a sample of S examples find a vector q, and one product over all examples its quotient θ = qᵀDq and its
    /// residual. θ is a lower bound of λ_max whatever the sample was. How far it lies below: over a sample the quotient of the true
    /// leading vector is a mean of S numbers in [0, R] of mean λ_max, R = max ‖Cᵢ‖, so that by Bernstein's inequality it falls short of
    /// λ_max by more than λ_max·(√(2Rt/(Sλ_max)) + Rt/(3Sλ_max)) with a probability below e^−t; and as an error of the vector enters its
    /// quotient squared, θ over all examples is closer still. `largestBound` adds the residual.
    /// - Parameters:
    ///   - curvature: D.
    ///   - sample: S; with fewer than 4·S examples all are used, and 16 products more.
    ///   - batchSizes: of the mini-batches to look at, those up to n/8: larger ones are nearly D, and looking would cost more than D does.
    ///   - parallel: the threads.
    ///   - interruption: when to stop.
    /// - Throws: `SolverError.notFinite`, `Interrupted`.
    public init(
        of curvature: any CurvatureOperator, sample: Int = Self.standardSample, batchSizes: [Int] = BatchSpectrum.standardSizes,
        parallel: Parallel, interruption: Interruption = .never
    ) throws {
        let chosen =
            sample > 0 && curvature.exampleCount / 4 >= sample ? SpectrumSample(of: curvature, size: sample) : .everything
        let leading: RitzValue
        do {
            let pair = try Lanczos.leadingPairs(
                1, dimension: curvature.dimension, steps: Self.steps, parallel: parallel, interruption: interruption
            ) { x, y in
                try chosen.product(with: curvature, of: x, to: y, parallel: parallel, interruption: interruption)
            }
            leading = try Self.quotient(of: pair.vectors, in: curvature, parallel, interruption)
        } catch LanczosError.notFinite {
            throw SolverError.notFinite
        }
        let size = try curvature.measure(parallel: parallel, interruption: interruption)
        guard leading.value.isFinite, leading.residual.isFinite, size.trace.isFinite, size.largestExampleNorm.isFinite else {
            throw SolverError.notFinite
        }
        self.init(
            largestEigenvalue: leading.value, trace: size.trace, largestExampleNorm: size.largestExampleNorm,
            largestResidual: leading.residual, sampleSize: chosen.size,
            batches: try batchSizes.filter { (1...max(1, curvature.exampleCount / 8)).contains($0) }.sorted().map {
                try BatchSpectrum(of: curvature, size: $0, parallel: parallel, interruption: interruption)
            })
    }

    /// qᵀDq/qᵀq and ‖Dq − that·q‖/‖q‖ over all examples.
    private static func quotient(
        of vector: AlignedMemory<Float>, in curvature: any CurvatureOperator, _ parallel: Parallel, _ interruption: Interruption
    ) throws -> RitzValue {
        let length = curvature.dimension
        let image = AlignedMemory<Float>(uninitialized: length)
        try curvature.product(
            of: vector.start, to: image.start, vectorCount: 1, parallel: parallel, interruption: interruption)
        let squaredLength = Vectors.dot(vector.start, vector.start, length)
        let value = Vectors.dot(vector.start, image.start, length) / squaredLength
        var sum = 0.0
        for i in 0..<length {
            let difference = Double(image.start[i]) - value * Double(vector.start[i])
            sum += difference * difference
        }
        return RitzValue(value: value, residual: (sum / squaredLength).squareRoot())
    }

    /// At least λ_max, as far as the search saw: the quotient and its residual, or 2 % where that is not known.
    public var largestBound: Double { largestEigenvalue + (largestResidual ?? 0.02 * abs(largestEigenvalue)) }

    /// A number L with λ_max(C_B) ≤ L for nearly all mini-batches of `size` examples, from those that were looked at: steps of
    /// (C_B + λI)/scale contract for each such batch, and not only in the mean, where scale ≥ L + λ.
    ///
    /// The size looked at that is next below decides, as larger batches swing less. Where none was, and at most, L is λ_max + R/B, which is
    /// twice what contraction in the mean square takes.
    public func batchBound(size: Int) -> Double {
        let certain = largestBound + largestExampleNorm / Double(max(1, size))
        guard let seen = batches?.last(where: { $0.size <= size }) else { return certain }
        return min(certain, max(largestBound, seen.bound))
    }
}
