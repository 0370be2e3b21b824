import Formats

/// Looks for NaN and infinities in raw little-endian elements.
enum FiniteScan {
    /// The position of the first element that is NaN or infinite; nil if there is none or the type cannot hold one.
    ///
    /// In every IEEE 754 format, and in bfloat16, these are the values whose exponent bits are all set.
    /// Bytes after the last whole element are not looked at. No alignment is needed.
    ///
    /// - Complexity: O(bytes.count).
    static func firstNonFinite(in bytes: UnsafeRawBufferPointer, _ type: ElementType) -> Int? {
        switch type {
        case .float16: first(in: bytes, exponent: 0x7C00 as UInt16)
        case .bfloat16: first(in: bytes, exponent: 0x7F80 as UInt16)
        case .float32: first(in: bytes, exponent: 0x7F80_0000 as UInt32)
        case .float64: first(in: bytes, exponent: 0x7FF0_0000_0000_0000 as UInt64)
        default: nil
        }
    }

    private static func first<Bits: FixedWidthInteger & BitwiseCopyable>(in bytes: UnsafeRawBufferPointer, exponent: Bits) -> Int?
    {
        let width = MemoryLayout<Bits>.size
        let count = bytes.count / width
        // A stretch is first looked at as a whole, without a branch on each element, so that the loop can be vectorized.
        let stretch = 1024
        var start = 0
        while start < count {
            let end = min(start + stretch, count)
            var hits = 0 as UInt8
            for index in start..<end { hits |= isSet(bytes, index, exponent) ? 1 : 0 }
            if hits != 0 { return (start..<end).first { isSet(bytes, $0, exponent) } }
            start = end
        }
        return nil
    }

    @inline(__always)
    private static func isSet<Bits: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ index: Int, _ exponent: Bits
    ) -> Bool {
        let bits = Bits(littleEndian: bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self))
        return bits & exponent == exponent
    }
}
