internal import CKernels

// Rows beside a few vectors in double precision, where what differs in the last place of a float matters.
extension FeatureRows {
    /// out[r, v] = Σ_j (x_rj − vectors[v]_j)², for the rows of a tile and `vectorCount` vectors as long as a row.
    ///
    /// x is the row's values as `values(of:)` has them, multiplier included; differences, squares and sums are double. 3·rows·width·vectors
    /// flops. A sum has the same bits on every vector unit and whatever other rows and vectors there are (see `kernels.h`), so that copies
    /// of a row are equally far from everything.
    @inline(__always)
    public func squaredDistances(
        of tile: RowTile, to vectors: UnsafePointer<Double>, vectorCount: Int, into out: UnsafeMutablePointer<Double>
    ) {
        influenced_compare(
            format, influenced_distance, tile.addresses, tile.count, tile.ahead, width, multiplier, vectors, vectorCount, out)
    }

    /// out[r, v] = Σ_j x_rj · vectors[v]_j: as there, and just as exact.
    @inline(__always)
    public func products(
        of tile: RowTile, with vectors: UnsafePointer<Double>, vectorCount: Int, into out: UnsafeMutablePointer<Double>
    ) {
        influenced_compare(
            format, influenced_product, tile.addresses, tile.count, tile.ahead, width, multiplier, vectors, vectorCount, out)
    }
}
