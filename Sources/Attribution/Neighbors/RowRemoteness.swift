internal import LinearAlgebra

/// How remote rows of features are from some queries, in double precision, a tile at a time. One thread's own.
struct RowRemoteness {
    private let features: FeatureRows
    private let metric: NeighborMetric
    /// The queries, and a vector of zeros behind them, the distance to which is a row's norm.
    private let vectors: AlignedMemory<Double>
    private let queryCount: Int
    private let querySquares: [Double]
    private let sums, squares: AlignedMemory<Double>

    /// Floating-point operations for a row, about.
    var operations: Int { 3 * (queryCount + (metric == .cosine ? 1 : 0)) * features.width }

    /// Makes room for the tiles of one thread.
    init(_ features: FeatureRows, _ queries: [[Float]], _ metric: NeighborMetric) {
        self.features = features
        self.metric = metric
        queryCount = queries.count
        vectors = AlignedMemory(repeating: 0, count: (queries.count + 1) * features.width)
        for (index, query) in queries.enumerated() {
            for j in 0..<features.width { vectors.start[index * features.width + j] = Double(query[j]) }
        }
        querySquares = metric == .l2 ? [] : queries.map { query in FeatureRows(query, width: query.count).square }
        sums = AlignedMemory(uninitialized: RowTile.capacity * queries.count)
        squares = AlignedMemory(uninitialized: RowTile.capacity)
    }

    /// Calls `body` with each row's place in the tile, each query, and how remote they are.
    @inline(__always)
    func forEach(_ tile: RowTile, _ body: (_ row: Int, _ query: Int, _ remoteness: Double) -> Void) {
        let (sums, squares) = (sums.start, squares.start)
        switch metric {
        case .l2: features.squaredDistances(of: tile, to: vectors.start, vectorCount: queryCount, into: sums)
        case .cosine:
            features.products(of: tile, with: vectors.start, vectorCount: queryCount, into: sums)
            features.squaredDistances(
                of: tile, to: vectors.start + queryCount * features.width, vectorCount: 1, into: squares)
        }
        for row in 0..<tile.count {
            for query in 0..<queryCount {
                let sum = sums[row * queryCount + query]
                switch metric {
                case .l2: body(row, query, metric.remoteness(sum, square: 0, querySquare: 0))
                case .cosine:
                    body(row, query, metric.remoteness(sum, square: squares[row], querySquare: querySquares[query]))
                }
            }
        }
    }
}

extension FeatureRows {
    /// ‖x‖² of a single row, to the bit as that of any row with its values.
    fileprivate var square: Double {
        let (tile, zeros) = (RowTile(), AlignedMemory<Double>(repeating: 0, count: width))
        var square = 0.0
        tile.load(0..<count, of: .range(0..<count), from: self)
        squaredDistances(of: tile, to: zeros.start, vectorCount: 1, into: &square)
        return square
    }
}
