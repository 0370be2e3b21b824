import LinearAlgebra
import Testing

/// A function and its first two derivatives at a number, computed to thirty digits by mpmath.
struct ElementwiseValues: Sendable, CustomTestStringConvertible {
    let function: ElementwiseFunction
    let x: Double
    let jet: [Double]

    var testDescription: String { "\(function) at \(x)" }

    private init(_ function: ElementwiseFunction, _ x: Double, _ jet: [Double]) {
        (self.function, self.x, self.jet) = (function, x, jet)
    }

    static let all = [
        ElementwiseValues(.tanh, -5, [-0.9999092042625951, 0.0001815832309438067, 0.0003631334879209056]),
        ElementwiseValues(.tanh, -1.25, [-0.8482836399575129, 0.28041486618043265, 0.47574268676347253]),
        ElementwiseValues(.tanh, 0, [0, 1.0, 0]),
        ElementwiseValues(.tanh, 0.5, [0.46211715726000974, 0.7864477329659274, -0.7268619813835873]),
        ElementwiseValues(.tanh, 3, [0.9950547536867305, 0.00986603716544019, -0.019634494363042435]),
        ElementwiseValues(.sigmoid, -5, [0.0066928509242848554, 0.006648056670790155, 0.006559067766322563]),
        ElementwiseValues(.sigmoid, -1.25, [0.22270013882530884, 0.173104786992497, 0.09600386680338781]),
        ElementwiseValues(.sigmoid, 0, [0.5, 0.25, 0]),
        ElementwiseValues(.sigmoid, 0.5, [0.6224593312018546, 0.2350037122015945, -0.05755679485232074]),
        ElementwiseValues(.sigmoid, 3, [0.9525741268224333, 0.04517665973091213, -0.04089157466094348]),
        ElementwiseValues(.silu, -5, [-0.03346425462142428, -0.02654743242966592, -0.019499225490032506]),
        ElementwiseValues(.silu, -1.25, [-0.27837517353163604, 0.0063191550846875815, 0.22620474048075928]),
        ElementwiseValues(.silu, 0, [0, 0.5, 0.5]),
        ElementwiseValues(.silu, 0.5, [0.3112296656009273, 0.7399611873026518, 0.4412290269770286]),
        ElementwiseValues(.silu, 3, [2.8577223804672998, 1.0881041060151697, -0.032321404521006174]),
        ElementwiseValues(.gelu, -5, [-1.4332578593959695e-06, -7.146946001792295e-06, -3.4194548838888845e-05]),
        ElementwiseValues(.gelu, -1.25, [-0.13206221708356908, -0.12266158306942213, 0.07990897485769709]),
        ElementwiseValues(.gelu, 0, [0, 0.5, 0.7978845608028654]),
        ElementwiseValues(.gelu, 0.5, [0.34573123063700656, 0.8674951246561629, 0.6161143218375241]),
        ElementwiseValues(.gelu, 3, [2.99595030590511, 1.011945647204184, -0.03102293888356605]),
        ElementwiseValues(.geluTanh, -5, [-2.291796196629506e-07, -1.5463619875325946e-06, -9.934132224996203e-06]),
        ElementwiseValues(.geluTanh, -1.25, [-0.1322857970302854, -0.12249263224964864, 0.08118097980488394]),
        ElementwiseValues(.geluTanh, 0, [0, 0.5, 0.7978845608028654]),
        ElementwiseValues(.geluTanh, 0.5, [0.34571400982514394, 0.8673699035346423, 0.6155068951159849]),
        ElementwiseValues(.geluTanh, 3, [2.996362607918227, 1.0115841666309697, -0.031767658886074704]),
        ElementwiseValues(
            .softplus(beta: 2, threshold: 20), -5, [2.2699449608432323e-05, 4.5397868702434395e-05, 9.079161547190335e-05]),
        ElementwiseValues(
            .softplus(beta: 2, threshold: 20), -1.25, [0.03944486714627481, 0.07585818002124355, 0.14020743309021633]),
        ElementwiseValues(.softplus(beta: 2, threshold: 20), 0, [0.34657359027997264, 0.5, 0.5]),
        ElementwiseValues(.softplus(beta: 2, threshold: 20), 0.5, [0.6566308437591114, 0.7310585786300049, 0.3932238664829637]),
        ElementwiseValues(.softplus(beta: 2, threshold: 20), 3, [3.001237842568865, 0.9975273768433652, 0.004933018582720095]),
    ]
}
