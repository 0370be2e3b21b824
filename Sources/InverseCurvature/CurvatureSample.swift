public import LinearAlgebra

/// The curvature of some evenly spread examples: D_S = (1/|S|) Σ_{i∈S} Cᵢ. A product with it costs |S|/n of one with D, and it differs from
/// D, in the directions that matter to (D + λI)⁻¹, by about √(d/|S|), where d = trace(D(D + λI)⁻¹) counts them.
public struct CurvatureSample<Base: CurvatureOperator>: CurvatureOperator {
    /// D.
    public let base: Base
    /// S, in ascending order.
    public let rows: AlignedMemory<UInt32>

    /// One example drawn from each of `size` equal parts, so that neither sorted nor periodic data are seen askew; all of them where there
    /// are no more.
    public init(of base: Base, size: Int, seed: UInt64 = 0) {
        let count = base.exampleCount
        precondition(size > 0 && count <= Int(UInt32.max), "a sample is of examples")
        self.base = base
        var stream = RandomStream(seed: seed)
        rows = AlignedMemory(
            copying: Parallel.ranges(of: count, pieces: size).map {
                UInt32($0.lowerBound) + stream.next(below: UInt32($0.count))
            })
    }

    /// p.
    public var dimension: Int { base.dimension }
    /// |S|.
    public var exampleCount: Int { rows.count }

    /// Memory for products with up to `vectorCount` vectors.
    public func makeWorkspace(vectorCount: Int, interruption: Interruption) -> Base.Workspace {
        base.makeWorkspace(vectorCount: vectorCount, interruption: interruption)
    }

    /// See `CurvatureOperator`; a batch counts in places of the sample.
    /// - Throws: `Interrupted`.
    public func addProduct(
        over batch: ExampleBatch, alpha: Float, of x: UnsafePointer<Float>, beta: Float, plus addend: UnsafePointer<Float>?,
        to y: UnsafeMutablePointer<Float>, vectorCount: Int, workspace: Base.Workspace
    ) throws {
        try withRows(of: batch) {
            try base.addProduct(
                over: $0, alpha: alpha, of: x, beta: beta, plus: addend, to: y, vectorCount: vectorCount, workspace: workspace)
        }
    }

    /// trace(D), of which that of the sample is an estimate, and R².
    /// - Throws: `Interrupted`.
    public func measure(parallel: Parallel, interruption: Interruption) throws -> CurvatureSize {
        try base.measure(parallel: parallel, interruption: interruption)
    }

    /// Writes D_S + λI: as its base does where that is cheap for a sample, and otherwise by a product for each column.
    /// - Throws: `Interrupted`.
    public func write(
        plus shift: Double, to matrix: PackedSymmetricMatrix, parallel: Parallel, interruption: Interruption
    ) throws {
        precondition(matrix.order == dimension, "the matrix has the curvature's order")
        if let explicit = base as? any ExplicitCurvature {
            return try explicit.write(
                over: .indices(UnsafeBufferPointer(rows.elements)), plus: shift, to: matrix, parallel: parallel,
                interruption: interruption)
        }
        try writeByColumns(plus: shift, to: matrix, parallel: parallel, interruption: interruption)
    }

    private func withRows<Result>(of batch: ExampleBatch, _ body: (ExampleBatch) throws -> Result) rethrows -> Result {
        switch batch {
        case .range(let places): try body(.indices(UnsafeBufferPointer(rebasing: rows.elements[places])))
        case .indices(let places):
            try withUnsafeTemporaryAllocation(of: UInt32.self, capacity: places.count) { chosen in
                for (i, place) in places.enumerated() { chosen[i] = rows.elements[Int(place)] }
                return try body(.indices(UnsafeBufferPointer(chosen)))
            }
        }
    }
}

extension CurvatureOperator {
    /// The curvature of `size` evenly spread examples; itself where there are no more.
    func sampled(size: Int, seed: UInt64) -> any CurvatureOperator {
        size < exampleCount && exampleCount <= Int(UInt32.max) ? CurvatureSample(of: self, size: size, seed: seed) : self
    }
}
