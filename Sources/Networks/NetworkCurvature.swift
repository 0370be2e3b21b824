public import LinearAlgebra

/// The curvature of a network at fixed parameters, as products over mini-batches: see `CurvatureKind`.
///
/// A Gauss-Newton or Fisher product with an example takes about three times the work of its outputs, a Hessian product five times and
/// twice for what all vectors share.
public struct NetworkCurvature: CurvatureOperator {
    /// Which curvature.
    public let kind: CurvatureKind
    /// The network at its parameters.
    public let model: TrainedNetwork
    /// What it is the mean over.
    public let examples: LabeledExamples

    /// What is computed: where outputs are affine in θ the Hessian is the Gauss-Newton matrix, whose products take less work.
    var substance: CurvatureKind { kind == .hessian && model.network.isConvex ? .gaussNewton : kind }

    /// p.
    public var dimension: Int { model.network.parameterCount }
    /// n.
    public var exampleCount: Int { examples.count }

    /// The curvature of a kind.
    public init(_ kind: CurvatureKind, of model: TrainedNetwork, over examples: LabeledExamples) {
        precondition(examples.features.width == model.network.inputWidth, "shapes were checked at the edge")
        self.kind = kind
        self.model = model
        self.examples = examples
    }

    /// One thread's memory: a pass, and the images while they are summed.
    public final class Workspace {
        fileprivate let pass: Pass<Float>
        fileprivate let state: AlignedMemory<Float>
        fileprivate let images: AlignedMemory<Float>
        fileprivate let interruption: Interruption
        private let computation: Computation<Float>

        fileprivate init(_ curvature: NetworkCurvature, vectorCount: Int, interruption: Interruption) {
            computation = curvature.model.computation
            pass = computation.takePass(curvature.substance.order)
            state = AlignedMemory(uninitialized: pass.capacity * computation.loss.stateWidth)
            images = AlignedMemory(uninitialized: vectorCount * curvature.dimension)
            self.interruption = interruption
        }

        deinit { computation.putBack(pass) }
    }

    /// Memory for products with up to `vectorCount` vectors.
    public func makeWorkspace(vectorCount: Int, interruption: Interruption) -> Workspace {
        Workspace(self, vectorCount: vectorCount, interruption: interruption)
    }

    /// See `CurvatureOperator`.
    /// - Throws: `Interrupted`.
    public func addProduct(
        over batch: ExampleBatch, alpha: Float, of x: UnsafePointer<Float>, beta: Float, plus addend: UnsafePointer<Float>?,
        to y: UnsafeMutablePointer<Float>, vectorCount: Int, workspace: Workspace
    ) throws {
        let count = vectorCount * dimension
        // Apart from y, which x may be: every chunk needs x whole.
        let images = workspace.images.start
        images.update(repeating: 0, count: count)
        try model.computation.addProduct(
            substance, over: batch, of: examples, factor: alpha / Float(batch.count), x: x, to: images, count: vectorCount,
            pass: workspace.pass, state: workspace.state.start, interruption: workspace.interruption)
        switch (beta == 0, addend) {
        case (true, nil): y.update(from: images, count: count)
        case (true, let addend?): for i in 0..<count { y[i] = addend[i] + images[i] }
        case (false, nil): for i in 0..<count { y[i] = beta * y[i] + images[i] }
        case (false, let addend?): for i in 0..<count { y[i] = beta * y[i] + addend[i] + images[i] }
        }
    }
}
