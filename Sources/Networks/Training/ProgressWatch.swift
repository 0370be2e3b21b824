/// Sees where a deterministic method no longer gets anywhere: neither F nor ‖∇F‖ gets smaller.
struct ProgressWatch: Sendable {
    /// A measured θ.
    struct Record: Sendable {
        let parameters: [Float]
        let loss: Double
        let objective: Double
        let gradientNorm: Double
    }

    /// The smallest ‖∇F‖ among the points whose F is as low as any, for all that single precision can tell.
    var best: Record?
    /// F that has to be undercut.
    var reference = Double.infinity
    /// Points since F or ‖∇F‖ last got smaller.
    var idle = 0
    /// Whether the method found no step at all.
    var isStuck = false

    /// Takes note of a point that was measured.
    mutating func note(_ point: TrainingPoint, gradientNorm: Double) {
        let lower = reference - SinglePrecision.noise(of: reference)
        let isLower = best == nil || point.objective < lower
        let isFlatter = best.map { gradientNorm < 0.9 * $0.gradientNorm } ?? true
        idle = isLower || isFlatter ? 0 : idle + 1
        if isLower { reference = point.objective }
        if isLower || best.map({ gradientNorm < $0.gradientNorm }) ?? true {
            best = Record(
                parameters: point.parameters, loss: point.loss, objective: point.objective, gradientNorm: gradientNorm)
        }
    }
}
