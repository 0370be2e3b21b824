/// A block of a block-diagonal approximation of a curvature, known in a basis in which it is diagonal.
public enum CurvatureBlock: Sendable {
    /// A layer's weights, or one group's, in the eigenbasis of two factors.
    case kronecker(KroneckerBlock)
    /// The elements of θ from `offset` on, each by itself.
    case diagonal(offset: Int, values: AlignedMemory<Float>)

    /// The parts of θ that the block is for.
    public var parameters: [Range<Int>] {
        switch self {
        case .kronecker(let block): block.parameters
        case .diagonal(let offset, let values): [offset..<offset + values.count]
        }
    }

    /// Diagonal elements.
    public var eigenvalues: AlignedMemory<Float> {
        switch self {
        case .kronecker(let block): block.eigenvalues
        case .diagonal(_, let values): values
        }
    }
}

/// The curvature of a matrix of weights W [C, D] and biases b [C], diagonal in a basis of outer products: (Q_G ⊗ Q_A)ᵀ Λ (Q_G ⊗ Q_A)
/// of Ṽ = [W | b], each row of which is followed by its bias (George et al. 2018).
///
/// Rows of Q_A and Q_G are the basis vectors: Q_G·Ṽ·Q_Aᵀ are coordinates, and Q_Gᵀ·T·Q_A leads back.
public struct KroneckerBlock: Sendable {
    /// C and D.
    public let outputs, inputs: Int
    /// Where W begins in θ, and where b does, if there is one.
    public let weights: Int, biases: Int?
    /// Q_A [D̃, D̃] with D̃ = `order`, and Q_G [C, C].
    public let inputVectors, outputVectors: AlignedMemory<Float>
    /// Λ [C, D̃].
    public let eigenvalues: AlignedMemory<Float>

    /// D̃: D, and one more where there are biases.
    public var order: Int { inputs + (biases == nil ? 0 : 1) }

    /// The parts of θ that it is for.
    public var parameters: [Range<Int>] {
        [weights..<weights + outputs * inputs] + (biases.map { [$0..<$0 + outputs] } ?? [])
    }

    /// A block of its parts, whose sizes must fit.
    public init(
        outputs: Int, inputs: Int, weights: Int, biases: Int?, inputVectors: AlignedMemory<Float>,
        outputVectors: AlignedMemory<Float>, eigenvalues: AlignedMemory<Float>
    ) {
        self.outputs = outputs
        self.inputs = inputs
        self.weights = weights
        self.biases = biases
        self.inputVectors = inputVectors
        self.outputVectors = outputVectors
        self.eigenvalues = eigenvalues
        precondition(
            inputVectors.count == order * order && outputVectors.count == outputs * outputs
                && eigenvalues.count == outputs * order, "the parts of a block fit together")
    }
}
