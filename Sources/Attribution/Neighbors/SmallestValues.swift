internal import LinearAlgebra

/// Which of many values are the smallest, without sorting them.
enum SmallestValues {
    /// Bits that are told apart at a time, and how often: sign, exponent and 21 bits of the significand.
    private static let (digit, digits) = (11, 3)
    /// Values that are counted between two looks at the interruption.
    private static let stretch = 1 << 15

    /// The least number of few bits that at least `count` of the values, one or more, do not exceed: above the one that would be at
    /// `count − 1` if they were sorted by less than 2⁻²⁰ of itself. No value may be NaN.
    ///
    /// By counting leading bits, so that no order of the values makes it slow: 3 reads of each.
    /// - Throws: `Interrupted`.
    static func bound(on count: Int, of values: UnsafeBufferPointer<Double>, interruption: Interruption) throws -> Double {
        precondition(count > 0 && count <= values.count, "there are as many values")
        var (known, prefix) = (0 as UInt64, 0 as UInt64)
        var left = count
        var counts = [Int](repeating: 0, count: 1 << digit)
        for place in 1...digits {
            let shift = UInt64(64 - digit * place)
            counts.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
            for start in stride(from: 0, to: values.count, by: stretch) {
                try interruption.check()
                counts.withUnsafeMutableBufferPointer { counts in
                    for value in values[start..<min(start + stretch, values.count)] {
                        let bits = ordered(value)
                        if bits & known == prefix { counts[Int(bits >> shift) & (counts.count - 1)] += 1 }
                    }
                }
            }
            var found = 0
            while left > counts[found] {
                left -= counts[found]
                found += 1
            }
            prefix |= UInt64(found) << shift
            known |= UInt64(counts.count - 1) << shift
        }
        let bound = value(ofOrdered: prefix | ~known)
        // Behind infinity there are only NaNs.
        return bound.isNaN ? .infinity : bound
    }

    /// Bits that are ordered as unsigned integers as the values are.
    @inline(__always)
    private static func ordered(_ value: Double) -> UInt64 {
        // Both zeros are one.
        let bits = (value + 0).bitPattern
        return bits ^ (UInt64(bitPattern: Int64(bitPattern: bits) >> 63) | 1 << 63)
    }

    private static func value(ofOrdered bits: UInt64) -> Double {
        Double(bitPattern: bits >> 63 == 1 ? bits ^ 1 << 63 : ~bits)
    }
}
