/// Numbers and octets as lower-case hexadecimal digits of a fixed width.
enum Hexadecimal {
    /// All digits of `value`, leading zeros included: 2 for `UInt8`, 16 for `UInt64`, 32 for `UInt128`.
    static func text(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
        let count = value.bitWidth / 4
        return String(unsafeUninitializedCapacity: count) { buffer in
            var rest = value
            for index in stride(from: count - 1, through: 0, by: -1) {
                buffer[index] = digit(UInt8(truncatingIfNeeded: rest) & 0xF)
                rest >>= 4
            }
            return count
        }
    }

    /// Two digits for each of `octets`.
    static func text(octets: some Collection<UInt8>) -> String {
        String(unsafeUninitializedCapacity: 2 * octets.count) { buffer in
            var count = 0
            for octet in octets {
                buffer[count] = digit(octet >> 4)
                buffer[count + 1] = digit(octet & 0xF)
                count += 2
            }
            return count
        }
    }

    /// The number that `digits` write, or nil unless they are exactly as many as `text` gives, and all lower case.
    static func number<Number: FixedWidthInteger & UnsignedInteger>(_ digits: ArraySlice<UInt8>, as _: Number.Type) -> Number? {
        guard digits.count == Number.bitWidth / 4 else { return nil }
        var number: Number = 0
        for digit in digits {
            guard let value = value(ofLowerCase: digit) else { return nil }
            number = number << 4 | Number(value)
        }
        return number
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x61 + value - 10 }

    private static func value(ofLowerCase digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}
