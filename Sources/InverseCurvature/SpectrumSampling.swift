internal import LinearAlgebra

/// Which examples a spectrum is looked at through: all, or some that are evenly spread.
struct SpectrumSample: Sendable {
    /// The rows; nil for all.
    let rows: AlignedMemory<UInt32>?

    /// All examples.
    static let everything = SpectrumSample(rows: nil)

    private init(rows: AlignedMemory<UInt32>?) { self.rows = rows }

    /// One example drawn from each of `size` equal parts, so that neither sorted nor periodic data are seen askew; or all where that saves
    /// nothing worth it.
    init(of curvature: any CurvatureOperator, size: Int, seed: UInt64 = 0) {
        let count = curvature.exampleCount
        guard size > 0, size <= count / 2, count <= Int(UInt32.max) else {
            rows = nil
            return
        }
        var stream = RandomStream(seed: seed)
        rows = AlignedMemory(
            copying: Parallel.ranges(of: count, pieces: size).map {
                UInt32($0.lowerBound) + stream.next(below: UInt32($0.count))
            })
    }

    /// How many examples there are; nil for all.
    var size: Int? { rows?.count }

    /// y ← D·x over the sample.
    /// - Throws: `Interrupted`.
    func product(
        with curvature: any CurvatureOperator, of x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>,
        parallel: Parallel, interruption: Interruption
    ) throws {
        guard let rows else {
            return try curvature.product(of: x, to: y, vectorCount: 1, parallel: parallel, interruption: interruption)
        }
        try curvature.product(over: rows, of: x, to: y, parallel: parallel, interruption: interruption)
    }
}

extension CurvatureOperator {
    /// y ← the mean of Cᵢ·x over some rows, which are cut into fixed pieces for the threads.
    fileprivate func product(
        over rows: AlignedMemory<UInt32>, of x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws {
        let (dimension, count) = (dimension, rows.count)
        let ranges = Parallel.ranges(of: count, pieces: ExamplePieces.count(of: count, dimension: dimension))
        let partials = AlignedMemory<Float>(uninitialized: dimension * ranges.count)
        // Only read, by every piece.
        nonisolated(unsafe) let x = x
        try parallel.forEach(ranges.count, interruption: interruption) { piece in
            let range = ranges[piece]
            try addProduct(
                over: .indices(UnsafeBufferPointer(rebasing: rows.elements[range])), alpha: Float(range.count) / Float(count),
                of: x, beta: 0, plus: nil, to: partials.start + piece * dimension, vectorCount: 1,
                workspace: makeWorkspace(vectorCount: 1, interruption: interruption))
        }
        y.update(from: partials.start, count: dimension)
        for piece in ranges.indices.dropFirst() {
            try interruption.check()
            BLAS.add(dimension, alpha: 1, partials.start + piece * dimension, to: y)
        }
    }
}
