public import LinearAlgebra

/// TRAK's kernel at one model: ΦᵀΦ + λI, factored (Park et al. 2023, TRAK: Attributing Model Behavior at Scale, section 3).
///
/// With φᵢ = P∇fᵢ, f the margin log(p/(1 − p)) of the label, and M models,
///
///     τᵢ = ((1/M) Σ_m φ_m(z′)ᵀ(Φ_mᵀΦ_m + λI)⁻¹φ_im) · ((1/M) Σ_m (1 − p_im))
///
/// (section 3.2, the step of ensembling, and algorithm 1 of the appendix: the two means apart). Rows here are of losses, and ∇ℓ = −(1 − p)∇f: with rᵢ = wᵢ·P∇ℓᵢ, φᵢ = −rᵢ/(wᵢ(1 − pᵢ)), and
///
///     τᵢ = qᵢ · Σ_m v_m·(r_im/(1 − p_im)),    v_m = (Φ_mᵀΦ_m + λI)⁻¹u_m/M,    u_m = −P∇f(z′),    qᵢ = (1/M) Σ_m (1 − p_im)
///
/// for one model τᵢ = v·rᵢ. An example of weight w counts as w alike ones: ΦᵀΦ = Σ wᵢφᵢφᵢᵀ, and its score is that of all of them. P is as
/// the rows have it; λ is in units of ΦᵀΦ, a sum over examples, and `meanEigenvalue` says what those are.
///
/// Where an example is certain, rᵢ/(1 − pᵢ) is a quotient of two numbers that are next to nothing. 1 − p comes without cancellation, and
/// rᵢ is as exact as it as long as neither leaves its format's range: φᵢ counts as 0 where 1 − pᵢ < 2⁻¹⁰⁰ (single precision ends at 2⁻¹²⁶,
/// and gradients shrink on their way), and for rows of half precision where no element is as large as 2⁻²⁰ (five bits above their
/// smallest). Those are `unresolvedCount`.
public struct TRAKKernel: Sendable {
    /// n.
    public let exampleCount: Int
    /// λ.
    public let damping: Double
    /// trace(ΦᵀΦ)/d.
    public let meanEigenvalue: Double
    /// Examples whose φ is not known.
    public let unresolvedCount: Int
    /// 1/(1 − pᵢ); 0 where φᵢ is not known.
    public let reciprocals: AlignedMemory<Float>
    let factor: DoubleCholeskyFactor

    /// d.
    public var dimension: Int { factor.order }

    init(
        damping: Double, meanEigenvalue: Double, unresolvedCount: Int, reciprocals: AlignedMemory<Float>,
        factor: DoubleCholeskyFactor
    ) {
        (exampleCount, self.damping, self.meanEigenvalue) = (reciprocals.count, damping, meanEigenvalue)
        (self.unresolvedCount, self.reciprocals, self.factor) = (unresolvedCount, reciprocals, factor)
    }

    /// Builds and factors: n·d² + d³/3 flops in double precision, with one reading of the rows.
    /// - Parameters:
    ///   - rows: rᵢ of all training examples.
    ///   - marginWeights: 1 − pᵢ of each at the same model, from logits and not as 1 less p; or whatever it is that ∇ℓ = −(1 − p)∇f.
    ///   - weights: wᵢ; nil for 1.
    ///   - damping: λ, 0 or more.
    ///   - isRelative: whether that is in units of trace(ΦᵀΦ)/d.
    ///   - memoryLimit: bytes that may be taken.
    /// - Throws: `TRAKError`, `Interrupted`, and what reading the rows may throw.
    public init(
        of rows: any GradientRows, marginWeights: [Double], weights: [Float]? = nil, damping: Double, isRelative: Bool = false,
        memoryLimit: Int,
        parallel: Parallel, interruption: Interruption = .never
    ) throws {
        precondition(
            marginWeights.count == rows.count && weights?.count ?? rows.count == rows.count, "numbers for each row")
        guard rows.count > 0 else { throw TRAKError.noExamples }
        guard damping >= 0, damping.isFinite else { throw TRAKError.invalidDamping(damping) }
        let (order, bytes) = (rows.width, Self.byteCount(dimension: rows.width))
        guard let bytes, bytes <= memoryLimit else {
            throw TRAKError.tooLarge(dimension: order, bytes: bytes ?? .max, limit: memoryLimit)
        }
        let gram = try TRAKGram(
            of: rows, marginWeights: marginWeights, weights: weights, parallel: parallel, interruption: interruption)
        let matrix = gram.matrix.start
        let diagonal = (0..<order).map { matrix[$0 * order + $0] }
        let trace = diagonal.reduce(0, +)
        guard trace.isFinite else { throw TRAKError.notFinite(example: nil) }
        let mean = trace / Double(order)
        let lambda = isRelative ? damping * mean : damping
        for i in 0..<order { matrix[i * order + i] += lambda }
        do {
            self.init(
                damping: lambda, meanEigenvalue: mean, unresolvedCount: gram.unresolvedCount,
                reciprocals: gram.reciprocals,
                factor: try DoubleCholeskyFactor(
                    factoring: gram.matrix, order: order, parallel: parallel, interruption: interruption))
        } catch is NotPositiveDefinite {
            // A millionth of the mean eigenvalue, and what is certainly above rounding's part of any pivot.
            let rounding = 16 * Double(order) * 0x1p-53 * (diagonal.max() ?? 0)
            let least = max(1e-6 * mean, rounding, 2 * lambda)
            // Of nothing, no multiple is anything.
            let isRelative = isRelative && mean > 0
            throw TRAKError.singular(
                dimension: order, exampleCount: rows.count, damping: isRelative ? damping : lambda,
                suggestion: least > 0 ? least / (isRelative ? mean : 1) : 1, isRelative: isRelative)
        }
    }

    /// Bytes that the kernel of so many dimensions takes while it is built; nil where that overflows.
    public static func byteCount(dimension: Int) -> Int? {
        let (row, overflow) = dimension.multipliedReportingOverflow(by: MemoryLayout<Double>.stride)
        let (rows, tooMany) = dimension.addingReportingOverflow(2 * TRAKGram.rowsAtATime)
        let (bytes, tooLarge) = row.multipliedReportingOverflow(by: rows)
        return overflow || tooMany || tooLarge ? nil : bytes
    }

    /// v = (ΦᵀΦ + λI)⁻¹u/M for each of some stacked u, `dimension` long: directions for rows over 1 − p, or, of a single model, for rows.
    /// - Parameter modelCount: M.
    /// - Throws: `TRAKError.notFinite`, `Interrupted`.
    public func directions(
        for sides: [Float], modelCount: Int = 1, parallel: Parallel, interruption: Interruption = .never
    ) throws -> [Float] {
        precondition(sides.count % dimension == 0 && modelCount > 0, "sides are as long as rows")
        let solutions = AlignedMemory<Double>(copying: sides.lazy.map { Double($0) / Double(modelCount) })
        try factor.solve(solutions, parallel: parallel, interruption: interruption)
        let directions = solutions.elements.map { Float($0) }
        guard directions.allSatisfy(\.isFinite) else { throw TRAKError.notFinite(example: nil) }
        return withExtendedLifetime(solutions) { directions }
    }

    /// What scores of several models are multiplied by: qᵢ, the mean of their 1 − p.
    /// - Parameter marginWeights: 1 − p of every example at each model, at least one.
    public static func multipliers(meanOf marginWeights: [[Double]]) -> [Float] {
        precondition(!marginWeights.isEmpty, "a mean needs models")
        return marginWeights[0].indices.map { example in
            Float(marginWeights.reduce(0) { $0 + $1[example] } / Double(marginWeights.count))
        }
    }
}
