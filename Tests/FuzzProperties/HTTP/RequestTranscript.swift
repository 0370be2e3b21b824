import HTTP
import HTTPTypes

/// All that a parser makes of a connection's input, so that two ways to cut the input can be compared.
struct RequestTranscript: Equatable {
    /// A complete request.
    struct Message: Equatable {
        var method: HTTPRequest.Method
        var target: RequestTarget
        var version: HTTPVersion
        var framing: RequestHead.Framing
        var expectation: RequestHead.Expectation
        var keepsAlive: Bool
        var authority: String?
        var fields: HTTPFields
        var body: [UInt8]
        var trailers: HTTPFields
    }

    var messages: [Message] = []
    /// Heads that came, with the one whose body did not come to an end.
    var heads = 0
    var refusal: ProtocolError?
    var isInside = false
    var target: String?

    /// Feeds `input` to a new parser, piece by piece, as a server does.
    ///
    /// - Parameter skipping: Whether the bodies are not wanted; then they must stay within a quarter of their limit.
    init(_ input: [UInt8], pieces: [Range<Int>], limits: HTTPLimits, skipping: Bool = false) throws(Violation) {
        var parser = RequestParser(limits: limits, peer: "peer")
        var head: RequestHead?
        for piece in pieces {
            var position = piece.lowerBound
            while true {
                let step: RequestParser.Step
                do throws(ProtocolError) {
                    step = try parser.parse(input.span.extracting(position..<piece.upperBound))
                } catch {
                    refusal = error
                    try Self.requireSame(error, of: &parser, input)
                    (isInside, target) = (parser.isInsideRequest, parser.target)
                    return
                }
                let rest = piece.upperBound - position
                try require((0...rest).contains(step.consumed), "\(step.consumed) octets of \(rest) were consumed")
                position += step.consumed
                switch step.event {
                case .head(let next):
                    try require(head == nil, "a head came before the body of the one before had ended")
                    head = next
                    heads += 1
                    if skipping { parser.skipBody(atMost: limits.bodyBytes / 4) }
                case .end(let body, let trailers):
                    guard let ended = head else { throw Violation("a body ended without a head") }
                    messages.append(Message(ended, body, trailers))
                    head = nil
                case nil:
                    try require(position == piece.upperBound, "input was left without an event")
                }
                if step.event == nil { break }
            }
        }
        (isInside, target) = (parser.isInsideRequest, parser.target)
        try require(head == nil || isInside, "a head came, and yet the parser is in no request")
    }

    /// A parser that has refused its input refuses whatever comes, and for the same reason.
    private static func requireSame(_ refusal: ProtocolError, of parser: inout RequestParser, _ input: [UInt8]) throws(Violation)
    {
        do throws(ProtocolError) { _ = try parser.parse(input.span) } catch {
            try require(error == refusal, "\(refusal) became \(error)")
            return
        }
        throw Violation("after \(refusal) the parser went on")
    }
}

extension RequestTranscript.Message {
    init(_ head: RequestHead, _ body: [UInt8], _ trailers: HTTPFields) {
        self.init(
            method: head.method, target: head.target, version: head.version, framing: head.framing,
            expectation: head.expectation, keepsAlive: head.keepsAlive, authority: head.message.authority, fields: head.fields,
            body: body, trailers: trailers)
    }
}
