public import HTTPTypes

/// Puts a body together from its chunks (RFC 9112 §7.1). A value without sockets or clocks: input may come in pieces of any
/// size, and the outcome does not depend on how it was cut.
public struct ChunkedDecoder: Sendable {
    private enum State {
        case size
        case data(remaining: Int)
        case dataEnd
        case trailers
    }

    /// The fields of the trailer section (RFC 9112 §7.1.2). They are never merged into the header's: a trailer cannot
    /// change what was decided from the header (RFC 9110 §6.5.1).
    public var trailers: HTTPFields { section.fields }
    /// The octets of the body decoded so far.
    public private(set) var decodedBytes = 0
    /// The largest body.
    public var bodyLimit: Int

    private var state = State.size
    private var reader = LineReader()
    private var section: FieldSection
    private var extensionBytesLeft: Int
    private static let maximumDigits = 16

    /// A decoder at the beginning of a body.
    public init(limits: HTTPLimits) {
        bodyLimit = limits.bodyBytes
        extensionBytesLeft = limits.chunkExtensionBytes
        section = FieldSection(limits: limits)
    }

    /// Decodes `input`, and adds what belongs to the body to `body`.
    ///
    /// - Parameter keeping: Whether the body is wanted; if not, it is counted only.
    /// - Returns: How much of the input belongs to the body, and whether the body ends there.
    /// - Throws: 400 for input that is not chunked, 413 for a body over its limit, 431 for trailers over theirs.
    public mutating func decode(
        _ input: Span<UInt8>, into body: inout [UInt8], keeping: Bool = true
    ) throws(ProtocolError) -> (consumed: Int, isComplete: Bool) {
        var position = 0
        while true {
            switch state {
            case .size:
                guard try readLine(input, &position, limit: Self.maximumDigits + extensionBytesLeft) else {
                    return (position, false)
                }
                let size = try self.size(of: reader.line)
                reader.reset()
                state = size == 0 ? .trailers : .data(remaining: size)
            case .data(let remaining):
                let count = min(remaining, input.count - position)
                if keeping {
                    input.extracting(position..<(position + count)).withUnsafeBufferPointer { body.append(contentsOf: $0) }
                }
                decodedBytes += count
                position += count
                guard count == remaining else {
                    state = .data(remaining: remaining - count)
                    return (position, false)
                }
                state = .dataEnd
            case .dataEnd:
                // RFC 9112 §7.1: a CR LF follows the data, and nothing else.
                guard try readLine(input, &position, limit: 0) else { return (position, false) }
                reader.reset()
                state = .size
            case .trailers:
                guard try readTrailer(input, &position) else { return (position, false) }
                if reader.line.isEmpty { return (position, true) }
                try section.add(line: reader.line)
                reader.reset()
            }
        }
    }

    private mutating func readLine(
        _ input: Span<UInt8>, _ position: inout Int, limit: Int
    ) throws(ProtocolError) -> Bool {
        do throws(LineReader.Fault) {
            return try reader.read(input, from: &position, limit: limit, content: .fieldContent)
        } catch {
            // RFC 9112 §7.1: the size, and the CR LF behind the data, are as given there or the body is not chunked.
            if case .dataEnd = state { throw .malformed("A chunk's data does not end after as many octets as its size says.") }
            throw .malformed("In a chunk's size: \(error.detail)")
        }
    }

    private mutating func readTrailer(_ input: Span<UInt8>, _ position: inout Int) throws(ProtocolError) -> Bool {
        do throws(LineReader.Fault) {
            return try reader.read(input, from: &position, limit: section.lineLimit, content: .fieldContent)
        } catch { throw section.refusal(of: error) }
    }

    /// The size in a chunk's first line: `1*HEXDIG [ chunk-ext ]`, RFC 9112 §7.1. Extensions are not understood, and
    /// therefore ignored (§7.1.1), but they count, or a body could be all extension.
    private mutating func size(of line: [UInt8]) throws(ProtocolError) -> Int {
        let digits = line.prefix { Octets.hexValue($0) != nil }
        let rest = line[digits.endIndex...]
        // Whitespace may stand before an extension (the BWS of §7.1.1), and nowhere else.
        guard (1...Self.maximumDigits).contains(digits.count),
            rest.isEmpty || Octets.trimmed(rest).first == UInt8(ascii: ";")
        else { throw .malformed("\(Octets.quoted(line)) is not a chunk's size in hexadecimal digits.") }
        // RFC 9112 §7.1.1: the extensions' total length ought to be limited.
        guard rest.count <= extensionBytesLeft else { throw .malformed("The chunk extensions are too long.") }
        guard ChunkExtensions.isValid(rest) else {
            throw .malformed(
                "\(Octets.quoted(rest)) is no chunk extension: semicolon, name, and maybe an equals sign and a value.")
        }
        extensionBytesLeft -= rest.count

        // Sixteen digits fit into 64 bits. RFC 9112 §7.1: overflow must be provided for.
        let size = digits.reduce(UInt64(0)) { $0 << 4 | UInt64(Octets.hexValue($1) ?? 0) }
        guard size <= UInt64(max(0, bodyLimit - decodedBytes)) else { throw .bodyTooLarge(bodyLimit) }
        return Int(size)
    }
}
