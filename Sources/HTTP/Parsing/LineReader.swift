/// Puts lines together from input that comes in pieces, and refuses what may not stand in a line as soon as it comes.
///
/// A line ends with CR LF and nothing else: RFC 9112 §2.2 lets a recipient take a bare LF for a line's end, but where two
/// recipients in a row differ in that, one request can be smuggled inside another.
struct LineReader: Sendable {
    /// Why there is no line.
    enum Fault: Error, Equatable {
        /// The line is longer than allowed: RFC 9112 §3 for the request line, RFC 9110 §5.4 for fields, RFC 9112 §7.1.1 for
        /// chunk extensions.
        case tooLong
        /// A CR without an LF after it (RFC 9112 §2.2).
        case bareCarriageReturn
        /// An LF without a CR before it (RFC 9112 §2.2).
        case bareLineFeed
        /// An octet that may not stand in the line: RFC 9112 §3 and §3.2 for the request line, RFC 9110 §5.5 for fields.
        case forbidden(UInt8)

        /// What is wrong, for the client's author.
        var detail: String {
            switch self {
            case .tooLong: "The line is too long."
            case .bareCarriageReturn: "A line has a CR that no LF follows."
            case .bareLineFeed: "A line ends with LF alone; lines end with CR LF."
            case .forbidden(let octet): "A line has the octet \(Octets.quoted([octet])), which may not stand there."
            }
        }
    }

    /// What may stand in a line.
    enum Content {
        /// Printable ASCII and the space.
        case printable
        /// The same, the tab, and octets from 0x80 on (`obs-text`, RFC 9110 §5.5).
        case fieldContent

        func allows(_ octet: UInt8) -> Bool {
            switch octet {
            case 0x20...0x7E: true
            case 0x09, 0x80...0xFF: self == .fieldContent
            default: false
            }
        }
    }

    /// The line so far, without its end.
    private(set) var line: [UInt8] = []
    private var sawCarriageReturn = false

    /// Forgets the line, to begin the next.
    mutating func reset() {
        // One long line must not hold its memory for the rest of the connection.
        if line.capacity > 1_024 { line = [] } else { line.removeAll(keepingCapacity: true) }
    }

    /// Reads on from `position`, which it moves, until the line is complete or the input is not.
    ///
    /// - Returns: Whether ``line`` is complete.
    /// - Throws: What is wrong with the line, at the same octet however the input is cut; ``line`` then holds what was in
    ///   order before it, up to the limit.
    mutating func read(
        _ input: Span<UInt8>, from position: inout Int, limit: Int, content: Content
    ) throws(Fault) -> Bool {
        while position < input.count {
            if sawCarriageReturn {
                guard input[position] == Octets.lineFeed else { throw .bareCarriageReturn }
                sawCarriageReturn = false
                position += 1
                return true
            }
            let start = position
            while position < input.count, content.allows(input[position]) { position += 1 }
            let end = min(position, start + max(0, limit - line.count))
            input.extracting(start..<end).withUnsafeBufferPointer { line.append(contentsOf: $0) }
            guard end == position else { throw .tooLong }
            guard position < input.count else { return false }
            switch input[position] {
            case Octets.carriageReturn: sawCarriageReturn = true
            case Octets.lineFeed: throw .bareLineFeed
            case let octet: throw .forbidden(octet)
            }
            position += 1
        }
        return false
    }
}
