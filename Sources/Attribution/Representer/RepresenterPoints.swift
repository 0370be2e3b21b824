public import LinearAlgebra
public import Networks

/// Representer values: what each training example adds to an output of the retrained last layer (Yeh et al. 2018, theorem 3.1; TracIn,
/// equation 4).
///
/// As the layer is stationary, λθ* = −(1/n) Σ gᵢ with gᵢ = rᵢ ⊗ h̃ᵢ, rᵢ = wᵢ·∂ℓᵢ/∂f; and so for any example z′
///
///     f_c(z′) = Σᵢ α_ic·(h̃ᵢ · h̃′),    αᵢ = −rᵢ/(λn)
///
/// where h̃ is h and, for the bias, a 1. A value above 0 has raised the output. As training gradients these are the gᵢ, in θ = (W, b); a
/// subject's direction is −(1/(λn))·e_c ⊗ h̃′. An example costs D for each output that a direction is about, not C·D.
public struct RepresenterPoints: Sendable {
    /// The retrained layer as a network on features.
    public let network: TrainedNetwork
    /// h, [n, D].
    public let features: FeatureRows
    /// r, [n, C].
    public let residuals: AlignedMemory<Float>
    /// λn.
    let scale: Double
    let targets: Targets

    /// n.
    public var count: Int { features.count }
    /// C.
    public var outputCount: Int { network.network.outputWidth }
    /// D.
    var inputCount: Int { features.width }
    /// Whether the layer has biases.
    var hasBias: Bool { dimension > outputCount * inputCount }

    /// The representer points of a layer: computes rᵢ of each example it was trained on.
    /// - Parameter hidden: the training examples with the features that reach the last layer.
    /// - Throws: `Interrupted`.
    public init(
        of layer: RetrainedLayer, on hidden: LabeledExamples, parallel: Parallel, interruption: Interruption = .never
    ) throws {
        try self.init(
            network: layer.network, exampleCount: layer.exampleCount, hidden: hidden, parallel: parallel,
            interruption: interruption)
    }

    init(
        network: TrainedNetwork, exampleCount: Int, hidden: LabeledExamples, parallel: Parallel, interruption: Interruption
    ) throws {
        precondition(
            hidden.count == exampleCount && hidden.features.width == network.network.inputWidth,
            "examples the layer was trained on")
        self.network = network
        (features, targets) = (hidden.features, hidden.targets)
        scale = network.network.weightDecay * Double(exampleCount)
        // Of a layer whose input is the network's own, factors are r alone.
        residuals = AlignedMemory(uninitialized: hidden.count * network.network.outputWidth)
        try network.factors(
            of: 0..<hidden.count, in: hidden, into: residuals.start, parallel: parallel, interruption: interruption)
    }

    /// αᵢ: an example's weight in each output.
    public func coefficients(of example: Int) -> [Double] {
        let row = UnsafeBufferPointer(start: residuals.start + example * outputCount, count: outputCount)
        return row.map { -Double($0) / scale }
    }

    /// The direction whose product with gᵢ is Σ_c u_c·α_ic·(h̃ᵢ · h̃): what the example adds to u · f(h). In θ.
    /// - Parameters:
    ///   - u: what each output counts: e_c for output c, e_c − e_d for the lead of c over d, −1 for the lack of a label 1.
    ///   - h: a test's features as the retrained layer gets them.
    public func direction(of u: [Float], features h: some Collection<Float>) -> [Float] {
        precondition(u.count == outputCount && h.count == inputCount, "a number for each output, and for each feature")
        let factors = u.map { -Double($0) / scale }
        let weights = factors.flatMap { factor in h.map { Float(factor * Double($0)) } }
        return hasBias ? weights + factors.map { Float($0) } : weights
    }

    /// ‖h̃ᵢ‖² of each example.
    private func squaredNorms(_ parallel: Parallel, _ interruption: Interruption) throws -> [Double] {
        let norms = try features.squaredNorms(parallel: parallel, interruption: interruption)
        return norms.copy.map { $0 + (hasBias ? 1 : 0) }
    }

    /// ‖gᵢ‖² = ‖rᵢ‖²·‖h̃ᵢ‖² of each example.
    func squaredGradientNorms(parallel: Parallel, interruption: Interruption) throws -> [Double] {
        let norms = try squaredNorms(parallel, interruption)
        var pace = PacedInterruption(interruption)
        return try norms.indices.map { example in
            try pace.check(after: 8 * outputCount)
            return norms[example]
                * Vectors.dot(
                    residuals.start + example * outputCount, residuals.start + example * outputCount, outputCount)
        }
    }

    /// What each example adds to the output of its own label, α_iy·‖h̃ᵢ‖²: equation 4 of TracIn with both examples the same, which is what
    /// its section 4 calls self-influence, in the class of the example's label.
    ///
    /// Where there is one output, the label's side of it is the one that the example pulls to: the value is |αᵢ|·‖h̃ᵢ‖². Wrong labels are
    /// large. Below 0 only for smoothed labels that are surer than the smoothing allows.
    /// - Throws: `Interrupted`.
    public func selfInfluence(parallel: Parallel, interruption: Interruption = .never) throws -> [Float] {
        let norms = try squaredNorms(parallel, interruption)
        var pace = PacedInterruption(interruption)
        return try norms.indices.map { example in
            try pace.check(after: 40)
            let row = residuals.start + example * outputCount
            let pull =
                switch targets {
                case .labels(let labels) where outputCount > 1: -Double(row[Int(labels[example])])
                // Of a single output, integers are numbers like others.
                default: abs(Double(row[0]))
                }
            return Float(pull / scale * norms[example])
        }
    }
}
