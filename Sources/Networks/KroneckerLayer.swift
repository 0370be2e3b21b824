internal import LinearAlgebra

/// A layer's weights, or those of one of its groups of channels, as a factored curvature sees them: their gradient is Σ δ ⊗ x̃ over
/// positions, x̃ being what goes in at a position with a one behind it where there are biases, and δ the gradient of what comes out.
///
/// For a convolution the positions are those of its window, and x is what lies in it (Grosse & Martens 2016, "A Kronecker-factored
/// approximate Fisher matrix for convolution layers").
struct KroneckerLayer: Sendable {
    /// Its step, and what its tensors are named after.
    let step: Int, name: String
    let positions: Int
    /// D and C: numbers that go in and come out at a position.
    let inputs, outputs: Int
    /// Where W [C, D] begins in θ, and where b [C] does.
    let weights: Int, biases: Int?
    private let convolution: ConvolutionStep?
    private let group: Int

    /// D̃.
    var order: Int { inputs + (biases == nil ? 0 : 1) }

    /// All of a network, in the order of θ.
    static func all(of network: Network) -> [KroneckerLayer] {
        network.steps.enumerated().flatMap { index, step -> [KroneckerLayer] in
            guard step.isTrained else { return [] }
            switch step.operation {
            case .linear(let linear):
                return [
                    KroneckerLayer(
                        step: index, name: step.name, positions: linear.positions, inputs: linear.inputs, outputs: linear.outputs,
                        weights: linear.weight.offset, biases: linear.bias?.offset, convolution: nil, group: 0)
                ]
            case .convolution(let convolution):
                let outputs = convolution.outChannels / convolution.groups
                return (0..<convolution.groups).map { group in
                    KroneckerLayer(
                        step: index, name: step.name, positions: convolution.positions, inputs: convolution.taps,
                        outputs: outputs, weights: convolution.weight.offset + group * outputs * convolution.taps,
                        biases: convolution.bias.map { $0.offset + group * outputs }, convolution: convolution, group: group)
                }
            default: return []
            }
        }
    }

    /// Writes x̃ of one position of an example, `order` numbers; `x` is the example's input of the step.
    func writeInputs(at position: Int, of x: UnsafePointer<Float>, into row: UnsafeMutablePointer<Float>) {
        if biases != nil { row[inputs] = 1 }
        guard let convolution else { return row.update(from: x + position * inputs, count: inputs) }
        let (window, input) = (convolution.window, convolution.input)
        let channels = convolution.inChannels / convolution.groups
        let top = position / convolution.output.width * window.stride.height - window.padding.height
        let left = position % convolution.output.width * window.stride.width - window.padding.width
        var next = row
        for channel in group * channels..<(group + 1) * channels {
            let image = x + channel * input.height * input.width
            for i in 0..<window.kernel.height {
                let y = top + i * window.dilation.height
                let isInside = y >= 0 && y < input.height
                for j in 0..<window.kernel.width {
                    let x = left + j * window.dilation.width
                    next[j] = isInside && x >= 0 && x < input.width ? image[y * input.width + x] : 0
                }
                next += window.kernel.width
            }
        }
    }

    /// Where δ of an example lies, whose gradient of the step's output is at `dy`.
    func deltas(of dy: UnsafePointer<Float>) -> KroneckerDeltas {
        if convolution == nil { return KroneckerDeltas(start: dy, stride: outputs, byPosition: true) }
        return KroneckerDeltas(start: dy + group * outputs * positions, stride: positions, byPosition: false)
    }
}

/// The δ of an example's positions: [positions, C], or [C, positions] for a convolution.
struct KroneckerDeltas {
    let start: UnsafePointer<Float>
    /// From one row to the next.
    let stride: Int
    let byPosition: Bool

    /// The same from some position on.
    func from(_ position: Int) -> KroneckerDeltas {
        KroneckerDeltas(start: start + (byPosition ? position * stride : position), stride: stride, byPosition: byPosition)
    }

    /// How it becomes [C, positions], and the other way round.
    var byOutput: Transposition { byPosition ? .transposed : .none }
    var asRows: Transposition { byPosition ? .none : .transposed }
}
