internal import CKernels

/// A matrix of example features, row after row in the format it is stored in: bytes stay bytes until a kernel needs them.
///
/// A feature's value is `multiplier` × the stored number (pixels 0…255 with multiplier 1/255, say). Kernels work on the stored
/// numbers and fold the multiplier into a product's factor, so that no scaled copy of the data is ever made.
public final class FeatureRows: Sendable {
    /// How the features are stored.
    public enum Storage: Sendable {
        /// One byte a feature, 0…255.
        case uint8(AlignedMemory<UInt8>)
        /// Single precision.
        case float32(AlignedMemory<Float>)
    }

    /// The stored numbers, `count` × `width`, row-major.
    public let storage: Storage
    /// Rows.
    public let count: Int
    /// Features in a row.
    public let width: Int
    /// What a stored number is multiplied by to give the feature's value.
    public let multiplier: Float

    /// Bytes held.
    public var byteCount: Int {
        switch storage {
        case .uint8(let memory): memory.count
        case .float32(let memory): memory.count * MemoryLayout<Float>.stride
        }
    }

    /// Takes over memory of `count` × `width` elements.
    public init(_ storage: Storage, count: Int, width: Int, multiplier: Float = 1) {
        let elements =
            switch storage {
            case .uint8(let memory): memory.count
            case .float32(let memory): memory.count
            }
        precondition(elements == count * width, "\(elements) elements are not \(count) rows of \(width)")
        self.storage = storage
        self.count = count
        self.width = width
        self.multiplier = multiplier
    }

    /// Copies rows of floats.
    public convenience init(_ rows: [Float], width: Int, multiplier: Float = 1) {
        self.init(
            .float32(AlignedMemory(copying: rows)), count: width == 0 ? 0 : rows.count / width, width: width,
            multiplier: multiplier)
    }

    /// Calls `body` with the stored numbers of a range of rows as floats, row-major.
    ///
    /// Single precision is lent as it lies in memory; bytes are widened into `scratch`, which must hold the range.
    @inline(__always)
    public func withRows<Result>(
        _ rows: Range<Int>, scratch: UnsafeMutablePointer<Float>, _ body: (UnsafePointer<Float>) throws -> Result
    ) rethrows -> Result {
        switch storage {
        case .float32(let memory):
            return try body(UnsafePointer(memory.start + rows.lowerBound * width))
        case .uint8(let memory):
            influenced_widen(memory.start + rows.lowerBound * width, scratch, rows.count * width)
            return try body(UnsafePointer(scratch))
        }
    }

    /// Copies the values of some rows, multiplier included, row-major.
    public func copyValues(of rows: Range<Int>, into destination: UnsafeMutablePointer<Float>) {
        let count = rows.count * width
        switch storage {
        case .float32(let memory): destination.update(from: memory.start + rows.lowerBound * width, count: count)
        case .uint8(let memory): influenced_widen(memory.start + rows.lowerBound * width, destination, count)
        }
        if multiplier != 1 { for i in 0..<count { destination[i] *= multiplier } }
    }

    /// Σ x² over one row's values (multiplier included).
    public func squaredNorm(of row: Int) -> Double {
        let sum: Double
        switch storage {
        case .float32(let memory):
            let start = memory.start + row * width
            sum = Vectors.dot(start, start, width)
        case .uint8(let memory):
            var total: UInt64 = 0
            let start = memory.start + row * width
            for i in 0..<width { total &+= UInt64(start[i]) &* UInt64(start[i]) }
            sum = Double(total)
        }
        return sum * Double(multiplier) * Double(multiplier)
    }

    /// The values of one row, multiplier included.
    public func values(of row: Int) -> [Float] {
        switch storage {
        case .float32(let memory): (0..<width).map { memory.start[row * width + $0] * multiplier }
        case .uint8(let memory): (0..<width).map { Float(memory.start[row * width + $0]) * multiplier }
        }
    }
}
