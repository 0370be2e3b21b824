internal import CKernels

/// A few rows of features, by their addresses: what a kernel works on at a time. One thread's own.
///
/// Few enough that bytes stay in the first-level cache from the first product to the second.
public final class RowTile {
    /// Rows that a tile takes at most.
    public static let capacity = 32

    /// Rows of so many bytes that a tile should take of a long batch: as many as stay in the first-level cache from one product to the next,
    /// in whole blocks of the kernels.
    public static func length(rowByteCount: Int) -> Int {
        min(capacity, max(8, (26 << 10) / max(1, rowByteCount) / 8 * 8))
    }

    /// Rows behind a tile that are given with it, to be fetched while it is multiplied.
    private static let lookahead = 16

    /// Rows in the tile now.
    public private(set) var count = 0
    /// Rows known behind them.
    private(set) var ahead = 0
    /// The rows' addresses, and those of the rows behind.
    let addresses = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: RowTile.capacity + RowTile.lookahead)
    private let examples = UnsafeMutablePointer<Int>.allocate(capacity: RowTile.capacity)

    /// An empty tile.
    public init() {}

    deinit {
        addresses.deallocate()
        examples.deallocate()
    }

    /// Which example a row of the tile is.
    @inline(__always)
    public func example(_ row: Int) -> Int { examples[row] }

    /// Whether the rows are neighbours in the data, from `example(0)` on.
    public private(set) var isContiguous = true

    /// Takes the rows `tile` of a batch, at most `capacity` of them.
    public func load(_ tile: Range<Int>, of batch: ExampleBatch, from features: FeatureRows) {
        precondition(tile.count <= RowTile.capacity, "a tile takes \(RowTile.capacity) rows")
        count = tile.count
        if case .range = batch { isContiguous = true } else { isContiguous = false }
        ahead = min(Self.lookahead, batch.count - tile.upperBound)
        let (start, step) = (features.address(of: 0), features.rowByteCount)
        switch batch {
        case .range(let range):
            let first = range.lowerBound + tile.lowerBound
            for row in 0..<count { examples[row] = first + row }
            for row in 0..<count + ahead { addresses[row] = start + (first + row) * step }
        case .indices(let indices):
            for row in 0..<count { examples[row] = Int(indices[tile.lowerBound + row]) }
            for row in 0..<count + ahead { addresses[row] = start + Int(indices[tile.lowerBound + row]) * step }
        }
    }

    /// Asks for the memory of the first rows of a batch: a hint, which costs next to nothing.
    public func prefetch(_ batch: ExampleBatch, from features: FeatureRows) {
        load(0..<min(batch.count, RowTile.capacity), of: batch, from: features)
        influenced_prefetch(addresses, count, features.rowByteCount)
    }
}

extension FeatureRows {
    /// out[r, v] = stored row r · weights[v], for the rows of a tile and `vectorCount` vectors as long as a row.
    ///
    /// The stored numbers, that is: the caller applies `multiplier`. 2·rows·width·vectors flops; an element of `out` has the same
    /// bits whatever other rows are in the tile.
    @inline(__always)
    public func project(
        _ tile: RowTile, on weights: UnsafePointer<Float>, vectorCount: Int, into out: UnsafeMutablePointer<Float>
    ) {
        influenced_project(format, tile.addresses, tile.count, tile.ahead, width, weights, vectorCount, out)
    }

    /// out[r] = Σ_v coefficients[r, v] · (stored row r · weights[v]): a projection and the dot product with the row's coefficients, at once.
    @inline(__always)
    public func score(
        _ tile: RowTile, on weights: UnsafePointer<Float>, vectorCount: Int, coefficients: UnsafePointer<Float>,
        into out: UnsafeMutablePointer<Float>
    ) {
        influenced_score(format, tile.addresses, tile.count, tile.ahead, width, weights, vectorCount, coefficients, out)
    }

    /// out[v] = β·out[v] + addend[v] + Σ_r coefficients[r, v] · stored row r: the transposed product. β = 0 overwrites.
    @inline(__always)
    public func accumulate(
        _ tile: RowTile, coefficients: UnsafePointer<Float>, vectorCount: Int, beta: Float,
        plus addend: UnsafePointer<Float>? = nil, into out: UnsafeMutablePointer<Float>
    ) {
        influenced_accumulate(format, tile.addresses, tile.count, width, coefficients, vectorCount, beta, addend, out)
    }
}
