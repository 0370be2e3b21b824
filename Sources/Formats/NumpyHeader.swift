import Foundation

/// What the header of a .npy file declares: a Python dictionary literal with the keys `descr`, `fortran_order` and `shape`
/// (NumPy Enhancement Proposal 1 and `numpy.lib.format`).
struct NumpyHeader: Equatable {
    var elementType: ElementType
    var isBigEndian: Bool
    var isFortranOrder: Bool
    var shape: [Int]

    /// The most axes an array of NumPy 2 has.
    private static let axisLimit = 64

    /// Reads the literal. Nothing but the three keys may be there, in any order; white space may surround everything.
    init(parsing text: Data, file: String, part: String?) throws(FormatError) {
        var scanner = Scanner(text: Array(text), file: file, part: part)
        var type: (ElementType, isBigEndian: Bool)?
        var isFortranOrder: Bool?
        var shape: [Int]?
        try scanner.expect("{")
        while !scanner.consume("}") {
            let key = try scanner.string()
            try scanner.expect(":")
            switch key {
            case "descr" where type == nil: type = try Self.elementType(try scanner.dtype(), scanner)
            case "fortran_order" where isFortranOrder == nil: isFortranOrder = try scanner.boolean()
            case "shape" where shape == nil: shape = try scanner.tuple()
            default: throw scanner.error("the key '\(key)' is unknown or stands twice")
            }
            guard scanner.consume(",") else {
                try scanner.expect("}")
                break
            }
        }
        try scanner.end()
        guard let type, let isFortranOrder, let shape else {
            throw scanner.error("the keys 'descr', 'fortran_order' and 'shape' must all be there")
        }
        guard shape.count <= Self.axisLimit else {
            throw scanner.error("\(shape.count) axes; there may be at most \(Self.axisLimit)")
        }
        self.elementType = type.0
        self.isBigEndian = type.isBigEndian
        self.isFortranOrder = isFortranOrder
        self.shape = shape
    }

    /// NumPy's codes of the types, without the byte order.
    static let codes: [(ElementType, code: String)] = [
        (.bool, "b1"), (.uint8, "u1"), (.int8, "i1"), (.int16, "i2"), (.uint16, "u2"), (.int32, "i4"), (.uint32, "u4"),
        (.int64, "i8"),
        (.uint64, "u8"), (.float16, "f2"), (.float32, "f4"), (.float64, "f8"),
    ]

    private static func elementType(_ descr: String, _ scanner: Scanner) throws(FormatError) -> (ElementType, isBigEndian: Bool) {
        let code = String(descr.dropFirst())
        if let match = codes.first(where: { $0.code == code }), let order = descr.first, "<>|".contains(order) {
            if order != "|" || match.0.byteCount == 1 { return (match.0, order == ">") }
        }
        let kind =
            switch code.first {
            case "O": "Python objects, which only Python can read; save the array with a numeric dtype"
            case "c": "complex numbers"
            case "U", "S", "a": "strings"
            case "M", "m": "dates or time spans"
            case "V": "raw records"
            default: "of an unknown kind"
            }
        throw scanner.error(
            "the elements (descr '\(descr)') are \(kind); what can be read is \(codes.map(\.code).joined(separator: ", "))")
    }
}

/// Reads the few kinds of Python literals that a header has.
private struct Scanner {
    let text: [UInt8]
    let file: String
    let part: String?
    var position = 0

    private var current: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipWhiteSpace() {
        while let byte = current, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") { position += 1 }
    }

    mutating func consume(_ character: Unicode.Scalar) -> Bool {
        skipWhiteSpace()
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(FormatError) {
        guard consume(character) else { throw error("'\(character)' was expected at byte \(position)") }
    }

    mutating func end() throws(FormatError) {
        skipWhiteSpace()
        guard position == text.count else {
            throw error("only spaces may follow the dictionary, but byte \(position) is something else")
        }
    }

    mutating func string() throws(FormatError) -> String {
        skipWhiteSpace()
        guard let quote = current, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            throw error("a string was expected at byte \(position)")
        }
        let start = position + 1
        guard let end = text[start...].firstIndex(of: quote) else { throw error("the string at byte \(position) is not closed") }
        let content = text[start..<end]
        guard content.count <= 64, content.allSatisfy({ (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }) else {
            throw error("the string at byte \(position) is not a short one of plain ASCII")
        }
        position = end + 1
        return String(decoding: content, as: UTF8.self)
    }

    mutating func dtype() throws(FormatError) -> String {
        skipWhiteSpace()
        guard current != UInt8(ascii: "["), current != UInt8(ascii: "(") else {
            throw error("a structured dtype (records with named fields); save each field as an array of its own")
        }
        return try string()
    }

    mutating func boolean() throws(FormatError) -> Bool {
        skipWhiteSpace()
        for (word, value) in [("True", true), ("False", false)] where text[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        throw error("True or False was expected at byte \(position)")
    }

    mutating func tuple() throws(FormatError) -> [Int] {
        var numbers: [Int] = []
        try expect("(")
        while !consume(")") {
            numbers.append(try integer())
            guard consume(",") else {
                // (3) is a number in parentheses; the tuple of one element is (3,).
                if numbers.count == 1 { throw error("',' was expected at byte \(position)") }
                try expect(")")
                break
            }
        }
        return numbers
    }

    private mutating func integer() throws(FormatError) -> Int {
        skipWhiteSpace()
        let digits = text[position...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !digits.isEmpty else { throw error("a number from 0 up was expected at byte \(position)") }
        guard digits.count <= 20, let number = Int(String(decoding: digits, as: UTF8.self)) else {
            throw error("the extent at byte \(position) is too big")
        }
        position += digits.count
        return number
    }

    func error(_ reason: String) -> FormatError {
        FormatError(file: file, part: part, reason: "the .npy header is not right: \(reason)")
    }
}
