/// Decimal numbers as text.
enum DecimalText {
    private static let powersOfTen: [Float] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10]

    /// The nearest single-precision number, infinite if it is beyond; nil if the text is not a decimal number: an optional sign,
    /// digits with an optional point somewhere, and an optional exponent.
    static func float(_ text: Slice<UnsafeRawBufferPointer>) -> Float? {
        var position = text.startIndex
        var isNegative = false
        if let sign = text.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            position += 1
        }
        var significand: UInt32 = 0
        var digitCount = 0
        var fractionCount = 0
        var hasPoint = false
        while position < text.endIndex {
            let digit = text[position] &- UInt8(ascii: "0")
            if digit <= 9 {
                if digitCount < 8 { significand = significand * 10 + UInt32(digit) }
                digitCount += 1
                if hasPoint { fractionCount += 1 }
            } else if text[position] == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else {
                break
            }
            position += 1
        }
        guard digitCount > 0 else { return nil }
        if position == text.endIndex, digitCount <= 8, significand <= 1 << 24 {
            // Both operands are exact, so the division rounds once (Clinger 1990).
            let magnitude = Float(significand) / powersOfTen[fractionCount]
            return isNegative ? -magnitude : magnitude
        }
        guard position == text.endIndex || isExponent(text[position...]) else { return nil }
        return Float(String(decoding: text, as: UTF8.self))
    }

    private static func isExponent(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard text.first == UInt8(ascii: "e") || text.first == UInt8(ascii: "E") else { return false }
        var digits = text.dropFirst()
        if digits.first == UInt8(ascii: "+") || digits.first == UInt8(ascii: "-") { digits = digits.dropFirst() }
        return !digits.isEmpty && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// Whether the text is one of the words for what is no finite number.
    static func isNotFinite(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard text.count <= 9 else { return false }
        let word = String(decoding: text, as: UTF8.self).lowercased()
        return ["nan", "na", "n/a", "inf", "infinity", "null", "none"].contains(
            word.first.map { "+-".contains($0) } == true ? String(word.dropFirst()) : word)
    }
}
