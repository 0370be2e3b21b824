/// Why a text is not JSON, or not within the limits given: where, and what was found there.
public struct JSONSyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Bytes before the place at fault.
    public let offset: Int
    /// Its line, from 1.
    public let line: Int
    /// Its character in the line (Unicode scalars), from 1.
    public let column: Int
    /// What is wrong there.
    public let reason: String

    /// "line 2, column 7: …".
    public var description: String { "line \(line), column \(column): \(reason)" }

    /// An error at `offset` of `bytes`. O(offset), to find the line.
    init(at offset: Int, of bytes: UnsafeRawBufferPointer, _ reason: String) {
        var line = 1
        var column = 1
        for byte in bytes.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0b1100_0000 != 0b1000_0000 {
                column += 1
            }
        }
        self.offset = offset
        self.line = line
        self.column = column
        self.reason = reason
    }
}
