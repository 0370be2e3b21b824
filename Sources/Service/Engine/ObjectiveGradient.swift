internal import Attribution
internal import InverseCurvature
internal import LinearAlgebra
internal import Networks

/// How large ∇F(θ) = (1/n) Σ gᵢ + weight_decay·θ is at a checkpoint, and what it can be compared with: plain numbers, which can be kept.
struct ObjectiveGradient: Sendable, Equatable, Codable {
    /// ‖∇F‖; nil where θ is not known and weight decay makes it part of the gradient.
    let norm: Double?
    /// ‖(1/n) Σ gᵢ‖.
    let dataNorm: Double
    /// ‖θ‖; nil where θ is not known.
    let parameterNorm: Double?
    /// √((1/n) Σ ‖gᵢ‖²), of a sample where the network's curvature is measured on one.
    let exampleNorm: Double

    /// Measures a checkpoint: one way through its examples, and another for their norms.
    /// - Throws: `SolverError.notFinite`, `Interrupted`, `StoreError`.
    init(
        of model: LoadedModel, in space: InfluenceSpace, parallel: Parallel, interruption: Interruption
    ) throws {
        let fisher = try space.curvature(
            .empiricalFisher, of: model, activationLimit: 0, parallel: parallel, interruption: interruption)
        exampleNorm = max(0, try fisher.measure(parallel: parallel, interruption: interruption).trace).squareRoot()
        if let rows = space.rows {
            let mean = try Self.mean(of: rows, interruption)
            dataNorm = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
            norm = model.weightDecay == 0 ? dataNorm : nil
            parameterNorm = nil
        } else {
            let network = try model.network(at: "/model")
            let parameters = network.trained.parameters
            var gradient = [Float](repeating: 0, count: parameters.count)
            _ = try gradient.withUnsafeMutableBufferPointer { buffer in
                try buffer.baseAddress.map {
                    try network.trained.meanGradient(
                        over: .range(0..<network.examples.count), of: network.examples, into: $0, parallel: parallel,
                        interruption: interruption)
                }
            }
            dataNorm = Vectors.norm(gradient)
            parameterNorm = Vectors.norm(parameters)
            let decay = model.weightDecay
            norm = zip(gradient, parameters).reduce(0) { sum, pair in
                let whole = Double(pair.0) + decay * Double(pair.1)
                return sum + whole * whole
            }.squareRoot()
        }
        guard [norm ?? 0, dataNorm, parameterNorm ?? 0, exampleNorm].allSatisfy(\.isFinite) else { throw SolverError.notFinite }
    }

    private static func mean(of rows: any GradientRows, _ interruption: Interruption) throws -> [Double] {
        let width = rows.width
        var sum = [Double](repeating: 0, count: width)
        let row = AlignedMemory<Float>(uninitialized: width)
        try rows.forEachPart(of: 0..<rows.count, length: 64, interruption: interruption) { view in
            for place in 0..<view.count {
                view.decode(place..<place + 1, into: row.start)
                for i in 0..<width { sum[i] += Double(row.start[i]) }
            }
        }
        return sum.map { $0 / Double(max(1, rows.count)) }
    }
}

/// Whether a checkpoint is a minimum of its objective, as far as influence has to tell.
///
/// Influence assumes ∇F(θ) = 0 (Koh & Liang 2017, sections 2.1 and 4.2). Leaving example i out changes ∇F by gᵢ/n: what single examples do
/// can be told apart from what is left of the training as long as ‖∇F‖ is no larger than that, of the typical example; single precision
/// holds it to about 10⁻⁶ of an example's gradient whatever n is.
struct Convergence: Sendable {
    /// What the criterion is called in answers.
    static let criterion = "one_example"
    /// The share of an example's gradient below which a mean of them in single precision is rounding.
    private static let rounding = 1e-6

    let gradient: ObjectiveGradient
    /// The largest ‖∇F‖ of a checkpoint that counts as converged.
    let limit: Double
    /// n·‖∇F‖ over the norm of the typical example's gradient: how many examples' removal would change ∇F by as much.
    let equivalentExamples: Double?
    /// Whether ‖∇F‖ is within the limit; nil where it is not known.
    let isConverged: Bool?
    /// A bound of ‖θ − θ*‖, ‖∇F‖/weight_decay, where F is convex and weight decay makes it strongly so (Nesterov 2004, theorem 2.1.10).
    let distanceBound: Double?

    init(_ gradient: ObjectiveGradient, exampleCount: Int, weightDecay: Double, isConvex: Bool) {
        self.gradient = gradient
        let count = Double(max(1, exampleCount))
        limit = gradient.exampleNorm * max(1 / count, Self.rounding)
        let norm = gradient.norm
        isConverged = norm.map { [limit] in $0 <= limit }
        equivalentExamples = norm.flatMap { gradient.exampleNorm > 0 ? count * $0 / gradient.exampleNorm : nil }
        distanceBound = norm.flatMap { isConvex && weightDecay > 0 ? $0 / weightDecay : nil }
    }
}
