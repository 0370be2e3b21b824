internal import CKernels

/// A few rows of features, by their addresses: what a kernel works on at a time. One thread's own.
///
/// Few enough that bytes stay in the first-level cache from the first product to the second.
public final class RowTile {
    /// Rows that a tile takes at most.
    public static let capacity = 32

    /// Rows in the tile now.
    public private(set) var count = 0
    let addresses = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: RowTile.capacity)
    private var examples = UnsafeMutablePointer<Int>.allocate(capacity: RowTile.capacity)

    /// An empty tile.
    public init() {}

    deinit {
        addresses.deallocate()
        examples.deallocate()
    }

    /// Which example a row of the tile is.
    @inline(__always)
    public func example(_ row: Int) -> Int { examples[row] }

    /// Takes the rows `tile` of a batch, at most `capacity` of them, and asks for the memory of those after them.
    public func load(_ tile: Range<Int>, of batch: ExampleBatch, from features: FeatureRows) {
        precondition(tile.count <= RowTile.capacity, "a tile takes \(RowTile.capacity) rows")
        count = tile.count
        switch batch {
        case .range(let range):
            for row in 0..<count { set(row, to: range.lowerBound + tile.lowerBound + row, features) }
        case .indices(let indices):
            for row in 0..<count { set(row, to: Int(indices[tile.lowerBound + row]), features) }
        }
        features.prefetch(tile.upperBound..<min(tile.upperBound + count, batch.count), of: batch)
    }

    @inline(__always)
    private func set(_ row: Int, to example: Int, _ features: FeatureRows) {
        examples[row] = example
        addresses[row] = features.address(of: example)
    }
}

extension FeatureRows {
    /// Asks for the memory of some rows of a batch that will be needed soon: a kernel reads several rows at a time, and rows in any
    /// order, both of which the processor's own prefetching is slow to see.
    @inline(__always)
    public func prefetch(_ rows: Range<Int>, of batch: ExampleBatch) {
        switch batch {
        case .range(let range):
            guard !rows.isEmpty else { return }
            influenced_prefetch(address(of: range.lowerBound + rows.lowerBound), rows.count * rowByteCount)
        case .indices(let indices):
            for row in rows { influenced_prefetch(address(of: Int(indices[row])), rowByteCount) }
        }
    }

    /// Bytes of one stored row.
    var rowByteCount: Int {
        switch storage {
        case .uint8: width
        case .float32: width * MemoryLayout<Float>.stride
        }
    }

    /// Where a row begins.
    @inline(__always)
    func address(of row: Int) -> UnsafeRawPointer {
        switch storage {
        case .uint8(let memory): UnsafeRawPointer(memory.start + row * width)
        case .float32(let memory): UnsafeRawPointer(memory.start + row * width)
        }
    }

    /// out[r, v] = stored row r · weights[v], for the rows of a tile and `vectorCount` vectors as long as a row.
    ///
    /// The stored numbers, that is: the caller applies `multiplier`. 2·rows·width·vectors flops; an element of `out` has the same
    /// bits whatever other rows are in the tile.
    @inline(__always)
    public func project(
        _ tile: RowTile, on weights: UnsafePointer<Float>, vectorCount: Int, into out: UnsafeMutablePointer<Float>
    ) {
        switch storage {
        case .uint8: influenced_project_u8(tile.addresses, tile.count, width, weights, vectorCount, out)
        case .float32: influenced_project_f32(tile.addresses, tile.count, width, weights, vectorCount, out)
        }
    }

    /// out[v] = β·out[v] + addend[v] + Σ_r coefficients[r, v] · stored row r: the transposed product. β = 0 overwrites.
    @inline(__always)
    public func accumulate(
        _ tile: RowTile, coefficients: UnsafePointer<Float>, vectorCount: Int, beta: Float,
        plus addend: UnsafePointer<Float>? = nil, into out: UnsafeMutablePointer<Float>
    ) {
        switch storage {
        case .uint8: influenced_accumulate_u8(tile.addresses, tile.count, width, coefficients, vectorCount, beta, addend, out)
        case .float32: influenced_accumulate_f32(tile.addresses, tile.count, width, coefficients, vectorCount, beta, addend, out)
        }
    }
}
