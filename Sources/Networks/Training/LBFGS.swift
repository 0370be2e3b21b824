internal import LinearAlgebra

/// Limited-memory BFGS with a strong Wolfe line search (Nocedal & Wright, Numerical Optimization, 2nd edition, algorithms 7.4 and
/// 7.5).
///
/// An epoch is one iteration: one step along −H·∇F, H the inverse Hessian as the last pairs of steps and changes of the gradient
/// tell it. It takes an evaluation over all examples, seldom two or three, and memory for 2·`history` + 6 vectors of p.
public struct LBFGS: Sendable, Hashable {
    /// Pairs that are remembered.
    public var history: Int

    /// Settings, which `TrainingSettings.validate()` checks.
    public init(history: Int = 20) { self.history = history }

    func validate() throws(TrainingError) {
        try TrainingError.require(
            history >= 1 && history <= 1000, "history", "\(history) is not between 1 and 1000; 20 is common")
    }
}

/// The pairs.
struct LBFGSMemory: OptimizerMemory {
    /// s = Δθ and y = Δ∇F of a step.
    struct Pair: Sendable {
        let step: [Float]
        let change: [Float]
        /// s·y.
        let inner: Double

        /// - Returns: nil where the step shows no positive curvature that stands out of the gradients' rounding.
        init?(step: [Float], change: [Float]) {
            inner = Vectors.dot(step, change)
            let (length, width) = (Vectors.norm(step), Vectors.norm(change))
            guard inner > 0x1p-23 * length * width, inner.isNormal, width.isFinite else { return nil }
            self.step = step
            self.change = change
        }
    }

    let settings: LBFGS
    let dimension: Int
    /// The oldest first.
    var pairs: [Pair] = []
    let patience: Int? = 30

    init(_ settings: LBFGS, dimension: Int) {
        self.settings = settings
        self.dimension = dimension
    }

    /// Steps along −H·∇F; where no point is lower there, along −∇F.
    mutating func step(_ point: inout TrainingPoint, rate: Double, number: Int, on landscape: Landscape) throws -> StepResult {
        var found =
            pairs.isEmpty ? nil : try search(from: point, along: direction(for: point.gradient, landscape), first: 1, landscape)
        var forgets = false
        if found == nil {
            forgets = true
            let norm = point.gradientNorm
            found = try search(from: point, along: point.gradient.map { -$0 }, first: min(1, 1 / norm), landscape)
        }
        guard let next = found else { return .stuck }
        let pair = Pair(
            step: zip(next.parameters, point.parameters).map { $0 - $1 },
            change: zip(next.gradient, point.gradient).map { $0 - $1 })
        if forgets { pairs.removeAll() }
        if let pair {
            if pairs.count == settings.history { pairs.removeFirst() }
            pairs.append(pair)
        }
        point = next
        return .evaluated
    }

    /// −H·g by the two-loop recursion, H₀ = (s·y / y·y)·I of the last pair (equation 7.20). 4·pairs·p multiplications.
    func direction(for gradient: [Float], _ landscape: Landscape) throws -> [Float] {
        var direction = gradient.map { -$0 }
        var factors = [Double](repeating: 0, count: pairs.count)
        for (i, pair) in pairs.enumerated().reversed() {
            try landscape.interruption.check()
            factors[i] = Vectors.dot(pair.step, direction) / pair.inner
            Vectors.add(-factors[i], pair.change, to: &direction)
        }
        if let last = pairs.last {
            let scale = Float(last.inner / Vectors.dot(last.change, last.change))
            for i in direction.indices { direction[i] *= scale }
        }
        for (i, pair) in pairs.enumerated() {
            try landscape.interruption.check()
            Vectors.add(factors[i] - Vectors.dot(pair.change, direction) / pair.inner, pair.step, to: &direction)
        }
        return direction
    }

    /// The point that the line search settles on; nil where there is none, or the direction does not descend.
    private func search(
        from point: TrainingPoint, along direction: [Float], first: Double, _ landscape: Landscape
    ) throws -> TrainingPoint? {
        let slope = Vectors.dot(point.gradient, direction)
        guard slope < 0, slope.isFinite else { return nil }
        var trial = TrainingPoint(parameters: point.parameters)
        var search = WolfeLineSearch(value: point.objective, slope: slope)
        func evaluate(_ step: Double) throws -> (value: Double, slope: Double) {
            trial.move(from: point, by: step, along: direction)
            try landscape.evaluate(&trial)
            return (trial.objective, Vectors.dot(trial.gradient, direction))
        }
        var last = 0.0
        let found = try search.search(from: first) { step in
            last = step
            return try evaluate(step)
        }
        guard let found else { return nil }
        if found.step != last { _ = try evaluate(found.step) }
        // A step too short for single precision has not moved.
        return trial.parameters == point.parameters ? nil : trial
    }

    func encode(to writer: inout TrainingWriter) {
        writer.write(pairs.count)
        for pair in pairs {
            writer.write(pair.step)
            writer.write(pair.change)
        }
    }

    mutating func decode(from reader: inout TrainingReader) throws(TrainingError) {
        let count = try reader.readCount("the number of pairs", atMost: settings.history)
        pairs = []
        for _ in 0..<count {
            let step = try reader.readFloats(dimension, "a step")
            let change = try reader.readFloats(dimension, "a change of the gradient")
            guard let pair = Pair(step: step, change: change) else { throw .damaged(reason: "a pair has no positive curvature") }
            pairs.append(pair)
        }
    }
}

extension TrainingPoint {
    /// θ ← origin + step·direction, each element rounded once.
    mutating func move(from origin: TrainingPoint, by step: Double, along direction: [Float]) {
        for i in parameters.indices { parameters[i] = Float(Double(origin.parameters[i]) + step * Double(direction[i])) }
    }
}
