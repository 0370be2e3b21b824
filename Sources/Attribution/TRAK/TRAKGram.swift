internal import LinearAlgebra

/// ΦᵀΦ in double precision, from rows of losses: Σ rᵢrᵢᵀ/(wᵢ(1 − pᵢ)²).
struct TRAKGram {
    /// The matrix [d, d], its lower triangle.
    let matrix: AlignedMemory<Double>
    /// 1/(1 − pᵢ); 0 where φᵢ is not known.
    let reciprocals: AlignedMemory<Float>
    let unresolvedCount: Int

    /// Rows that are added at a time.
    static let rowsAtATime = 256
    /// Rows and columns of the matrix that are one piece of work.
    private static let tile = 256
    /// The smallest 1 − p by which a row can be divided.
    static let leastMarginWeight = 0x1p-100

    /// Sums over the rows from first to last: the bits depend on nothing but them.
    /// - Throws: `TRAKError.notFinite`, `Interrupted`, and what reading the rows may throw.
    init(
        of rows: any GradientRows, marginWeights: [Double], weights: [Float]?, parallel: Parallel, interruption: Interruption
    ) throws {
        let (count, width) = (rows.count, rows.width)
        matrix = AlignedMemory(repeating: 0, count: width * width)
        reciprocals = AlignedMemory(uninitialized: count)
        let decoded = AlignedMemory<Float>(uninitialized: Self.rowsAtATime * width)
        let scaled = AlignedMemory<Double>(uninitialized: Self.rowsAtATime * width)
        let tiles = Self.tiles(of: width)
        var (first, unresolved) = (0, 0)
        try rows.forEachPart(of: 0..<count, length: Self.rowsAtATime, interruption: interruption) {
            [matrix, reciprocals] view in
            view.decode(0..<view.count, into: decoded.start)
            for place in 0..<view.count {
                let (example, row) = (first + place, decoded.start + place * width)
                let (marginWeight, weight) = (marginWeights[example], Double(weights?[example] ?? 1))
                let largest = Self.largestMagnitude(row, width)
                guard largest.isFinite, marginWeight >= 0, marginWeight.isFinite else {
                    throw TRAKError.notFinite(example: example)
                }
                let isResolved = marginWeight >= Self.leastMarginWeight && largest >= Self.leastMagnitude(view.encoding)
                // What has no weight has no gradient either, and no part in anything.
                if !isResolved, weight > 0 { unresolved += 1 }
                let reciprocal = isResolved && weight > 0 ? 1 / marginWeight : 0
                reciprocals.start[example] = Float(reciprocal)
                let factor = reciprocal == 0 ? 0 : reciprocal / weight.squareRoot()
                for i in 0..<width { scaled.start[place * width + i] = factor * Double(row[i]) }
            }
            first += view.count
            let added = view.count
            try parallel.forEach(tiles.count, interruption: interruption) { piece in
                let (rows, columns) = tiles[piece]
                BLAS.multiply(
                    .transposed, .none, m: rows.count, n: columns.count, k: added, alpha: 1, scaled.start + rows.lowerBound,
                    width, scaled.start + columns.lowerBound, width, beta: 1,
                    matrix.start + rows.lowerBound * width + columns.lowerBound, width)
            }
        }
        unresolvedCount = unresolved
    }

    /// The tiles that hold the lower triangle.
    private static func tiles(of width: Int) -> [(rows: Range<Int>, columns: Range<Int>)] {
        let parts = stride(from: 0, to: width, by: tile).map { $0..<min($0 + tile, width) }
        return parts.indices.flatMap { row in parts[...row].map { (parts[row], $0) } }
    }

    /// The largest element that a row of which anything is known may have at least.
    private static func leastMagnitude(_ encoding: RowEncoding) -> Float { encoding == .float16 ? 0x1p-20 : 0 }

    /// max |xᵢ|; infinite or NaN where an element is.
    private static func largestMagnitude(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
        var (largest, flaw): (Float, Float) = (0, 0)
        for i in 0..<count {
            largest = max(largest, abs(x[i]))
            // Zero times a number is zero, unless that is not finite.
            flaw += 0 * x[i]
        }
        return flaw == 0 ? largest : .nan
    }
}
