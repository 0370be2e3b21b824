internal import Foundation
internal import LinearAlgebra

/// What training examples are to give out: labels, or numbers.
public enum Targets: Sendable, Equatable {
    /// One class each, 0..<C: for cross entropy.
    case labels([Int32])
    /// One number each.
    case values([Float])

    /// How many.
    public var count: Int {
        switch self {
        case .labels(let labels): labels.count
        case .values(let values): values.count
        }
    }

    /// One of them, as a number.
    @inline(__always)
    public func number(_ row: Int) -> Double {
        switch self {
        case .labels(let labels): Double(labels[row])
        case .values(let values): Double(values[row])
        }
    }
}

/// A loss ℓ of outputs z and a target: its value, r = ∂ℓ/∂z, and products with A = ∂²ℓ/∂z², which for cross entropy is also the
/// Fisher matrix of the outputs. An example's weight multiplies all three.
struct LossKernel {
    let loss: LossSpec
    /// Outputs of an example: C for cross entropy, 1 otherwise.
    let width: Int

    /// Numbers that determine an example's A: C probabilities and its weight, or A itself.
    var stateWidth: Int {
        if case .crossEntropy = loss { width + 1 } else { 1 }
    }

    /// r, and what determines A, of one example.
    @inline(__always)
    func differentiate<Number: Real>(
        _ outputs: UnsafePointer<Number>, target: Double, weight: Number, gradient: UnsafeMutablePointer<Number>,
        state: UnsafeMutablePointer<Number>
    ) {
        switch loss {
        case .crossEntropy(let smoothing):
            Number.softmax(outputs, count: width, into: state)
            state[width] = weight
            let label = Int(target)
            let spread = Number(smoothing) / Number(width)
            // The target's is minus the sum of the others, as all sum to nothing: 1 − p cancels where the model is confident.
            var others: Number = 0
            for c in 0..<width where c != label {
                let r = state[c] - spread
                gradient[c] = weight * r
                others += r
            }
            gradient[label] = -weight * others
        case .binaryCrossEntropy:
            let (positive, slope) = Self.logistic(outputs[0])
            // σ(z) − y, of whichever side is small where y is at an end.
            gradient[0] = weight * (target == 1 ? -Self.logistic(-outputs[0]).value : positive - Number(target))
            state[0] = weight * slope
        case .meanSquaredError:
            gradient[0] = weight * 2 * (outputs[0] - Number(target))
            state[0] = weight * 2
        case .smoothHinge(let temperature):
            let (value, slope) = Self.logistic((1 - Number(target) * outputs[0]) / Number(temperature))
            gradient[0] = -weight * Number(target) * value
            state[0] = weight * slope * Number(target) * Number(target) / Number(temperature)
        }
    }

    /// out ← A·u of one example; u and out may be the same.
    @inline(__always)
    func multiply<Number: Real>(
        _ state: UnsafePointer<Number>, _ u: UnsafePointer<Number>, into out: UnsafeMutablePointer<Number>
    ) {
        guard case .crossEntropy = loss else {
            out[0] = state[0] * u[0]
            return
        }
        // As A·(1, …, 1) = 0, u may be measured from the likeliest class's: nothing then cancels where the model is confident.
        var top = 0
        for c in 1..<width where state[c] > state[top] { top = c }
        let (origin, weight) = (u[top], state[width])
        var mean: Number = 0
        for c in 0..<width { mean += state[c] * (u[c] - origin) }
        for c in 0..<width { out[c] = weight * state[c] * ((u[c] - origin) - mean) }
    }

    /// out ← B·e with BBᵀ = A, of one example: for cross entropy B = diag(√p) − p√pᵀ.
    @inline(__always)
    func multiplyRoot<Number: Real>(
        _ state: UnsafePointer<Number>, _ e: UnsafePointer<Number>, into out: UnsafeMutablePointer<Number>
    ) {
        guard case .crossEntropy = loss else {
            out[0] = state[0].squareRoot() * e[0]
            return
        }
        var mean: Number = 0
        for c in 0..<width { mean += state[c].squareRoot() * e[c] }
        let weight = state[width].squareRoot()
        for c in 0..<width { out[c] = weight * (state[c].squareRoot() * e[c] - state[c] * mean) }
    }

    /// ℓ without the weight, in double precision whatever the outputs are in: also a loss far below 1 keeps its digits, as nothing
    /// cancels.
    func value<Number: Real>(_ outputs: UnsafePointer<Number>, target: Double) -> Double {
        switch loss {
        case .crossEntropy(let smoothing):
            var top = 0
            for c in 1..<width where outputs[c] > outputs[top] { top = c }
            let largest = Double(outputs[top])
            // log Σ exp(z) = largest + log(1 + rest), and what the loss takes off that is never more than the largest.
            var (rest, distance) = (0.0, 0.0)
            for c in 0..<width where c != top {
                rest += exp(Double(outputs[c]) - largest)
                distance += largest - Double(outputs[c])
            }
            let exact = log1p(rest) + (largest - Double(outputs[Int(target)]))
            return smoothing == 0 ? exact : (1 - smoothing) * exact + smoothing * (log1p(rest) + distance / Double(width))
        case .binaryCrossEntropy:
            let z = Double(outputs[0])
            return (max(z, 0) - target * z) + log1p(exp(-abs(z)))
        case .meanSquaredError: return (Double(outputs[0]) - target) * (Double(outputs[0]) - target)
        case .smoothHinge(let temperature):
            return temperature * Self.softplus((1 - target * Double(outputs[0])) / temperature)
        }
    }

    /// σ(z) and σ′(z), neither of which cancels at either end.
    @inline(__always)
    static func logistic<Number: Real>(_ z: Number) -> (value: Number, slope: Number) {
        let small = Number.exponential(-abs(z))
        let value = 1 / (1 + small)
        return (z >= 0 ? value : small * value, small * value * value)
    }

    private static func softplus(_ z: Double) -> Double { max(z, 0) + log1p(exp(-abs(z))) }
}
