public import Foundation

/// An n-dimensional array as a file holds it: little-endian elements, row-major.
///
/// The bytes are not interpreted until asked for, so that a mapped file stays on disk until its rows are read.
public struct Tensor: Sendable {
    /// How each element is stored.
    public let elementType: ElementType
    /// Extents, outermost first; empty for a scalar.
    public let shape: [Int]
    /// `shape`'s product × `elementType.byteCount` bytes.
    public let bytes: Data

    /// Elements in all.
    public var count: Int { bytes.count / elementType.byteCount }

    /// Rows: the outermost extent, 1 for a scalar.
    public var rowCount: Int { shape.first ?? 1 }

    /// Elements in one row.
    public var rowWidth: Int { rowCount == 0 ? shape.dropFirst().reduce(1, *) : count / rowCount }

    /// Bytes in one row.
    public var rowByteCount: Int { rowWidth * elementType.byteCount }

    /// - Returns: nil if `shape` is negative anywhere, overflows, or does not describe exactly `bytes`.
    public init?(elementType: ElementType, shape: [Int], bytes: Data) {
        guard let count = Self.byteCount(of: shape, elementType), count == bytes.count else { return nil }
        self.elementType = elementType
        self.shape = shape
        self.bytes = bytes
    }

    /// A tensor whose shape is known to describe `bytes`.
    init(unchecked elementType: ElementType, _ shape: [Int], _ bytes: Data) {
        self.elementType = elementType
        self.shape = shape
        self.bytes = bytes
    }

    /// Bytes that a tensor of this shape takes; nil where an extent is negative, or where the extents other than 0 multiply to
    /// more than `Int` holds (an extent of 0 hides no overflow, so that every partial product is safe to form).
    public static func byteCount(of shape: [Int], _ elementType: ElementType) -> Int? {
        var count = elementType.byteCount
        for extent in shape {
            guard extent >= 0 else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: max(extent, 1))
            guard !overflow else { return nil }
            count = product
        }
        return shape.contains(0) ? 0 : count
    }
}
