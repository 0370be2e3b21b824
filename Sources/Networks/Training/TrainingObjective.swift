public import LinearAlgebra

/// What training minimises, known by its values, gradients and, where they exist, products with its Hessian:
///
///     F(θ) = (1/n) Σ ℓ(zᵢ; θ) + (weight_decay/2)·‖θ‖²
///
/// Weight decay is inside F, so that every optimiser has the same minimum. For given arguments the results have the same bits on
/// every call, whatever the number of threads: a run can only be repeated or resumed to the bit if they do.
public protocol TrainingObjective: Sendable {
    /// p: the length of θ.
    var dimension: Int { get }
    /// n: training examples.
    var exampleCount: Int { get }
    /// Whether there are products with the Hessian. Not by itself.
    var hasHessianProducts: Bool { get }

    /// Writes ∇F of the mean over a batch, which is not empty.
    /// - Returns: the mean loss without weight decay, and F.
    /// - Throws: `Interrupted`; what `gradient` holds is of no use then.
    func evaluate(
        _ parameters: UnsafePointer<Float>, over batch: ExampleBatch, gradient: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws -> (loss: Double, objective: Double)

    /// y ← ∇²F(θ)·v over all examples, weight decay included.
    /// - Throws: `TrainingError.noHessianProducts`, `Interrupted`.
    func hessianProduct(
        at parameters: UnsafePointer<Float>, of v: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws
}

extension TrainingObjective {
    /// None.
    public var hasHessianProducts: Bool { false }

    /// Refuses.
    public func hessianProduct(
        at parameters: UnsafePointer<Float>, of v: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws {
        throw TrainingError.noHessianProducts
    }
}
