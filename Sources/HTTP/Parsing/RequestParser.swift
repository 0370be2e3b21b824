public import HTTPTypes

/// Reads the requests of one connection, in a row, from input that comes in pieces of any size. A value without sockets or
/// clocks; what it makes of the input does not depend on how the input was cut.
///
/// Call ``parse(_:)`` with the input that has not been consumed yet until it gives no event; then get more input.
public struct RequestParser: Sendable {
    /// Something that the input has brought.
    public enum Event: Sendable {
        /// The header section is complete. An ``Event/end(body:trailers:)`` or an error follows, even without a body.
        case head(RequestHead)
        /// The request is complete, and the next one may begin. The body is empty if it was skipped.
        case end(body: [UInt8], trailers: HTTPFields)
    }

    /// How far ``parse(_:)`` came.
    public struct Step: Sendable {
        /// The octets of the input that are done with.
        public let consumed: Int
        /// What they brought; nil when all of the input was consumed and more is needed.
        public let event: Event?
    }

    private enum State {
        case requestLine
        case fields(RequestLine)
        case body(remaining: Int)
        case chunks
    }

    private let limits: HTTPLimits
    /// The client's address.
    let peer: String
    private var state = State.requestLine
    private var reader = LineReader()
    private var section: FieldSection
    private var decoder: ChunkedDecoder
    private var body: [UInt8] = []
    private var keepsBody = true
    private var hasSkippedEmptyLine = false
    private var failure: ProtocolError?

    /// Whether a request has begun and is not complete.
    public private(set) var isInsideRequest = false
    /// Octets of the body that have been read and are kept.
    public var bufferedBytes: Int { body.count }
    /// The target of the request that it is inside of, as it was written, once the request line is complete.
    public private(set) var target: String?
    /// The method of the request that it is inside of, once the request line is complete.
    public private(set) var method: HTTPRequest.Method?

    /// A parser at the beginning of a connection.
    ///
    /// - Parameter peer: The client's address, for the heads.
    public init(limits: HTTPLimits = HTTPLimits(), peer: String = "") {
        self.limits = limits
        self.peer = peer
        section = FieldSection(limits: limits)
        decoder = ChunkedDecoder(limits: limits)
    }

    /// Reads on in `input`, up to the next event or the input's end. O(n) in the octets consumed.
    ///
    /// - Throws: Why the request is refused. The connection is of no use after that: where the next request would begin is
    ///   not known. Further calls throw the same again.
    public mutating func parse(_ input: Span<UInt8>) throws(ProtocolError) -> Step {
        if let failure { throw failure }
        do throws(ProtocolError) { return try advance(input) } catch {
            failure = error
            throw error
        }
    }

    /// Drops the body of the request whose head came last, as far as it has not been read: it is counted, up to `limit`,
    /// and not kept.
    public mutating func skipBody(atMost limit: Int) {
        keepsBody = false
        body = []
        decoder.bodyLimit = limit
    }

    private mutating func advance(_ input: Span<UInt8>) throws(ProtocolError) -> Step {
        var position = 0
        while true {
            switch state {
            case .requestLine:
                if position < input.count { isInsideRequest = true }
                guard try readRequestLine(input, &position) else { return Step(consumed: position, event: nil) }
            case .fields(let line):
                guard try readField(input, &position) else { return Step(consumed: position, event: nil) }
                if reader.line.isEmpty {
                    let head = try RequestHead(line: line, fields: section.fields, limits: limits, peer: peer)
                    begin(head.framing)
                    return Step(consumed: position, event: .head(head))
                }
                try section.add(line: reader.line)
                reader.reset()
            case .body(let remaining):
                let count = min(remaining, input.count - position)
                if keepsBody {
                    input.extracting(position..<(position + count)).withUnsafeBufferPointer { body.append(contentsOf: $0) }
                }
                position += count
                state = .body(remaining: remaining - count)
                return Step(consumed: position, event: count == remaining ? finish(trailers: [:]) : nil)
            case .chunks:
                let (consumed, isComplete) = try decoder.decode(
                    input.extracting(position..<input.count), into: &body, keeping: keepsBody)
                position += consumed
                return Step(consumed: position, event: isComplete ? finish(trailers: decoder.trailers) : nil)
            }
        }
    }

    /// - Returns: Whether to go on; false when more input is needed.
    private mutating func readRequestLine(_ input: Span<UInt8>, _ position: inout Int) throws(ProtocolError) -> Bool {
        do throws(LineReader.Fault) {
            let limit = RequestLine.limit(limits)
            guard try reader.read(input, from: &position, limit: limit, content: .printable) else { return false }
        } catch { throw RequestLine.refusal(of: error, in: reader.line, limits: limits) }
        if reader.line.isEmpty {
            // RFC 9112 §2.2: an empty line before a request is ignored; some old clients send one after a body.
            guard !hasSkippedEmptyLine else { throw .malformed("There is more than one empty line before a request.") }
            hasSkippedEmptyLine = true
            isInsideRequest = false
            return true
        }
        let line = try RequestLine(reader.line, limits: limits)
        reader.reset()
        method = line.method
        target = line.target.raw
        section = FieldSection(limits: limits)
        state = .fields(line)
        return true
    }

    /// - Returns: Whether a line is complete; false when more input is needed.
    private mutating func readField(_ input: Span<UInt8>, _ position: inout Int) throws(ProtocolError) -> Bool {
        do throws(LineReader.Fault) {
            return try reader.read(input, from: &position, limit: section.lineLimit, content: .fieldContent)
        } catch { throw section.refusal(of: error) }
    }

    private mutating func begin(_ framing: RequestHead.Framing) {
        reader.reset()
        section = FieldSection(limits: limits)
        switch framing {
        case .none: state = .body(remaining: 0)
        case .length(let count):
            state = .body(remaining: count)
            // What a client announces is not what it sends: room for more is made as the octets come.
            body.reserveCapacity(min(count, 65_536))
        case .chunked:
            state = .chunks
            decoder = ChunkedDecoder(limits: limits)
        }
    }

    private mutating func finish(trailers: HTTPFields) -> Event {
        defer {
            state = .requestLine
            body = []
            keepsBody = true
            hasSkippedEmptyLine = false
            isInsideRequest = false
            method = nil
            target = nil
        }
        return .end(body: body, trailers: trailers)
    }
}
