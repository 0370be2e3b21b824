public import LinearAlgebra

/// FastIF's candidates: the training examples nearest to a test by ℓ₂ distance of their features (Guo et al. 2021, section 3.2).
public enum NearestNeighbors {
    /// The `count` rows of `features` nearest to `query`, in ascending order of index; ties go to the lower index.
    ///
    /// Exact: Σ (x − q)² in double precision, so that near duplicates keep their order. 3·n·D flops, and n·log n comparisons.
    /// - Throws: `Interrupted`.
    public static func indices(
        of query: [Float], in features: FeatureRows, count: Int, parallel: Parallel, interruption: Interruption = .never
    ) throws -> [UInt32] {
        precondition(query.count == features.width, "the query has the features' width")
        guard count < features.count else { return (0..<UInt32(features.count)).map { $0 } }
        let distances = AlignedMemory<Double>(uninitialized: features.count)
        let pieces = Parallel.ranges(of: features.count, pieces: 64)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let tile = 32
            var pace = PacedInterruption(interruption)
            let scratch = AlignedMemory<Float>(uninitialized: tile * features.width)
            for start in stride(from: pieces[piece].lowerBound, to: pieces[piece].upperBound, by: tile) {
                let rows = start..<min(start + tile, pieces[piece].upperBound)
                try pace.check(after: 8 * rows.count * features.width)
                features.withRows(rows, scratch: scratch.start) { stored in
                    query.withUnsafeBufferPointer { query in
                        for row in rows {
                            let x = stored + (row - start) * features.width
                            var sum = 0.0
                            for j in 0..<features.width {
                                let difference = Double(x[j] * features.multiplier) - Double(query[j])
                                sum += difference * difference
                            }
                            distances.start[row] = sum
                        }
                    }
                }
            }
        }
        var order = (0..<UInt32(features.count)).map { $0 }
        var pace = PacedInterruption(interruption)
        try order.sort {
            try pace.check(after: 40)
            let (a, b) = (distances.start[Int($0)], distances.start[Int($1)])
            return a == b ? $0 < $1 : a < b
        }
        return order.prefix(count).sorted()
    }
}
