public import LinearAlgebra

/// The curvature of a softmax regression at fixed parameters, as products over mini-batches.
///
/// D = (1/n) Σᵢ Aᵢ ⊗ x̃ᵢx̃ᵢᵀ, where the C × C matrix Aᵢ is diag(p) − p pᵀ (`hessian`, and `gauss_newton`, which are the same here)
/// or r rᵀ (`empirical_fisher`). A product with V [C, D] is two small products: u = x̃·Vᵀ, then (A u) ⊗ x̃: 4·D·C flops an example.
/// p and r are computed once for a checkpoint, so that a step touches nothing but its rows and its vector.
public struct SoftmaxCurvature: CurvatureOperator {
    /// Which output curvature the Aᵢ are.
    public enum Kind: Sendable {
        /// diag(p) − p pᵀ.
        case hessian
        /// r rᵀ.
        case empiricalFisher
    }

    /// The model.
    public let model: SoftmaxRegression
    /// The training examples' inputs.
    public let features: FeatureRows
    /// p for `hessian`, r for `empiricalFisher`: [n, C].
    let outputFactors: [Float]
    /// Which curvature this is.
    public let kind: Kind
    /// Gets each tile of rows that a product reads, before it is multiplied.
    private var observer: (@Sendable (RowTile) -> Void)?

    /// - Parameter outputFactors: probabilities for `hessian`, residuals for `empiricalFisher`, [n, C].
    public init(_ kind: Kind, model: SoftmaxRegression, features: FeatureRows, outputFactors: [Float]) {
        precondition(outputFactors.count == features.count * model.classCount, "one row of output factors for each example")
        self.kind = kind
        self.model = model
        self.features = features
        self.outputFactors = outputFactors
    }

    /// The same from the residuals r = p − onehot(y), [n, C], and the labels y: such a network's gradient factors where examples have no
    /// weights, which would multiply them.
    public init(
        _ kind: Kind, model: SoftmaxRegression, features: FeatureRows, residuals: [Float], targets: [Int32]
    ) {
        var factors = residuals
        if kind == .hessian {
            for (row, target) in targets.enumerated() { factors[row * model.classCount + Int(target)] += 1 }
        }
        self.init(kind, model: model, features: features, outputFactors: factors)
    }

    /// The same curvature, whose products show each tile of rows to `observer` before they multiply it: what else is to be made of rows
    /// then needs no reading of its own. Products with several vectors show a tile once.
    public func showingRows(to observer: @escaping @Sendable (RowTile) -> Void) -> SoftmaxCurvature {
        var shown = self
        shown.observer = observer
        return shown
    }

    /// p: the length of θ.
    public var dimension: Int { model.parameterCount }
    /// n.
    public var exampleCount: Int { features.count }

    /// Scratch memory of one thread.
    public final class Workspace {
        let tile = RowTile()
        let outputs: AlignedMemory<Float>
        let sum: AlignedMemory<Float>
        var pace: PacedInterruption

        init(model: SoftmaxRegression, vectorCount: Int, interruption: Interruption) {
            pace = PacedInterruption(interruption)
            outputs = AlignedMemory(uninitialized: RowTile.capacity * model.classCount)
            sum = AlignedMemory(uninitialized: model.parameterCount * vectorCount)
        }
    }

    /// Memory for products with up to `vectorCount` vectors.
    public func makeWorkspace(vectorCount: Int, interruption: Interruption) -> Workspace {
        Workspace(model: model, vectorCount: vectorCount, interruption: interruption)
    }

    /// y ← β·y + addend + α·(1/|B|) Σ_{i∈B} Cᵢ·x. The rows of a tile serve all vectors, one by one, while they are in the first-level
    /// cache.
    /// - Throws: `Interrupted`.
    public func addProduct(
        over batch: ExampleBatch, alpha: Float, of x: UnsafePointer<Float>, beta: Float, plus addend: UnsafePointer<Float>?,
        to y: UnsafeMutablePointer<Float>, vectorCount: Int, workspace: Workspace
    ) throws {
        precondition(batch.count > 0, "a mean needs examples")
        let factor = alpha / Float(batch.count)
        let tile = workspace.tile
        // One tile can go straight to y: its product with x is complete before y is written. More tiles must not.
        let direct = batch.count <= RowTile.capacity
        let length = direct ? RowTile.capacity : RowTile.length(rowByteCount: features.rowByteCount)
        for start in stride(from: 0, to: batch.count, by: length) {
            tile.load(start..<min(start + length, batch.count), of: batch, from: features)
            observer?(tile)
            let operations = 4 * tile.count * dimension
            for v in 0..<vectorCount {
                try workspace.pace.check(after: operations)
                let offset = v * dimension
                model.outputs(x + offset, of: tile, in: features, into: workspace.outputs.start)
                applyOutputCurvature(tile, workspace.outputs.start)
                model.accumulate(
                    workspace.outputs.start, of: tile, in: features, alpha: factor,
                    beta: direct ? beta : (start == 0 ? 0 : 1), plus: direct ? addend.map { $0 + offset } : nil,
                    into: (direct ? y : workspace.sum.start) + offset)
            }
        }
        guard !direct else { return }
        // Vector by vector: BLAS counts in 32 bits, which hold p but not any multiple of it.
        for offset in stride(from: 0, to: dimension * vectorCount, by: dimension) {
            if beta == 0 {
                (y + offset).update(from: workspace.sum.start + offset, count: dimension)
            } else {
                if beta != 1 { BLAS.scale(dimension, by: beta, y + offset) }
                BLAS.add(dimension, alpha: 1, workspace.sum.start + offset, to: y + offset)
            }
            if let addend { BLAS.add(dimension, alpha: 1, addend + offset, to: y + offset) }
        }
    }

    /// Asks for the rows of the batch's first tile; each tile asks for the next.
    public func prepare(for batch: ExampleBatch, workspace: Workspace) { workspace.tile.prefetch(batch, from: features) }

    /// u ← A u for each row: p∘u − p(p·u), or r(r·u).
    @inline(__always)
    private func applyOutputCurvature(_ tile: RowTile, _ outputs: UnsafeMutablePointer<Float>) {
        let classes = model.classCount
        outputFactors.withUnsafeBufferPointer { factors in
            for row in 0..<tile.count {
                let f = factors.baseAddress! + tile.example(row) * classes
                let u = outputs + row * classes
                var inner: Float = 0
                for c in 0..<classes { inner += f[c] * u[c] }
                switch kind {
                case .hessian: for c in 0..<classes { u[c] = f[c] * (u[c] - inner) }
                case .empiricalFisher: for c in 0..<classes { u[c] = f[c] * inner }
                }
            }
        }
    }
}
