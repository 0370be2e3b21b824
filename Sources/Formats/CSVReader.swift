import Foundation

/// Reads rows of fields, and numbers from the fields.
struct CSVReader {
    let bytes: UnsafeRawBufferPointer
    let file: String
    private(set) var header: [String]?
    private(set) var values: [Float] = []
    private(set) var columnCount = 0

    private var position = 0
    /// The line at the position, from 1.
    private var line = 1

    init(bytes: UnsafeRawBufferPointer, file: String) {
        self.bytes = bytes
        self.file = file
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// A field: the bytes between commas, or between quotes.
    private struct Field {
        var range: Range<Int>
        var isQuoted = false
        /// Whether a comma follows.
        var hasNext = false
    }

    mutating func readAll() throws(FormatError) {
        guard position < bytes.count else { return }
        try readFirstRow()
        while position < bytes.count {
            let rowLine = line
            var column = 0
            var hasNext = true
            while hasNext {
                let fieldLine = line
                let field = try field(column)
                hasNext = field.hasNext
                // A row that is too long is refused below, its numbers must not pile up meanwhile.
                if column < columnCount { values.append(try number(field, line: fieldLine, column)) }
                column += 1
            }
            guard column == columnCount else {
                throw error(line: rowLine, nil, "the row has \(column) fields, but the first row has \(columnCount)")
            }
        }
    }

    private mutating func readFirstRow() throws(FormatError) {
        var fields: [Field] = []
        repeat { fields.append(try field(fields.count)) } while fields.last?.hasNext == true
        columnCount = fields.count
        if fields.contains(where: isWord) {
            var names: [String] = []
            for (column, field) in fields.enumerated() {
                guard let name = String(validating: bytes[trimmed(field)], as: UTF8.self) else {
                    throw error(line: 1, column, "the column name is not UTF-8")
                }
                names.append(field.isQuoted ? name.replacingOccurrences(of: "\"\"", with: "\"") : name)
            }
            header = names
        } else {
            for (column, field) in fields.enumerated() { values.append(try number(field, line: 1, column)) }
        }
    }

    /// The field at the position, which moves behind the comma or line break that ends it (RFC 4180 §2).
    private mutating func field(_ column: Int) throws(FormatError) -> Field {
        if position < bytes.count, bytes[position] == UInt8(ascii: "\"") { return try quotedField(column) }
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: ","), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                return try endField(Field(range: start..<position), column)
            case UInt8(ascii: "\""): throw error(line: line, column, "a quote inside a field that does not begin with one")
            default: position += 1
            }
        }
        return Field(range: start..<position)
    }

    private mutating func quotedField(_ column: Int) throws(FormatError) -> Field {
        let (start, startLine) = (position + 1, line)
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            guard byte == UInt8(ascii: "\"") else { continue }
            if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                position += 1
            } else {
                return try endField(Field(range: start..<position - 1, isQuoted: true), column)
            }
        }
        throw error(line: startLine, column, "the quote is never closed")
    }

    private mutating func endField(_ field: Field, _ column: Int) throws(FormatError) -> Field {
        guard position < bytes.count else { return field }
        var field = field
        switch bytes[position] {
        case UInt8(ascii: ","): field.hasNext = true
        case UInt8(ascii: "\n"): line += 1
        case UInt8(ascii: "\r"):
            position += 1
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\n") else {
                throw error(line: line, column, "a carriage return without the line feed that ends a line")
            }
            line += 1
        default: throw error(line: line, column, "a comma or the end of the line must follow the closing quote")
        }
        position += 1
        return field
    }
}

extension CSVReader {
    /// The bytes of a field without spaces and tabs around them.
    private func trimmed(_ field: Field) -> Range<Int> {
        func isBlank(_ index: Int) -> Bool { bytes[index] == UInt8(ascii: " ") || bytes[index] == UInt8(ascii: "\t") }
        var range = field.range
        while !range.isEmpty, isBlank(range.lowerBound) { range = range.lowerBound + 1..<range.upperBound }
        while !range.isEmpty, isBlank(range.upperBound - 1) { range = range.lowerBound..<range.upperBound - 1 }
        return range
    }

    private func isWord(_ field: Field) -> Bool {
        let text = bytes[trimmed(field)]
        return !text.isEmpty && DecimalText.float(text) == nil && !DecimalText.isNotFinite(text)
    }

    private func number(_ field: Field, line: Int, _ column: Int) throws(FormatError) -> Float {
        let text = bytes[trimmed(field)]
        guard let number = DecimalText.float(text) else {
            guard !text.isEmpty else { throw error(line: line, column, "the field is empty; a number is needed") }
            let shown = String(decoding: text.prefix(40), as: UTF8.self)
            throw error(line: line, column, "\"\(shown)\" is not a \(DecimalText.isNotFinite(text) ? "finite " : "")number")
        }
        guard number.isFinite else {
            throw error(line: line, column, "\(String(decoding: text.prefix(40), as: UTF8.self)) is beyond single precision")
        }
        return number
    }

    private func error(line: Int, _ column: Int?, _ reason: String) -> FormatError {
        guard let column else { return FormatError(file: file, part: "line \(line)", reason: reason) }
        let name = header.map { column < $0.count ? " (\($0[column]))" : "" } ?? ""
        return FormatError(file: file, part: "line \(line), column \(column + 1)\(name)", reason: reason)
    }
}
