internal import CKernels

/// Vectors in 16 bits and a scale each, for products with rows of bytes: vector units multiply twice as many of them as floats,
/// which is what keeps a scan at the speed of memory.
///
/// An element s of vector v is kept as round(s / scale_v) with scale_v = max|s| / 32,767: off by at most scale_v / 2, about as much
/// up as down, so that a dot product with x is off by about scale_v/√12 · ‖x‖. A vector whose largest element stands out too far for
/// that to be negligible has no such form.
public struct QuantizedVectors: Sendable {
    /// How many vectors.
    public let count: Int
    /// Elements of a vector.
    public let width: Int
    /// Elements that a vector takes, the rest being 0.
    let paddedWidth: Int
    let weights: AlignedMemory<Int16>
    /// What a product of the 16-bit elements is multiplied by.
    let scales: [Float]

    /// The largest relative error, root mean square, that an element may have.
    private static let tolerance = 1e-4

    /// - Returns: nil where 16 bits are not enough for the tolerance, or a number is not finite.
    public init?(_ vectors: UnsafePointer<Float>, count: Int, width: Int) {
        self.count = count
        self.width = width
        paddedWidth = (width + 31) & ~31
        weights = AlignedMemory(repeating: 0, count: count * paddedWidth)
        var scales: [Float] = []
        for v in 0..<count {
            let vector = UnsafeBufferPointer(start: vectors + v * width, count: width)
            let largest = vector.reduce(0) { max($0, abs($1)) }
            let scale = largest / Float(Int16.max)
            // Below the normal numbers a scale is too coarse to divide by.
            guard largest.isFinite, largest == 0 || scale.isNormal else { return nil }
            let rms = (Vectors.dot(vectors + v * width, vectors + v * width, width) / Double(width)).squareRoot()
            guard Double(scale) / 12.squareRoot() <= Self.tolerance * rms else { return nil }
            let target = weights.start + v * paddedWidth
            // An all-zero vector passes the guard, and stays zero.
            if scale > 0 {
                for (j, element) in vector.enumerated() { target[j] = Int16((element / scale).rounded()) }
            }
            scales.append(scale)
        }
        self.scales = scales
    }
}

extension FeatureRows {
    /// As the product with float vectors, for rows of bytes.
    @inline(__always)
    public func project(_ tile: RowTile, on vectors: QuantizedVectors, into out: UnsafeMutablePointer<Float>) {
        influenced_project_quantized(
            tile.addresses, tile.count, width, vectors.weights.start, vectors.paddedWidth, vectors.count, out)
        for row in 0..<tile.count {
            for v in 0..<vectors.count { out[row * vectors.count + v] *= vectors.scales[v] }
        }
    }

    /// Whether rows are bytes.
    public var isBytes: Bool { if case .uint8 = storage { true } else { false } }
}
