public import LinearAlgebra

/// The rows nearest to a query, nearest first; of equally near ones the lower index is first.
public struct Neighbors: Sendable, Equatable {
    /// Which rows.
    public let indices: [UInt32]
    /// The distance or cosine of each, in double precision. An infinite distance, or a cosine that is NaN, where features are not finite.
    public let measures: [Double]

    /// Neighbours as they were found.
    public init(indices: [UInt32], measures: [Double]) {
        self.indices = indices
        self.measures = measures
    }
}

/// FastIF's candidates: the training examples nearest to a test by their features (Guo et al. 2021, section 3.2).
///
/// Exact: what comes out is what computing Σ (x − q)² for all rows in double precision and sorting would give, to the last tie. But
/// that is done only for the rows of which products in single precision leave it open whether they are among the nearest
/// (`RemotenessBounds`), usually a few more than are asked for.
///
/// Measured on a Zen 5 with AVX-512, processor time for the 1,000 nearest of 55,000 rows: 2.8 ms for 784 bytes each (a scalar loop over
/// all in double precision, and a sort: 40 ms), 1.9 ms for 128 floats (9.8 ms); for each of 16 queries 1.3 and 0.8 ms.
public enum NearestNeighbors {
    /// Queries that share a reading of the rows, and bytes that they may take of each row's bounds in all.
    private static let (together, boundBytes) = (16, 64 << 20)
    /// Candidates that a thread compares at a time.
    private static let piece = 256

    /// The `count` rows of `features` nearest to each of some queries, all of the features' width.
    ///
    /// Reads the rows once for 16 queries: 2·n·D flops for each of these. A query's neighbours do not depend, in any bit, on the
    /// other queries, the number of threads or the vector unit.
    /// - Throws: `Interrupted`.
    public static func nearest(
        to queries: [[Float]], in features: FeatureRows, count: Int, metric: NeighborMetric = .l2, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> [Neighbors] {
        precondition(queries.allSatisfy { $0.count == features.width }, "queries have the features' width")
        precondition(count >= 0, "neighbours are counted")
        let count = min(count, features.count)
        guard count > 0 else { return queries.map { _ in Neighbors(indices: [], measures: []) } }
        let room = boundBytes / (2 * MemoryLayout<Double>.stride * features.count)
        let length = max(1, min(together, room))
        return try stride(from: 0, to: queries.count, by: length).flatMap { start in
            let some = Array(queries[start..<min(start + length, queries.count)])
            let candidates = try candidates(for: some, features, count, metric, parallel, interruption)
            return try neighbors(of: some, among: candidates, features, count, metric, parallel, interruption)
        }
    }

    /// The `count` rows of `features` nearest to `query` by distance, in ascending order of index; ties go to the lower index.
    /// - Throws: `Interrupted`.
    public static func indices(
        of query: [Float], in features: FeatureRows, count: Int, parallel: Parallel, interruption: Interruption = .never
    ) throws -> [UInt32] {
        precondition(query.count == features.width, "the query has the features' width")
        guard count < features.count else { return (0..<UInt32(features.count)).map { $0 } }
        let neighbors = try nearest(
            to: [query], in: features, count: count, parallel: parallel, interruption: interruption)
        return neighbors[0].indices.sorted()
    }

    /// For each query all rows that may be among its nearest, in ascending order.
    private static func candidates(
        for queries: [[Float]], _ features: FeatureRows, _ count: Int, _ metric: NeighborMetric, _ parallel: Parallel,
        _ interruption: Interruption
    ) throws -> [[UInt32]] {
        let rows = features.count
        guard count < rows else { return queries.map { _ in (0..<UInt32(rows)).map { $0 } } }
        let bounds = RemotenessBounds(queries, in: features, metric)
        let squares = try features.squaredNorms(parallel: parallel, interruption: interruption)
        let lower = AlignedMemory<Double>(uninitialized: queries.count * rows)
        let upper = AlignedMemory<Double>(uninitialized: queries.count * rows)
        let pieces = Parallel.ranges(of: rows, pieces: 64)
        let queryCount = queries.count
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let (tile, range) = (RowTile(), pieces[piece])
            let products = AlignedMemory<Float>(uninitialized: RowTile.capacity * queryCount)
            var pace = PacedInterruption(interruption)
            for start in stride(from: 0, to: range.count, by: RowTile.capacity) {
                tile.load(start..<min(start + RowTile.capacity, range.count), of: .range(range), from: features)
                try pace.check(after: 2 * tile.count * queryCount * features.width)
                features.project(tile, on: bounds.vectors.start, vectorCount: queryCount, into: products.start)
                for place in 0..<tile.count {
                    let row = range.lowerBound + start + place
                    let norm = squares.start[row].squareRoot()
                    for query in 0..<queryCount {
                        let found = bounds.bounds(
                            product: products.start[place * queryCount + query], square: squares.start[row], norm: norm,
                            query: query)
                        lower.start[query * rows + row] = found.lower
                        upper.start[query * rows + row] = found.upper
                    }
                }
            }
        }
        return try parallel.map(queryCount, interruption: interruption) { query in
            let own = query * rows..<(query + 1) * rows
            // As many rows are no farther than this, so that no farther ones are among the nearest.
            let bound = try SmallestValues.bound(
                on: count, of: UnsafeBufferPointer(rebasing: upper.elements[own]), interruption: interruption)
            var candidates: [UInt32] = []
            var pace = PacedInterruption(interruption)
            for row in 0..<rows {
                try pace.check(after: 4)
                if lower.start[own.lowerBound + row] <= bound { candidates.append(UInt32(row)) }
            }
            return candidates
        }
    }

    /// The nearest of each query's candidates.
    private static func neighbors(
        of queries: [[Float]], among candidates: [[UInt32]], _ features: FeatureRows, _ count: Int, _ metric: NeighborMetric,
        _ parallel: Parallel, _ interruption: Interruption
    ) throws -> [Neighbors] {
        let remoteness = candidates.map { AlignedMemory<Double>(uninitialized: $0.count) }
        let pieces = candidates.indices.flatMap { query in
            stride(from: 0, to: candidates[query].count, by: piece).map { (query: query, start: $0) }
        }
        try parallel.forEach(pieces.count, interruption: interruption) { index in
            let (query, first) = pieces[index]
            let (tile, rows) = (RowTile(), RowRemoteness(features, [queries[query]], metric))
            var pace = PacedInterruption(interruption)
            let end = min(first + piece, candidates[query].count)
            try candidates[query].withUnsafeBufferPointer { indices in
                for start in stride(from: first, to: end, by: RowTile.capacity) {
                    tile.load(start..<min(start + RowTile.capacity, end), of: .indices(indices), from: features)
                    try pace.check(after: tile.count * rows.operations)
                    rows.forEach(tile) { row, _, found in remoteness[query].start[start + row] = found }
                }
            }
        }
        return try parallel.map(queries.count, interruption: interruption) { query in
            try nearest(count, of: candidates[query], by: remoteness[query], metric, interruption)
        }
    }

    private static func nearest(
        _ count: Int, of candidates: [UInt32], by remoteness: AlignedMemory<Double>, _ metric: NeighborMetric,
        _ interruption: Interruption
    ) throws -> Neighbors {
        var pace = PacedInterruption(interruption)
        let bound = try SmallestValues.bound(
            on: count, of: UnsafeBufferPointer(remoteness.elements), interruption: interruption)
        var kept: [(remoteness: Double, index: UInt32)] = []
        for (place, index) in candidates.enumerated() where remoteness.start[place] <= bound {
            try pace.check(after: 4)
            kept.append((remoteness.start[place], index))
        }
        try kept.sort {
            try pace.check(after: 40)
            return $0.remoteness == $1.remoteness ? $0.index < $1.index : $0.remoteness < $1.remoteness
        }
        let nearest = kept.prefix(count)
        return Neighbors(indices: nearest.map(\.index), measures: nearest.map { metric.measure(ofRemoteness: $0.remoteness) })
    }
}
