internal import CKernels
internal import Synchronization

/// A matrix of example features, row after row in the format it is stored in: bytes stay bytes, and halves halves, until a kernel
/// needs them.
///
/// A feature's value is `multiplier` × the stored number (pixels 0…255 with multiplier 1/255, say). Kernels work on the stored
/// numbers and fold the multiplier into a product's factor, so that no scaled copy of the data is ever made.
public final class FeatureRows: Sendable {
    /// How the features are stored.
    public enum Storage: Sendable {
        /// One byte a feature, 0…255.
        case uint8(AlignedMemory<UInt8>)
        /// Half precision: the bits of IEEE 754's binary16.
        case float16(AlignedMemory<UInt16>)
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

    /// What `squaredNorms` has found.
    private let knownNorms = Mutex<AlignedMemory<Double>?>(nil)

    /// Bytes held.
    public var byteCount: Int { count * rowByteCount }

    /// Takes over memory of `count` × `width` elements.
    public init(_ storage: Storage, count: Int, width: Int, multiplier: Float = 1) {
        let elements =
            switch storage {
            case .uint8(let memory): memory.count
            case .float16(let memory): memory.count
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

    /// Rounds rows of floats to halves.
    /// - Throws: `EncodingError` where a number has none.
    public convenience init(halves rows: [Float], width: Int, multiplier: Float = 1) throws(EncodingError) {
        let count = width == 0 ? 0 : rows.count / width
        let memory = AlignedMemory<UInt16>(uninitialized: rows.count)
        if !rows.isEmpty { try RowEncoding.float16.encode(rows: rows, count: count, width: width, into: memory.start) }
        self.init(.float16(memory), count: count, width: width, multiplier: multiplier)
    }

    /// Calls `body` with the stored numbers of a range of rows as floats, row-major.
    ///
    /// Single precision is lent as it lies in memory; other numbers are widened into `scratch`, which must hold the range.
    @inline(__always)
    public func withRows<Result>(
        _ rows: Range<Int>, scratch: UnsafeMutablePointer<Float>, _ body: (UnsafePointer<Float>) throws -> Result
    ) rethrows -> Result {
        if case .float32(let memory) = storage {
            return try body(UnsafePointer(memory.start + rows.lowerBound * width))
        }
        influenced_widen(format, address(of: rows.lowerBound), scratch, rows.count * width)
        return try body(UnsafePointer(scratch))
    }

    /// Copies the values of some rows, multiplier included, row-major.
    public func copyValues(of rows: Range<Int>, into destination: UnsafeMutablePointer<Float>) {
        let count = rows.count * width
        influenced_widen(format, address(of: rows.lowerBound), destination, count)
        if multiplier != 1 { for i in 0..<count { destination[i] *= multiplier } }
    }

    /// Σ x² over one row's values (multiplier included).
    public func squaredNorm(of row: Int) -> Double {
        let sum: Double
        switch storage {
        case .float16:
            sum = withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { values in
                guard let start = values.baseAddress else { return 0 }
                influenced_widen(format, address(of: row), start, width)
                return Vectors.dot(start, start, width)
            }
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

    /// Σ x² of every row, as `squaredNorm(of:)` has them. Reads all rows the first time, and none after that: checkpoints whose
    /// examples these are share the numbers.
    /// - Throws: `Interrupted`.
    public func squaredNorms(parallel: Parallel, interruption: Interruption) throws -> AlignedMemory<Double> {
        if let known = knownNorms.withLock({ $0 }) { return known }
        let norms = AlignedMemory<Double>(uninitialized: count)
        let pieces = Parallel.ranges(of: count, pieces: 64)
        try parallel.forEach(pieces.count, interruption: interruption) { [self] piece in
            var pace = PacedInterruption(interruption)
            for row in pieces[piece] {
                try pace.check(after: 2 * width)
                norms.start[row] = squaredNorm(of: row)
            }
        }
        // Whoever came first at the same time has found the same.
        knownNorms.withLock { $0 = norms }
        return norms
    }

    /// The values of one row, multiplier included.
    public func values(of row: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: width) { buffer, initialized in
            if let start = buffer.baseAddress { copyValues(of: row..<row + 1, into: start) }
            initialized = width
        }
    }
}

extension FeatureRows {
    /// How kernels read a feature.
    var format: influenced_format {
        switch storage {
        case .uint8: influenced_u8
        case .float16: influenced_f16
        case .float32: influenced_f32
        }
    }

    /// Bytes of one stored row.
    public var rowByteCount: Int {
        switch storage {
        case .uint8: width
        case .float16: width * MemoryLayout<UInt16>.stride
        case .float32: width * MemoryLayout<Float>.stride
        }
    }

    /// Where a row begins.
    @inline(__always)
    func address(of row: Int) -> UnsafeRawPointer {
        switch storage {
        case .uint8(let memory): UnsafeRawPointer(memory.start + row * width)
        case .float16(let memory): UnsafeRawPointer(memory.start + row * width)
        case .float32(let memory): UnsafeRawPointer(memory.start + row * width)
        }
    }
}
