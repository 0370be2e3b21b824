internal import LinearAlgebra

/// Products of the gradients of a linear layer on one position: (x·x′ + 1)(δ·δ′), TracIn's appendix F.
struct OuterPairs: Sendable {
    let part: FactorLayout.Part
    private let inputs, outputs: Int
    /// What the bias adds to x·x′.
    private let one: Float
    /// x′ and δ′ of the other examples, [count, D] and [count, C].
    private let x, dy: AlignedMemory<Float>

    init(_ part: FactorLayout.Part, _ linear: LinearStep, _ count: Int, _ factors: ExampleGradients.Factors) {
        self.part = part
        (inputs, outputs) = (linear.inputs, linear.outputs)
        one = linear.bias == nil ? 0 : 1
        (x, dy) = (factors.inputs(of: part), factors.outputGradients(of: part))
    }

    /// Floating-point operations of a row with one other example.
    var operations: Int { 2 * (inputs + outputs) }

    /// scores[k, r] ← scores[k, r] + the product of row r with the k-th of a block of others.
    /// - Parameters:
    ///   - rows: where the factors lie.
    ///   - features: where x lies if that is the network's input, and the examples that the rows are of, from a place in a batch on.
    ///   - sums: room for 2 · block · rows numbers.
    func add(
        _ block: Range<Int>, _ rows: FactorRows, _ features: FeatureRows, _ batch: ExampleBatch, at place: Int, _ tile: RowTile,
        sums: UnsafeMutablePointer<Float>, to scores: UnsafeMutablePointer<Float>, stride: Int
    ) throws {
        let (n, first) = (rows.count, block.lowerBound)
        let deltas = sums + block.count * n
        try Self.multiply(rows.dy, rows.dyStride, rows, dy.start + first * outputs, block.count, width: outputs, into: deltas)
        guard let start = rows.x else {
            precondition(features.width == inputs, "shapes were checked at the edge")
            // Rows of the product are features as they are stored, and columns others.
            for start in Swift.stride(from: 0, to: n, by: RowTile.capacity) {
                tile.load(place + start..<place + min(start + RowTile.capacity, n), of: batch, from: features)
                features.project(
                    tile, on: x.start + first * inputs, vectorCount: block.count, into: sums + start * block.count)
            }
            let multiplier = features.multiplier
            for k in 0..<block.count {
                let (scores, deltas) = (scores + (first + k) * stride, deltas + k * n)
                for r in 0..<n { scores[r] += (multiplier * sums[r * block.count + k] + one) * deltas[r] }
            }
            return
        }
        try Self.multiply(start, rows.xStride, rows, x.start + first * inputs, block.count, width: inputs, into: sums)
        for k in 0..<block.count {
            let (scores, sums, deltas) = (scores + (first + k) * stride, sums + k * n, deltas + k * n)
            for r in 0..<n { scores[r] += (sums[r] + one) * deltas[r] }
        }
    }

    /// out[k, r] = row r · vector k.
    private static func multiply(
        _ start: UnsafePointer<Float>, _ stride: Int, _ rows: FactorRows, _ vectors: UnsafePointer<Float>, _ vectorCount: Int,
        width: Int, into out: UnsafeMutablePointer<Float>
    ) throws {
        guard rows.count > 0 else { return }
        let (count, size) = (rows.count + rows.ahead, MemoryLayout<Float>.stride)
        let bytes = UnsafeRawBufferPointer(start: start, count: ((count - 1) * stride + width) * size)
        try EncodedRows(bytes, count: count, width: width, encoding: .float32, stride: stride * size)
            .score(0..<rows.count, along: vectors, vectorCount: vectorCount, into: out, stride: rows.count)
    }
}
