internal import LinearAlgebra

/// A network as a chain of steps over rows of numbers, with all shapes known: what a spec describes, ready to be computed.
///
/// θ holds the trained tensors in the order of the spec's layers, weight before bias, each row-major; what is not trained (frozen
/// layers, running statistics) lies in a second vector of the same kind, the fixed one. Layers that do nothing to the numbers
/// (flatten, dropout) have no step.
public struct Network: Sendable {
    /// Extents of one example's input.
    public let inputShape: [Int]
    /// Whether inputs are token ids, and how many there are: all must be below.
    public let tokenCount: Int?
    /// Numbers that the last layer puts out.
    public let outputWidth: Int
    /// What each example's loss is.
    public let loss: LossSpec
    /// The objective's L2 factor.
    public let weightDecay: Double
    /// All tensors, trained or not, in order.
    public let tensors: [NetworkTensor]
    /// p: numbers in θ.
    public let parameterCount: Int
    /// Numbers in the tensors that are not trained.
    public let fixedCount: Int
    /// The layers by name, each behind those that it is computed from.
    public let layers: [NetworkLayer]
    let steps: [Step]
    /// For each activation, the residual blocks that begin with it: the activations in which they end.
    let skips: [[Int]]

    /// Numbers in one example's input.
    public var inputWidth: Int { inputShape.reduce(1, *) }

    /// Whether layers are convolutions.
    var hasConvolutions: Bool { steps.contains { if case .convolution = $0.operation { true } else { false } } }

    /// The numbers that one example takes as it passes: its input and what each step puts out.
    var activationWidth: Int { inputWidth + steps.reduce(0) { $0 + $1.outputWidth } }

    /// Examples that are computed at a time, 1 to 256. Depends on the network alone.
    ///
    /// As many as keep their activations in the second-level cache, as products of matrices need a few dozen rows to be fast and a cache
    /// holds what they touch. Up to 64 where there are more weights than that: those are read from memory for every few rows, and as
    /// many rows may share that as take no more memory themselves, of which a pass has four kinds. But few enough for no step to
    /// take much longer than some 20 ms, as what is to be interrupted is asked behind each.
    ///
    /// Measured on one core of a Zen 5 for AlexNet, whose layers allow three rows: 1.6 times as fast as one by one, for outputs and for
    /// gradients. Sixteen would be 1.4 times as fast again.
    var rowsAtATime: Int {
        let cached = (192 << 10) / activationWidth
        let sharing = min(64, (parameterCount + fixedCount) / (4 * activationWidth))
        let soon = (3 << 29) / (steps.map(\.operations).max() ?? 1)
        return min(256, max(1, min(soon, max(cached, sharing))))
    }
}

/// A tensor of a network.
public struct NetworkTensor: Sendable, Equatable {
    /// Its name in the file that it comes from.
    public let name: String
    /// Its extents.
    public let shape: [Int]
    /// Where its numbers lie.
    public let slot: TensorSlot

    /// Whether it is part of θ.
    public var isTrained: Bool { slot.isTrained }
}

/// Where a tensor's numbers lie.
public struct TensorSlot: Sendable, Equatable {
    /// In θ, or among what is fixed.
    public let isTrained: Bool
    /// The first of them.
    public let offset: Int
    /// How many.
    public let count: Int

    /// The numbers.
    @inline(__always)
    func pointer<Number: Real>(in parameters: Parameters<Number>) -> UnsafePointer<Number> {
        (isTrained ? parameters.trained : parameters.fixed) + offset
    }

    /// Their part of a vector like θ; nil for what is not trained.
    @inline(__always)
    func part<Pointer: Strideable>(of vector: Pointer) -> Pointer? where Pointer.Stride == Int {
        isTrained ? vector.advanced(by: offset) : nil
    }
}

/// The numbers of a network's tensors, lent for a computation.
struct Parameters<Number: Real> {
    let trained: UnsafePointer<Number>
    let fixed: UnsafePointer<Number>
}

/// One step of a network: an operation on each row of its input.
struct Step: Sendable {
    let operation: Operation
    /// Numbers of a row that goes in, and of one that comes out.
    let inputWidth, outputWidth: Int
    /// Whether it has tensors that are trained.
    var isTrained: Bool { !trained.isEmpty }
    /// Where its trained tensors lie in θ, one after the other.
    let trained: Range<Int>
    /// Floating-point operations of one row's way forward, about.
    var operations: Int { operation.operations(self) }
    /// Its layer's place in the spec and what its tensors are named after.
    let pointer, name: String
}
