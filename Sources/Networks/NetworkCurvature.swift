public import LinearAlgebra

/// The curvature of a network at fixed parameters, as products over mini-batches: see `CurvatureKind`.
///
/// A Gauss-Newton or Fisher product with an example takes about three times the work of its outputs, a Hessian product five times; and
/// once, or twice, for what all vectors share, unless that is kept.
public struct NetworkCurvature: CurvatureOperator {
    /// Which curvature.
    public let kind: CurvatureKind
    /// The network at its parameters.
    public let model: TrainedNetwork
    /// What it is the mean over.
    public let examples: LabeledExamples

    /// What is computed: where outputs are affine in θ the Hessian is the Gauss-Newton matrix, whose products take less work.
    var substance: CurvatureKind { Self.substance(of: kind, model.network) }

    private static func substance(of kind: CurvatureKind, _ network: Network) -> CurvatureKind {
        kind == .hessian && network.isConvex ? .gaussNewton : kind
    }

    /// p.
    public var dimension: Int { model.network.parameterCount }
    /// n.
    public var exampleCount: Int { examples.count }

    /// What products share, once it is made; nil where it would take too much.
    private let keeper: ActivationKeeper?

    /// The curvature of a kind.
    /// - Parameter activationLimit: bytes that what all products share may take, which is then kept from the first product over all examples
    ///   on: for a product with one vector about a third less work, for the same bits. More would be kept: nothing is.
    public init(
        _ kind: CurvatureKind, of model: TrainedNetwork, over examples: LabeledExamples, activationLimit: Int = 0
    ) {
        precondition(examples.features.width == model.network.inputWidth, "shapes were checked at the edge")
        self.kind = kind
        self.model = model
        self.examples = examples
        let bytes = Self.activationByteCount(kind, of: model.network, exampleCount: examples.count)
        keeper = bytes.map { $0 <= activationLimit } ?? false ? ActivationKeeper() : nil
    }

    /// Bytes that are kept for products of a kind, where they may be; nil for more than can be counted.
    public static func activationByteCount(_ kind: CurvatureKind, of network: Network, exampleCount: Int) -> Int? {
        layout(substance(of: kind, network), network).byteCount(rows: exampleCount)
    }

    private static func layout(_ substance: CurvatureKind, _ network: Network) -> ActivationLayout {
        let loss = LossKernel(loss: network.loss, width: network.outputWidth)
        return ActivationLayout(network, substance, stateWidth: loss.stateWidth)
    }

    /// What is kept, or will be from the first product over all examples on.
    public var keptByteCount: Int {
        guard keeper != nil else { return 0 }
        return Self.activationByteCount(kind, of: model.network, exampleCount: exampleCount) ?? 0
    }

    /// Whether what products share is there.
    var holdsActivations: Bool { keeper?.kept != nil }

    /// Makes what products share, if it is to be kept and nobody has made it or is about it: about a third of a product's work. Products
    /// with mini-batches use it too, but do not make it.
    /// - Throws: `Interrupted`.
    public func keepActivations(parallel: Parallel, interruption: Interruption = .never) throws {
        try keeper?.make {
            try model.computation.activations(
                for: substance, Self.layout(substance, model.network), of: examples, parallel: parallel,
                interruption: interruption)
        }
    }

    /// One thread's memory: a pass, and the images while they are summed.
    public final class Workspace {
        fileprivate let pass: Pass<Float>
        fileprivate let state: AlignedMemory<Float>
        private var images: AlignedMemory<Float>?
        private let computation: Computation<Float>

        fileprivate init(_ curvature: NetworkCurvature, interruption: Interruption) {
            computation = curvature.model.computation
            pass = computation.takePass(curvature.substance.order, interruption: interruption)
            state = AlignedMemory(uninitialized: pass.capacity * computation.loss.stateWidth)
        }

        /// Memory for so many numbers. Made where it is needed: a product that goes straight to its place needs none.
        fileprivate func images(_ count: Int) -> UnsafeMutablePointer<Float> {
            if let images, images.count >= count { return images.start }
            let images = AlignedMemory<Float>(uninitialized: count)
            self.images = images
            return images.start
        }

        deinit { computation.putBack(pass) }
    }

    /// Memory for products, of which that for images grows with their number.
    public func makeWorkspace(vectorCount: Int, interruption: Interruption) -> Workspace {
        Workspace(self, interruption: interruption)
    }

    /// See `CurvatureOperator`.
    /// - Throws: `Interrupted`.
    public func addProduct(
        over batch: ExampleBatch, alpha: Float, of x: UnsafePointer<Float>, beta: Float, plus addend: UnsafePointer<Float>?,
        to y: UnsafeMutablePointer<Float>, vectorCount: Int, workspace: Workspace
    ) throws {
        precondition(batch.count > 0, "a mean needs examples")
        let count = vectorCount * dimension
        // Straight to y where nothing is added and x is not there, which every chunk needs whole.
        let isDirect = beta == 0 && addend == nil && (x + count <= y || y + count <= x)
        // Otherwise each image enters y while it is in the cache.
        let apart = isDirect || batch.count > workspace.pass.capacity ? dimension : 0
        let images = isDirect ? y : workspace.images(apart == 0 ? dimension : count)
        let factor = alpha / Float(batch.count)
        try model.computation.addProduct(
            substance, over: batch, of: examples, kept: keeper?.kept, x: x, to: images, apart: apart, count: vectorCount,
            pass: workspace.pass, state: workspace.state.start
        ) { vector in
            let (image, y) = (images + vector * apart, y + vector * dimension)
            switch (beta == 0, addend.map { $0 + vector * dimension }) {
            case (true, nil): for i in 0..<dimension { y[i] = factor * image[i] }
            case (true, let addend?): for i in 0..<dimension { y[i] = addend[i] + factor * image[i] }
            case (false, nil): for i in 0..<dimension { y[i] = beta * y[i] + factor * image[i] }
            case (false, let addend?): for i in 0..<dimension { y[i] = beta * y[i] + addend[i] + factor * image[i] }
            }
        }
    }

    /// Examples that a chunk takes at most for its products to be spread over threads rather than its examples.
    private static let smallBatch = 64

    /// y ← D·x over all examples. Of a few examples each product of matrices is spread over the threads, as pieces would leave each too
    /// few rows, and their sums would take longer than the products; but convolutions, which take long for each example, are not spread.
    /// - Throws: `Interrupted`.
    public func product(
        of x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, vectorCount: Int, parallel: Parallel,
        interruption: Interruption
    ) throws {
        try keepActivations(parallel: parallel, interruption: interruption)
        guard exampleCount <= Self.smallBatch, !model.network.hasConvolutions else {
            return try productByPieces(
                of: x, to: y, vectorCount: vectorCount, parallel: parallel, interruption: interruption)
        }
        let workspace = makeWorkspace(vectorCount: vectorCount, interruption: interruption)
        workspace.pass.parallel = parallel
        try addProduct(
            over: .range(0..<exampleCount), alpha: 1, of: x, beta: 0, plus: nil, to: y, vectorCount: vectorCount,
            workspace: workspace)
    }
}
