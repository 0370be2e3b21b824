extension JSON {
    /// The compact JSON text of the value, in UTF-8: no white space, members in their order, the same bytes for the same value.
    ///
    /// Numbers are the shortest that read back as the same `Double` (of `float`: as the same `Float`); those that are not finite
    /// become `null`. O(size of the text).
    public func serialized() -> [UInt8] {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes
    }

    /// ``serialized()`` as a string.
    public var text: String { String(decoding: serialized(), as: UTF8.self) }
}

/// Appends JSON text to an array of bytes.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ json: JSON) {
        switch json {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(value.description)
        case .double(let value): value.isFinite ? append(value.description) : append("null")
        case .float(let value): value.isFinite ? append(value.description) : append("null")
        case .string(let value): write(value)
        case .array(let elements):
            writeList("[", elements, "]") { writer, element in writer.write(element) }
        case .numbers(let elements):
            writeList("[", elements, "]") { writer, element in writer.write(element) }
        case .object(let members):
            writeList("{", members, "}") { writer, member in
                writer.write(member.key)
                writer.bytes.append(UInt8(ascii: ":"))
                writer.write(member.value)
            }
        }
    }

    /// An element of `numbers`: a whole number as one, as it most likely was written when it was read.
    private mutating func write(_ number: Double) {
        let isWhole = abs(number) < 0x1p53 && number == number.rounded() && !(number == 0 && number.sign == .minus)
        write(isWhole ? JSON.integer(Int(number)) : .double(number))
    }

    private mutating func write(_ string: String) {
        var copy = string
        bytes.append(UInt8(ascii: "\""))
        copy.withUTF8 { units in
            var start = 0
            for (index, unit) in units.enumerated() where unit < 0x20 || unit == UInt8(ascii: "\"") || unit == UInt8(ascii: "\\")
            {
                bytes.append(contentsOf: units[start..<index])
                writeEscape(of: unit)
                start = index + 1
            }
            bytes.append(contentsOf: units[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func writeEscape(of unit: UInt8) {
        switch unit {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0A: append("\\n")
        case 0x0C: append("\\f")
        case 0x0D: append("\\r")
        default: append((unit < 0x10 ? "\\u000" : "\\u00") + String(unit, radix: 16))
        }
    }

    private mutating func writeList<Elements: Collection>(
        _ open: Unicode.Scalar, _ elements: Elements, _ close: Unicode.Scalar,
        writeElement: (inout JSONWriter, Elements.Element) -> Void
    ) {
        bytes.append(UInt8(ascii: open))
        var isFirst = true
        for element in elements {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            writeElement(&self, element)
        }
        bytes.append(UInt8(ascii: close))
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }
}
