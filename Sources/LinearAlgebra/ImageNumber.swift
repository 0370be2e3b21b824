internal import CKernels

/// A kind of number that the kernels over images are compiled for.
public protocol ImageNumber: BinaryFloatingPoint, BitwiseCopyable {
    /// results ← (adding ? results : 0) + bias + the correlation of some examples' planes with weights: 2 flops for each output,
    /// position and tap. No bias is zero. Up to 15 numbers behind the planes are read, and have no effect on the results.
    static func correlate(
        _ shape: Correlation, examples: Int, planes: UnsafePointer<Self>, weights: UnsafePointer<Self>,
        bias: UnsafePointer<Self>?, adding: Bool, into results: UnsafeMutablePointer<Self>)

    /// The transposed product: weights ← weights + Σ_positions results · what their taps read, and bias ← bias + Σ_positions results,
    /// where they are wanted. Up to 15 numbers behind the planes are read, which must be finite.
    static func addCorrelation(
        _ shape: Correlation, examples: Int, planes: UnsafePointer<Self>, results: UnsafePointer<Self>,
        to weights: UnsafeMutablePointer<Self>?, bias: UnsafeMutablePointer<Self>?)

    /// destination[r, c] ← source[r, c · step], each with its own distance between rows.
    static func copyPlane(
        _ source: UnsafePointer<Self>, pitch: Int, step: Int, into destination: UnsafeMutablePointer<Self>,
        pitch destinationPitch: Int, rows: Int, columns: Int)

    /// The largest number of each window over some images, and where it lies in its image; −∞ and −1 for an empty window.
    /// Of equal numbers the first counts, row by row; NaN is larger than anything, and of several the last counts.
    static func maxPool(
        _ windows: PoolingWindows, images: Int, _ image: UnsafePointer<Self>, into largest: UnsafeMutablePointer<Self>,
        places: UnsafeMutablePointer<Int32>?)
}

extension Float: ImageNumber {
    /// See `ImageNumber`.
    public static func correlate(
        _ shape: Correlation, examples: Int, planes: UnsafePointer<Float>, weights: UnsafePointer<Float>,
        bias: UnsafePointer<Float>?, adding: Bool, into results: UnsafeMutablePointer<Float>
    ) {
        shape.withShape { influenced_correlate_f32($0, examples, planes, weights, bias, adding, results) }
    }

    /// See `ImageNumber`.
    public static func addCorrelation(
        _ shape: Correlation, examples: Int, planes: UnsafePointer<Float>, results: UnsafePointer<Float>,
        to weights: UnsafeMutablePointer<Float>?, bias: UnsafeMutablePointer<Float>?
    ) {
        shape.withShape { influenced_correlate_weights_f32($0, examples, planes, results, weights, bias) }
    }

    /// See `ImageNumber`.
    public static func copyPlane(
        _ source: UnsafePointer<Float>, pitch: Int, step: Int, into destination: UnsafeMutablePointer<Float>,
        pitch destinationPitch: Int, rows: Int, columns: Int
    ) {
        influenced_copy_plane_f32(source, pitch, step, destination, destinationPitch, rows, columns)
    }

    /// See `ImageNumber`.
    public static func maxPool(
        _ windows: PoolingWindows, images: Int, _ image: UnsafePointer<Float>, into largest: UnsafeMutablePointer<Float>,
        places: UnsafeMutablePointer<Int32>?
    ) {
        withUnsafePointer(to: windows.windows) { influenced_max_pool_f32($0, images, image, largest, places) }
    }
}

extension Double: ImageNumber {
    /// See `ImageNumber`.
    public static func correlate(
        _ shape: Correlation, examples: Int, planes: UnsafePointer<Double>, weights: UnsafePointer<Double>,
        bias: UnsafePointer<Double>?, adding: Bool, into results: UnsafeMutablePointer<Double>
    ) {
        shape.withShape { influenced_correlate_f64($0, examples, planes, weights, bias, adding, results) }
    }

    /// See `ImageNumber`.
    public static func addCorrelation(
        _ shape: Correlation, examples: Int, planes: UnsafePointer<Double>, results: UnsafePointer<Double>,
        to weights: UnsafeMutablePointer<Double>?, bias: UnsafeMutablePointer<Double>?
    ) {
        shape.withShape { influenced_correlate_weights_f64($0, examples, planes, results, weights, bias) }
    }

    /// See `ImageNumber`.
    public static func copyPlane(
        _ source: UnsafePointer<Double>, pitch: Int, step: Int, into destination: UnsafeMutablePointer<Double>,
        pitch destinationPitch: Int, rows: Int, columns: Int
    ) {
        influenced_copy_plane_f64(source, pitch, step, destination, destinationPitch, rows, columns)
    }

    /// See `ImageNumber`.
    public static func maxPool(
        _ windows: PoolingWindows, images: Int, _ image: UnsafePointer<Double>, into largest: UnsafeMutablePointer<Double>,
        places: UnsafeMutablePointer<Int32>?
    ) {
        withUnsafePointer(to: windows.windows) { influenced_max_pool_f64($0, images, image, largest, places) }
    }
}
