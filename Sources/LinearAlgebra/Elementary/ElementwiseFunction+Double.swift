internal import Foundation

extension ElementwiseFunction {
    /// The same in double precision, one number after the other: what single precision is checked against.
    public func evaluate(
        _ x: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>? = nil,
        first: UnsafeMutablePointer<Double>? = nil, second: UnsafeMutablePointer<Double>? = nil
    ) {
        for i in 0..<count {
            let number = x[i]
            let result = number.isNaN ? (value: number, first: number, second: number) : jet(number)
            value?[i] = result.value
            first?[i] = result.first
            second?[i] = result.second
        }
    }

    /// f, f′ and f″ at a number or an infinity.
    private func jet(_ x: Double) -> (value: Double, first: Double, second: Double) {
        switch self {
        case .relu: return x > 0 ? (x, 1, 0) : (0, 0, 0)
        case .leakyReLU(let slope): return x > 0 ? (x, 1, 0) : (x * Double(slope), Double(slope), 0)
        case .tanh:
            let decay = exp(-2 * abs(x))
            let value = Foundation.tanh(x)
            let first = 4 * decay / ((1 + decay) * (1 + decay))
            return (value, first, -2 * value * first)
        case .sigmoid: return logistic(x)
        case .silu:
            guard x.isFinite else { return limit(x) }
            let s = logistic(x)
            return (x * s.value, s.value + x * s.first, 2 * s.first + x * s.second)
        case .gelu:
            guard x.isFinite else { return limit(x) }
            let cumulative = erfc(-x * 0.5.squareRoot()) / 2
            let density = exp(-x * x / 2) / (2 * Double.pi).squareRoot()
            return (x * cumulative, cumulative + x * density, density == 0 ? 0 : density * (2 - x * x))
        case .geluTanh:
            // Beyond, σ is zero or one to the last bit, and the cube could overflow.
            guard abs(x) < 40 else { return limit(x) }
            let linear = 2 * (2 / Double.pi).squareRoot()
            let cubic = linear * 0.044715
            let s = logistic(x * (linear + cubic * x * x))
            let slope = linear + 3 * cubic * x * x
            return (
                x * s.value, s.value + x * s.first * slope,
                2 * s.first * slope + x * (s.second * slope * slope + s.first * 6 * cubic * x)
            )
        case .softplus(let beta, let threshold):
            let z = x * Double(beta)
            guard z <= Double(threshold) else { return (x, 1, 0) }
            let s = logistic(z)
            return ((max(z, 0) + log1p(exp(-abs(z)))) / Double(beta), s.value, s.first * Double(beta))
        }
    }

    /// σ and its derivatives, with no cancellation: 1 − 2σ(x) = −tanh(x/2).
    private func logistic(_ x: Double) -> (value: Double, first: Double, second: Double) {
        let decay = exp(-abs(x))
        let half = 1 / (1 + decay)
        let first = decay * half * half
        return (x < 0 ? decay * half : half, first, -first * Foundation.tanh(x / 2))
    }

    /// What functions like x·σ(x) come to far out.
    private func limit(_ x: Double) -> (value: Double, first: Double, second: Double) { x > 0 ? (x, 1, 0) : (0, 0, 0) }
}
