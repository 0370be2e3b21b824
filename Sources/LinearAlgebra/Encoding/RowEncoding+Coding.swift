internal import CKernels

extension RowEncoding {
    /// Encodes `count` rows of `width` floats that lie one after the other, rounding to nearest, ties to even.
    ///
    /// `memory` takes `count` times `rowByteCount(width:)` bytes, at any address; every one of them is written. The bytes depend on the
    /// row alone, and on no vector unit.
    /// - Parameter firstRow: what an error calls the first of the rows.
    /// - Throws: `EncodingError`, naming the first row with a number that is not finite or that the encoding can't hold; rows before it
    ///   are encoded then.
    public func encode(
        rows: UnsafePointer<Float>, count: Int, width: Int, into memory: UnsafeMutableRawPointer, firstRow: Int = 0
    ) throws(EncodingError) {
        let stride = try rowByteCount(width: width)
        _ = try byteCount(rows: count, width: width)
        for row in 0..<count {
            let elements = rows + row * width
            let largest = influenced_largest(elements, width)
            if largest >= Float.infinity.bitPattern { throw .notFinite(row: firstRow + row) }
            if largest >= firstBitsBeyond {
                throw .beyondRange(
                    row: firstRow + row, magnitude: Float(bitPattern: largest), encoding: self,
                    heldBy: largest < RowEncoding.bfloat16.firstBitsBeyond ? .bfloat16 : .float32)
            }
            influenced_encode(kernel, elements, width, memory + row * stride)
        }
    }

    /// Decodes `count` encoded rows of `width` elements into floats, row after row.
    ///
    /// Any bytes decode to something: infinities and numbers that are none stay what they are.
    /// - Throws: `EncodingError.size`.
    public func decode(
        _ memory: UnsafeRawPointer, count: Int, width: Int, into rows: UnsafeMutablePointer<Float>
    ) throws(EncodingError) {
        let stride = try rowByteCount(width: width)
        _ = try byteCount(rows: count, width: width)
        for row in 0..<count { influenced_decode(kernel, memory + row * stride, width, rows + row * width) }
    }
}
