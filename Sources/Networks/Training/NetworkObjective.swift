public import LinearAlgebra

/// F of a network on its training examples, their weights and the weight decay of its spec included:
///
///     F(θ) = (1/n) Σ wᵢ·ℓ(zᵢ; θ) + (weight_decay/2)·‖θ‖²
public struct NetworkObjective: TrainingObjective {
    /// The structure.
    public let network: Network
    /// What it is trained on.
    public let examples: LabeledExamples
    private let fixed: AlignedMemory<Float>
    /// Evaluations follow each other at one θ after the other, with the same memory.
    private let passes = PassPool<Float>()

    /// - Parameter fixed: the tensors that are not trained, `network.fixedCount` numbers.
    public init(_ network: Network, fixed: [Float] = [], on examples: LabeledExamples) {
        precondition(fixed.count == network.fixedCount, "shapes were checked at the edge")
        self.network = network
        self.examples = examples
        self.fixed = AlignedMemory(copying: fixed)
    }

    /// p.
    public var dimension: Int { network.parameterCount }
    /// n.
    public var exampleCount: Int { examples.count }
    /// Every network has them; where a layer has kinks they are those of the smooth pieces between.
    public var hasHessianProducts: Bool { true }

    /// Writes ∇F of the mean over a batch.
    /// - Throws: `Interrupted`.
    public func evaluate(
        _ parameters: UnsafePointer<Float>, over batch: ExampleBatch, gradient: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws -> (loss: Double, objective: Double) {
        let loss = try trained(parameters).meanGradient(
            over: batch, of: examples, into: gradient, parallel: parallel, interruption: interruption)
        BLAS.add(dimension, alpha: Float(network.weightDecay), parameters, to: gradient)
        return (loss, loss + network.weightDecay / 2 * Vectors.dot(parameters, parameters, dimension))
    }

    /// y ← ∇²F(θ)·v.
    /// - Throws: `Interrupted`.
    public func hessianProduct(
        at parameters: UnsafePointer<Float>, of v: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws {
        try NetworkCurvature(.hessian, of: trained(parameters), over: examples).product(
            of: v, to: y, vectorCount: 1, parallel: parallel, interruption: interruption)
        BLAS.add(dimension, alpha: Float(network.weightDecay), v, to: y)
    }

    private func trained(_ parameters: UnsafePointer<Float>) -> TrainedNetwork {
        TrainedNetwork(
            network, parameters: UnsafeBufferPointer(start: parameters, count: dimension), fixed: fixed, passes: passes)
    }
}
