import Foundation

/// A position in the bytes of a file or of a part of it; reading beyond the end is an error that says what was missing.
struct ByteCursor {
    /// What is read; its indices need not start at 0.
    let bytes: Data
    let file: String
    let part: String?
    /// Bytes read so far.
    private(set) var offset = 0

    init(_ bytes: Data, file: String, part: String? = nil) {
        self.bytes = bytes
        self.file = file
        self.part = part
    }

    var remaining: Int { bytes.count - offset }

    /// The next `count` bytes, without a copy.
    mutating func take(_ count: Int, _ what: String) throws(FormatError) -> Data {
        guard count >= 0, count <= remaining else {
            throw error("\(what) takes \(count) bytes from offset \(offset) on, but there are only \(remaining)")
        }
        let start = bytes.startIndex + offset
        offset += count
        return bytes[start..<start + count]
    }

    mutating func littleEndian<Integer: FixedWidthInteger>(_: Integer.Type, _ what: String) throws(FormatError) -> Integer {
        try take(MemoryLayout<Integer>.size, what).reversed().reduce(0) { $0 << 8 | Integer(truncatingIfNeeded: $1) }
    }

    mutating func bigEndian<Integer: FixedWidthInteger>(_: Integer.Type, _ what: String) throws(FormatError) -> Integer {
        try take(MemoryLayout<Integer>.size, what).reduce(0) { $0 << 8 | Integer(truncatingIfNeeded: $1) }
    }

    /// All that is left as a tensor of the shape and type that a header declared.
    mutating func tensor(_ elementType: ElementType, shape: [Int]) throws(FormatError) -> Tensor {
        guard let expected = Tensor.byteCount(of: shape, elementType) else {
            throw error("shape \(shape) of \(elementType.rawValue) has more elements than can be addressed")
        }
        guard expected == remaining else {
            let found = expected > remaining ? "\(remaining) follow the header: it is cut off" : "more follow the header"
            throw error("shape \(shape) of \(elementType.rawValue) takes \(expected) bytes, but \(found)")
        }
        return Tensor(unchecked: elementType, shape, try take(expected, "the data"))
    }

    /// Bytes read so far and those of the tensor that a header declared; 0 where there can't be one.
    func bound(_ elementType: ElementType, shape: [Int]) -> Int {
        guard let count = Tensor.byteCount(of: shape, elementType) else { return 0 }
        let (bound, overflow) = count.addingReportingOverflow(offset)
        return overflow ? 0 : bound
    }

    func error(_ reason: String) -> FormatError { FormatError(file: file, part: part, reason: reason) }
}
