extension JSONParser {
    /// A string (RFC 8259 §7), from its opening quote on.
    mutating func string() throws(JSONSyntaxError) -> String {
        let start = position + 1
        var end = start
        var hasEscapes = false
        var isASCII = true
        while true {
            guard end < bytes.count else { throw error("a string that is not closed") }
            let byte = bytes[end]
            if byte == UInt8(ascii: "\"") { break }
            guard byte >= 0x20 else {
                throw error("a control character in a string; it must be written \\u00" + hexadecimal(byte), at: end)
            }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                // Whatever is escaped belongs to the string, a quote too; whether it may be escaped is for later.
                end += 1
            }
            isASCII = isASCII && byte < 0x80
            end += 1
        }
        let content = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        // A byte after a backslash may be any: those cases are found invalid as escapes.
        if !isASCII { try validate(content, at: start) }
        position = end + 1
        return hasEscapes ? try unescaped(start..<end) : String(decoding: content, as: UTF8.self)
    }

    private func validate(_ content: UnsafeRawBufferPointer, at start: Int) throws(JSONSyntaxError) {
        let units = content.assumingMemoryBound(to: UInt8.self)
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: units.span)
        } catch {
            let offset = start + error.byteOffsets.lowerBound
            throw self.error("byte 0x\(hexadecimal(bytes[offset])) is not valid UTF-8 here", at: offset)
        }
    }

    private func unescaped(_ range: Range<Int>) throws(JSONSyntaxError) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                text.append(bytes[index])
                index += 1
                continue
            }
            let escape = index
            let letter = bytes[index + 1]
            index += 2
            switch letter {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                let scalar = try unicodeEscape(at: escape, end: range.upperBound)
                index = escape + (scalar.value > 0xFFFF ? 12 : 6)
                text.append(contentsOf: String(scalar).utf8)
            default: throw error("an escape that JSON does not have; a backslash itself is written \\\\", at: escape)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The scalar of `\uXXXX`, or of the two escapes that make a surrogate pair.
    private func unicodeEscape(at escape: Int, end: Int) throws(JSONSyntaxError) -> Unicode.Scalar {
        guard let unit = codeUnit(at: escape, end: end) else {
            throw error("\\u must be followed by four hexadecimal digits", at: escape)
        }
        if let scalar = Unicode.Scalar(UInt32(unit)) { return scalar }
        guard UTF16.isLeadSurrogate(unit), let second = codeUnit(at: escape + 6, end: end), UTF16.isTrailSurrogate(second) else {
            throw error("half of a surrogate pair (RFC 8259 §8.2)", at: escape)
        }
        return UTF16.decode(UTF16.EncodedScalar([unit, second]))
    }

    private func codeUnit(at index: Int, end: Int) -> UInt16? {
        guard index + 6 <= end, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else { return nil }
        var unit: UInt16 = 0
        for byte in bytes[index + 2..<index + 6] {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    private func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
}
