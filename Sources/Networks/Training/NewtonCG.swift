internal import Foundation
internal import LinearAlgebra

/// Newton's method with directions by truncated conjugate gradients (Nocedal & Wright, Numerical Optimization, 2nd edition,
/// algorithm 7.1).
///
/// An epoch is one iteration. ∇²F·d = −∇F is solved as far as it pays: to ‖r‖ ≤ ηₖ·‖∇F‖ with ηₖ by Eisenstat & Walker (1996,
/// Choosing the forcing terms in an inexact Newton method, choice 2), so that the convergence is superlinear. Where a direction
/// of no positive curvature turns up, what was found before it is the step; a line search by backtracking follows.
public struct NewtonCG: Sendable, Hashable {
    /// Products with the Hessian that an iteration may take.
    public var maxProducts: Int

    /// Settings, which `TrainingSettings.validate()` checks.
    public init(maxProducts: Int = 250) { self.maxProducts = maxProducts }

    func validate() throws(TrainingError) {
        try TrainingError.require(
            maxProducts >= 1, "max_products", "\(maxProducts) products with the Hessian solve nothing; it takes 1 or more")
    }
}

/// How exact the last direction was to be, and the gradient it was for.
struct NewtonCGMemory: OptimizerMemory {
    let settings: NewtonCG
    /// ηₖ₋₁ and ‖∇F‖ₖ₋₁.
    var last: (forcing: Double, gradientNorm: Double)?
    let patience: Int? = 8

    init(_ settings: NewtonCG) { self.settings = settings }

    mutating func step(_ point: inout TrainingPoint, rate: Double, number: Int, on landscape: Landscape) throws -> StepResult {
        let norm = point.gradientNorm
        let forcing = forcing(for: norm)
        let direction = try direction(at: point, residual: forcing * norm, landscape)
        guard let next = try backtrack(from: point, along: direction, landscape) else { return .stuck }
        last = (forcing, norm)
        point = next
        return .evaluated
    }

    /// ηₖ = γ·(‖∇F‖ₖ / ‖∇F‖ₖ₋₁)², γ = 0.9, but not suddenly below γ·ηₖ₋₁², and never above ½.
    private func forcing(for norm: Double) -> Double {
        guard let last else { return 0.5 }
        let ratio = norm / last.gradientNorm
        let safeguard = 0.9 * last.forcing * last.forcing
        return min(0.5, max(0.9 * ratio * ratio, safeguard > 0.1 ? safeguard : 0))
    }

    /// Conjugate gradients on ∇²F·d = −∇F, until the residual is as small as asked or as single precision makes it.
    func direction(at point: TrainingPoint, residual goal: Double, _ landscape: Landscape) throws -> [Float] {
        var solution = [Float](repeating: 0, count: point.parameters.count)
        var residual = point.gradient.map { -$0 }
        var search = residual
        var image = solution
        var square = Vectors.dot(residual, residual)
        let floor = max(goal, 0x1p-22 * square.squareRoot())
        for product in 0..<settings.maxProducts where square.squareRoot() > floor {
            try landscape.interruption.check()
            try landscape.hessianProduct(at: point.parameters, of: search, to: &image)
            let curvature = Vectors.dot(search, image)
            let length = Vectors.dot(search, search)
            // What rounding alone could have made is no curvature.
            guard curvature > 0x1p-23 * length.squareRoot() * Vectors.norm(image), curvature.isFinite else {
                guard product == 0 else { break }
                // −∇F itself: downhill, and so far as its curvature's size tells.
                let size = abs(curvature) / length
                let scale = size.isNormal ? Float(1 / size) : 1
                return scale.isFinite ? search.map { $0 * scale } : search
            }
            let step = square / curvature
            Vectors.add(step, search, to: &solution)
            Vectors.add(-step, image, to: &residual)
            let next = Vectors.dot(residual, residual)
            let ratio = Float(next / square)
            for i in search.indices { search[i] = residual[i] + ratio * search[i] }
            square = next
        }
        return solution
    }

    /// Halves the step until F decreases by a share of what the slope promises (Armijo), as far as single precision can tell.
    private func backtrack(
        from point: TrainingPoint, along direction: [Float], _ landscape: Landscape
    ) throws -> TrainingPoint? {
        let slope = Vectors.dot(point.gradient, direction)
        guard slope < 0, slope.isFinite else { return nil }
        let noise = SinglePrecision.noise(of: point.objective)
        var trial = TrainingPoint(parameters: point.parameters)
        var step = 1.0
        for _ in 0..<WolfeLineSearch.budget {
            trial.move(from: point, by: step, along: direction)
            guard trial.parameters != point.parameters else { return nil }
            try landscape.evaluate(&trial)
            if trial.objective <= point.objective + WolfeLineSearch.decrease * step * slope + noise,
                trial.gradientNorm.isFinite
            {
                return trial
            }
            step /= 2
        }
        return nil
    }

    func encode(to writer: inout TrainingWriter) {
        writer.write(last?.forcing)
        if let last { writer.write(last.gradientNorm) }
    }

    mutating func decode(from reader: inout TrainingReader) throws(TrainingError) {
        last = nil
        guard let forcing = try reader.readOptionalNumber("the forcing term") else { return }
        let norm = try reader.readNumber("the last gradient's norm")
        guard forcing >= 0, forcing <= 0.5, norm > 0 else { throw .damaged(reason: "the forcing term is out of range") }
        last = (forcing, norm)
    }
}
