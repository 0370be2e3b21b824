/// Text in lines of the log, where a client's text must stay what it is: a value, on that line.
enum LogText {
    /// Appends `text` with escapes for what would end a string, a line, or the reader's trust in what the screen shows: quotation
    /// marks and backslashes, controls, line separators, and format characters such as those that turn the direction of text.
    ///
    /// Escapes are JSON's (RFC 8259 section 7), in either format. Stops, with an ellipsis, where the escaped text would take more
    /// than `limit` octets. O(limit).
    static func append(_ text: String, limit: Int, to line: inout [UInt8]) {
        let end = line.count + limit
        for scalar in text.unicodeScalars {
            let before = line.count
            append(scalar, to: &line)
            if line.count > end {
                line.removeSubrange(before...)
                line.append(contentsOf: "…".utf8)
                return
            }
        }
    }

    /// Appends `text` in quotation marks.
    static func appendQuoted(_ text: String, limit: Int, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        append(text, limit: limit, to: &line)
        line.append(UInt8(ascii: "\""))
    }

    /// Whether `text` can stand without quotation marks in a line of `key=value` pairs.
    static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(isPlain)
    }

    /// Appends a key for a line of `key=value` pairs; what a key cannot have becomes an underscore.
    static func appendKey(_ key: String, limit: Int, to line: inout [UInt8]) {
        if key.isEmpty { line.append(UInt8(ascii: "_")) }
        line.append(contentsOf: key.utf8.prefix(limit).map { isPlain($0) ? $0 : UInt8(ascii: "_") })
    }

    private static func isPlain(_ octet: UInt8) -> Bool {
        octet > 0x20 && octet < 0x7F && octet != UInt8(ascii: "\"") && octet != UInt8(ascii: "=") && octet != UInt8(ascii: "\\")
    }

    private static func append(_ scalar: Unicode.Scalar, to line: inout [UInt8]) {
        switch scalar {
        case "\"": line.append(contentsOf: #"\""#.utf8)
        case "\\": line.append(contentsOf: #"\\"#.utf8)
        case "\n": line.append(contentsOf: #"\n"#.utf8)
        case "\r": line.append(contentsOf: #"\r"#.utf8)
        case "\t": line.append(contentsOf: #"\t"#.utf8)
        case " "..."~": line.append(UInt8(truncatingIfNeeded: scalar.value))
        default:
            if scalar.value < 0x80 || isUnseen(scalar) {
                for unit in String(scalar).utf16 { line.append(contentsOf: (#"\u"# + Hexadecimal.text(unit)).utf8) }
            } else {
                line.append(contentsOf: String(scalar).utf8)
            }
        }
    }

    private static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
        default: false
        }
    }
}
