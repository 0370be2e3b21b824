/// Why rows could not be encoded, or found in memory.
public enum EncodingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A size makes no sense; the text says which and why.
    case size(String)
    /// A row holds an infinity or something that is no number.
    case notFinite(row: Int)
    /// A row holds a number that rounds beyond the encoding's range, and which encoding holds it, in as few bytes as possible.
    case beyondRange(row: Int, magnitude: Float, encoding: RowEncoding, heldBy: RowEncoding)
    /// There is less memory than the rows take.
    case truncated(bytes: Int, needed: Int)

    /// What is wrong, where, and what to change.
    public var description: String {
        switch self {
        case .size(let text): text
        case .notFinite(let row): "row \(row) holds a number that is not finite, which has no place among gradients"
        case .beyondRange(let row, let magnitude, let encoding, let alternative):
            "row \(row) holds a number of magnitude \(magnitude), beyond the range of \(encoding.rawValue); \(alternative.rawValue) holds it"
        case .truncated(let bytes, let needed): "the rows take \(needed) bytes and there are only \(bytes)"
        }
    }
}
