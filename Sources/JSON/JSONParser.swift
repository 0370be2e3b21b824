/// A recursive descent over the bytes of one JSON text; the depth bound keeps the recursion short.
///
/// Every method starts at the first byte of what it reads and leaves `position` behind the last one.
struct JSONParser {
    let bytes: UnsafeRawBufferPointer
    let maximumDepth: Int
    let maximumValues: Int
    var position = 0
    var depth = 0
    var valueCount = 0

    init(bytes: UnsafeRawBufferPointer, maximumDepth: Int, maximumValues: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        self.maximumValues = maximumValues
    }

    /// The whole text: one value, white space around it, and nothing else (RFC 8259 §2).
    mutating func document() throws(JSONSyntaxError) -> JSON {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw error("a byte order mark is not allowed (RFC 8259 §8.1)") }
        skipWhiteSpace()
        guard position < bytes.count else { throw error("the text is empty; a JSON value was expected") }
        let value = try value()
        skipWhiteSpace()
        guard position == bytes.count else { throw error("\(found) after the end of the value") }
        return value
    }

    mutating func value() throws(JSONSyntaxError) -> JSON {
        try countValue()
        switch current {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), (UInt8(ascii: "0")...UInt8(ascii: "9"))?:
            switch try number() {
            case .integer(let value): return .integer(value)
            case .double(let value): return .double(value)
            }
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "N"), UInt8(ascii: "I"):
            throw error("\(found) where a value was expected; JSON has no NaN and no Infinity")
        case UInt8(ascii: "'"): throw error("\(found) where a value was expected; strings take double quotes")
        default: throw error("\(found) where a value was expected")
        }
    }

    private mutating func object() throws(JSONSyntaxError) -> JSON {
        try enter()
        var members = JSONObject()
        if !consume("}") {
            repeat {
                skipWhiteSpace()
                let keyPosition = position
                guard current == UInt8(ascii: "\"") else {
                    throw error(
                        members.isEmpty || current != UInt8(ascii: "}")
                            ? "\(found) where a key was expected" : "a comma before '}'")
                }
                let key = try string()
                guard consume(":") else { throw error("\(found) where ':' was expected after a key") }
                skipWhiteSpace()
                let value = try value()
                guard members.append(key, value) else {
                    throw error("the key \(JSON.string(key).abbreviated) stands twice in one object", at: keyPosition)
                }
            } while consume(",")
            guard consume("}") else { throw error("\(found) where ',' or '}' was expected") }
        }
        depth -= 1
        return .object(members)
    }

    private mutating func array() throws(JSONSyntaxError) -> JSON {
        try enter()
        defer { depth -= 1 }
        if consume("]") { return .array([]) }
        if let numbers = try numbers() { return .numbers(numbers) }
        var elements: [JSON] = []
        repeat {
            skipWhiteSpace()
            if current == UInt8(ascii: "]") { throw error("a comma before ']'") }
            elements.append(try value())
        } while consume(",")
        guard consume("]") else { throw error("\(found) where ',' or ']' was expected") }
        return .array(elements)
    }

    /// The rest of an array, if it holds nothing but numbers, the integers among them small enough for `Double`.
    ///
    /// Otherwise nil, and the position is as before. Only numbers were read in vain then, so no array is read more than twice.
    private mutating func numbers() throws(JSONSyntaxError) -> [Double]? {
        let (start, countAtStart) = (position, valueCount)
        var numbers: [Double] = []
        repeat {
            skipWhiteSpace()
            guard let number = try exactNumber() else {
                (position, valueCount) = (start, countAtStart)
                return nil
            }
            numbers.append(number)
        } while consume(",")
        guard consume("]") else { throw error("\(found) where ',' or ']' was expected") }
        return numbers
    }

    /// The number that comes next; nil if something else does, or an integer that `Double` cannot hold.
    private mutating func exactNumber() throws(JSONSyntaxError) -> Double? {
        guard let byte = current, byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") <= 9 else { return nil }
        try countValue()
        switch try number() {
        case .integer(let value): return Double(exactly: value)
        case .double(let value): return value
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSON) throws(JSONSyntaxError) -> JSON {
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard bytes[position...].starts(with: expected) else { throw error("a word that is not \(text)") }
        position += expected.count
        return value
    }

    private mutating func enter() throws(JSONSyntaxError) {
        depth += 1
        guard depth <= maximumDepth else { throw error("arrays and objects nested more than \(maximumDepth) deep") }
        position += 1
    }

    private mutating func countValue() throws(JSONSyntaxError) {
        valueCount += 1
        guard valueCount <= maximumValues else { throw error("more than \(maximumValues) values") }
    }
}

extension JSONParser {
    /// The byte at the position; nil at the end.
    var current: UInt8? {
        @inline(__always) get { position < bytes.count ? bytes[position] : nil }
    }

    @inline(__always)
    mutating func skipWhiteSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
            default: return
            }
        }
    }

    /// Steps over white space and then over `character`, if that is what follows.
    @inline(__always)
    mutating func consume(_ character: Unicode.Scalar) -> Bool {
        skipWhiteSpace()
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// What stands at the position, for messages.
    var found: String {
        guard let byte = current else { return "the end of the text" }
        return (0x21...0x7E).contains(byte)
            ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x" + String(byte, radix: 16, uppercase: true)
    }

    func error(_ reason: String, at offset: Int? = nil) -> JSONSyntaxError {
        JSONSyntaxError(at: offset ?? position, of: bytes, reason)
    }
}
