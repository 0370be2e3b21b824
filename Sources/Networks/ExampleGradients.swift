internal import LinearAlgebra

/// Where a network's way back begins: δ of the outputs of each of some examples.
public enum OutputGradients: Sendable {
    /// wᵢ·∂ℓᵢ/∂z: what comes back are the loss's own gradients gᵢ.
    case ofLoss
    /// These, u: outputWidth numbers for each example, one after the other. What comes back is Jᵀu, the gradient of u·z(θ), and no weight
    /// multiplies it: with u = ∂f/∂z that is ∇f for any function f of the outputs.
    case given([Float])

    /// Whether there is one for each of so many examples.
    func fits(_ count: Int, _ network: Network) -> Bool {
        if case .given(let numbers) = self { numbers.count == count * network.outputWidth } else { true }
    }
}

/// Gradients of a few examples, tests say, that other examples' gradients are multiplied with: written out, and where they are known
/// as the factors that they are products of (TracIn, appendix F).
public struct ExampleGradients: Sendable {
    /// How many.
    public let count: Int
    /// The gradients, [count, p].
    public let vectors: [Float]
    /// What they are products of, at the parameters of the network that they are gradients of.
    public let factors: Factors?

    /// x and δ of each trained layer, example by example.
    public struct Factors: Sendable {
        /// The network's inputs, [count, inputWidth].
        public let inputs: [Float]
        /// Rows as `TrainedNetwork.factors(of:in:into:parallel:interruption:)` writes them, [count, factorWidth].
        public let rows: [Float]
        let layout: FactorLayout
    }

    /// Gradients of which nothing more is known: `vectors` is [count, p].
    public init(vectors: [Float], count: Int) { self.init(vectors: vectors, count: count, factors: nil) }

    init(vectors: [Float], count: Int, factors: Factors?) {
        precondition(count > 0 ? vectors.count.isMultiple(of: count) : vectors.isEmpty, "gradients are of one length")
        (self.vectors, self.count, self.factors) = (vectors, count, factors)
    }

    /// The gradients of all of `parts`, one after the other, at least one part; of one network at one θ. Factors are known where all
    /// parts know theirs.
    public init(joining parts: [ExampleGradients]) {
        let factors = parts.compactMap(\.factors)
        self.init(
            vectors: parts.flatMap(\.vectors), count: parts.reduce(0) { $0 + $1.count },
            factors: factors.count == parts.count && !factors.isEmpty
                ? Factors(inputs: factors.flatMap(\.inputs), rows: factors.flatMap(\.rows), layout: factors[0].layout) : nil)
    }

    /// One of the gradients.
    public subscript(example: Int) -> ExampleGradients {
        precondition(example >= 0 && example < count, "gradient \(example) of \(count)")
        func part(of numbers: [Float]) -> [Float] {
            let length = numbers.count / count
            return Array(numbers[example * length..<(example + 1) * length])
        }
        return ExampleGradients(
            vectors: part(of: vectors), count: 1,
            factors: factors.map { Factors(inputs: part(of: $0.inputs), rows: part(of: $0.rows), layout: $0.layout) })
    }

    /// Each gradient times a number of its own: a learning rate, or one over its length.
    public func scaled(by multipliers: [Float]) -> ExampleGradients {
        precondition(multipliers.count == count, "a multiplier for each gradient")
        let length = count == 0 ? 0 : vectors.count / count
        var vectors = vectors
        for (example, multiplier) in multipliers.enumerated() {
            for i in example * length..<(example + 1) * length { vectors[i] *= multiplier }
        }
        return ExampleGradients(vectors: vectors, count: count, factors: factors?.scaled(by: multipliers))
    }
}

extension ExampleGradients.Factors {
    /// A gradient is linear in its δ.
    fileprivate func scaled(by multipliers: [Float]) -> Self {
        var rows = rows
        for (example, multiplier) in multipliers.enumerated() {
            for part in layout.parts {
                for i in part.dy { rows[example * layout.width + i] *= multiplier }
            }
        }
        return Self(inputs: inputs, rows: rows, layout: layout)
    }
}
