internal import CKernels

/// A function that a network applies to each number by itself, as PyTorch defines it (torch.nn.functional).
///
/// NaN gives NaN in the value and both derivatives, and infinities give limits, where there are any. Derivatives at a kink are
/// PyTorch's: those on its left.
public enum ElementwiseFunction: Sendable, Hashable {
    /// max(x, 0).
    case relu
    /// x where x > 0, slope·x elsewhere.
    case leakyReLU(slope: Float)
    /// tanh x.
    case tanh
    /// σ(x) = 1 / (1 + e⁻ˣ).
    case sigmoid
    /// x·σ(x).
    case silu
    /// x·Φ(x) with the standard normal distribution function Φ.
    case gelu
    /// x·σ(2·√(2/π)·(x + 0.044715·x³)): what `gelu` is called with `approximate="tanh"`.
    case geluTanh
    /// log(1 + exp(β·x)) / β, and x itself where β·x > threshold. β must be positive.
    case softplus(beta: Float, threshold: Float)

    /// The function and its derivatives of each of some numbers, as far as they are asked for.
    ///
    /// Computed in double precision and rounded: to within 0.6 units in the last place, or 1e-9 of the derivative's largest value
    /// where it crosses zero. A result has the same bits wherever its number stands and however many there are. About 1 ns a number.
    /// - Parameters:
    ///   - x: `count` numbers at any address.
    ///   - count: how many.
    ///   - value: takes f(x); may be `x`, as may the others.
    ///   - first: takes f′(x).
    ///   - second: takes f″(x).
    public func evaluate(
        _ x: UnsafePointer<Float>, count: Int, value: UnsafeMutablePointer<Float>? = nil,
        first: UnsafeMutablePointer<Float>? = nil, second: UnsafeMutablePointer<Float>? = nil
    ) {
        let (function, a, b) =
            switch self {
            case .relu: (influenced_relu, Float(0), Float(0))
            case .leakyReLU(let slope): (influenced_leaky_relu, slope, 0)
            case .tanh: (influenced_tanh, 0, 0)
            case .sigmoid: (influenced_sigmoid, 0, 0)
            case .silu: (influenced_silu, 0, 0)
            case .gelu: (influenced_gelu, 0, 0)
            case .geluTanh: (influenced_gelu_tanh, 0, 0)
            case .softplus(let beta, let threshold): (influenced_softplus, beta, threshold)
            }
        influenced_elementwise(function, a, b, x, count, value, first, second)
    }
}
