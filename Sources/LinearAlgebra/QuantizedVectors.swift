internal import CKernels

/// A few vectors in 16 bits and a common scale, for products with rows of bytes: vector units multiply twice as many of them as
/// floats, which is what keeps a scan at the speed of memory.
///
/// An element s is kept as round(s / scale) with scale = max|s| / 32,767: off by at most scale / 2, about as much up as down, so that a
/// dot product with x is off by about scale/√12 · ‖x‖. Vectors whose largest element stands out too far for that to be negligible have
/// no such form.
public struct QuantizedVectors: Sendable {
    /// How many vectors.
    public let count: Int
    /// Elements of a vector.
    public let width: Int
    /// What a product of the 16-bit elements is multiplied by.
    public let scale: Float
    let weights: AlignedMemory<Int16>

    /// The largest relative error, root mean square over all elements, that rounding may make.
    private static let tolerance = 3e-4

    /// - Returns: nil where 16 bits are not enough for the tolerance, or a number is not finite.
    public init?(_ vectors: UnsafePointer<Float>, count: Int, width: Int) {
        let elements = UnsafeBufferPointer(start: vectors, count: count * width)
        let largest = elements.reduce(0) { max($0, abs($1)) }
        let scale = largest / Float(Int16.max)
        // Below the normal numbers a scale is too coarse to divide by.
        guard largest.isFinite, largest == 0 || scale.isNormal else { return nil }
        let rms = (Vectors.dot(vectors, vectors, elements.count) / Double(max(1, elements.count))).squareRoot()
        guard Double(scale) / 12.squareRoot() <= Self.tolerance * rms else { return nil }
        self.count = count
        self.width = width
        self.scale = scale
        weights = AlignedMemory(repeating: 0, count: elements.count)
        // Zeros pass the guard, and stay zeros.
        guard scale > 0 else { return }
        for (i, element) in elements.enumerated() { weights.start[i] = Int16((element / scale).rounded()) }
    }
}

extension FeatureRows {
    /// As the score with float vectors, for rows of bytes, but for the vectors' scale, which the caller applies.
    @inline(__always)
    public func score(
        _ tile: RowTile, on vectors: QuantizedVectors, coefficients: UnsafePointer<Float>,
        into out: UnsafeMutablePointer<Float>
    ) {
        influenced_score_quantized(
            tile.addresses, tile.count, tile.ahead, width, vectors.weights.start, vectors.count, coefficients, out)
    }

    /// Whether rows are bytes.
    public var isBytes: Bool { if case .uint8 = storage { true } else { false } }
}
