internal import CKernels

/// How rows of floats, gradients say, are kept in memory and on disk.
///
/// A row is its elements one after the other, in the machine's byte order (little-endian), with nothing between rows. A row of `int8` has
/// scales behind its elements, at the next multiple of four bytes: a float for each block of 128 elements, the last block
/// perhaps shorter; an element's value is the stored number times its block's scale. The scales add 3.2 % to rows of whole blocks.
///
/// What rounding costs an element x:
///
/// | encoding | bytes | \|decoded − x\| at most |
/// |---|---|---|
/// | `float32` | 4 | 0 |
/// | `float16` | 2 | 2⁻¹¹·\|x\|, and 2⁻²⁵ where \|x\| < 2⁻¹⁴; \|x\| < 65,520 |
/// | `bfloat16` | 2 | 2⁻⁸·\|x\|, down to floats' own smallest; \|x\| < 3.3961775·10³⁸ |
/// | `int8` | 1.03 | 1/254 of the largest magnitude in the block, and one part in 10⁷ more |
public enum RowEncoding: String, CaseIterable, Sendable {
    /// IEEE 754 binary32: the floats themselves.
    case float32
    /// IEEE 754 binary16: 11 bits of precision, and a narrow range that gradients can leave at both ends.
    case float16
    /// The upper half of a float: 8 bits of precision in the range of a float.
    case bfloat16
    /// −127…127 with a scale for each block of 128 elements.
    case int8

    /// Elements that share a scale in `int8`.
    public static let blockLength = Int(influenced_block)

    /// Bytes of one row of `width` elements.
    /// - Throws: `EncodingError.size` where the width is not positive or the number of bytes is beyond an `Int`.
    public func rowByteCount(width: Int) throws(EncodingError) -> Int {
        guard width > 0 else { throw .size("a row of \(width) elements: there must be at least one") }
        let (bytes, overflow) = width.multipliedReportingOverflow(by: self == .int8 ? 1 : bytesPerElement)
        // Less than a twentieth more with scales and padding.
        guard !overflow, bytes < Int.max / 2 else { throw .size("a row of \(width) elements is larger than any memory") }
        guard self == .int8 else { return bytes }
        return (width + 3) / 4 * 4 + (width + Self.blockLength - 1) / Self.blockLength * MemoryLayout<Float>.stride
    }

    /// Bytes of `rows` rows of `width` elements.
    /// - Throws: `EncodingError.size` where a size is negative, the width zero, or the number of bytes beyond an `Int`.
    public func byteCount(rows: Int, width: Int) throws(EncodingError) -> Int {
        guard rows >= 0 else { throw .size("\(rows) rows: there can't be fewer than none") }
        let (bytes, overflow) = try rowByteCount(width: width).multipliedReportingOverflow(by: rows)
        guard !overflow else { throw .size("\(rows) rows of \(width) elements are larger than any memory") }
        return bytes
    }

    private var bytesPerElement: Int {
        switch self {
        case .float32: 4
        case .float16, .bfloat16: 2
        case .int8: 1
        }
    }

    var kernel: influenced_encoding {
        switch self {
        case .float32: influenced_float32
        case .float16: influenced_float16
        case .bfloat16: influenced_bfloat16
        case .int8: influenced_int8
        }
    }

    /// The bits of the smallest magnitude that rounds beyond the encoding's range.
    var firstBitsBeyond: UInt32 {
        switch self {
        case .float32, .int8: Float.infinity.bitPattern
        case .float16: (65_520 as Float).bitPattern
        case .bfloat16: 0x7f7f_8000
        }
    }
}
