import HTTP
import HTTPTypes

/// What a parser makes of a connection's input: the requests that it completes, and how it ends.
struct Parsed: Equatable, CustomStringConvertible {
    /// A complete request, as far as the tests look at it.
    struct Message: Equatable {
        var method: String
        var target: String
        var segments: [String]
        var authority: String?
        var fields: [String]
        var body: String
        var trailers: [String]
        var keepsAlive: Bool
    }

    var messages: [Message] = []
    /// The heads that came, with those whose bodies did not come to an end.
    var heads = 0
    /// The status of the refusal that it ended with, or nil.
    var refusal: Int?
    var detail: String?
    /// Whether it ended inside a request.
    var isInside = false

    var description: String {
        "\(messages.map { "\($0.method) \($0.target) \($0.body.debugDescription)" }) \(refusal ?? 0) \(detail ?? "")"
    }

    /// Feeds `input` to a new parser, cut at `cuts`, and remembers what comes of it.
    init(_ input: [UInt8], cuts: [Int] = [], limits: HTTPLimits = HTTPLimits()) {
        var parser = RequestParser(limits: limits, peer: "test")
        var head: RequestHead?
        var start = 0
        do throws(ProtocolError) {
            for end in cuts + [input.count] {
                var position = start
                while true {
                    let step = try parser.parse(input.span.extracting(position..<end))
                    position += step.consumed
                    switch step.event {
                    case .head(let next):
                        head = next
                        heads += 1
                    case .end(let body, let trailers):
                        if let head { messages.append(Message(head, body, trailers)) }
                    case nil:
                        break
                    }
                    if step.event == nil { break }
                }
                start = end
            }
        } catch {
            refusal = error.status.code
            detail = error.detail
        }
        isInside = parser.isInsideRequest
    }

    /// The same for text, cut at no place.
    init(_ text: String, limits: HTTPLimits = HTTPLimits()) { self.init(Array(text.utf8), limits: limits) }

    /// What comes of `input` however it is cut in two, and of one octet at a time; nil if that is not always the same.
    static func everyCut(of input: [UInt8], limits: HTTPLimits = HTTPLimits()) -> Parsed? {
        let whole = Parsed(input, limits: limits)
        guard Parsed(input, cuts: Array(0..<input.count), limits: limits) == whole else { return nil }
        for cut in 0...input.count where Parsed(input, cuts: [cut], limits: limits) != whole { return nil }
        return whole
    }
}

extension Parsed.Message {
    init(_ head: RequestHead, _ body: [UInt8], _ trailers: HTTPFields) {
        method = head.method.rawValue
        target = head.target.raw
        segments = head.target.segments
        authority = head.message.authority
        fields = head.fields.map { "\($0.name): \($0.value)" }
        self.body = String(decoding: body, as: UTF8.self)
        self.trailers = trailers.map { "\($0.name): \($0.value)" }
        keepsAlive = head.keepsAlive
    }
}

/// A request from its first line and its other lines, with a Host unless `host` is nil.
func request(_ line: String, host: String? = "h", _ fields: String..., body: String = "") -> String {
    ([line] + (host.map { ["Host: \($0)"] } ?? []) + fields).map { $0 + "\r\n" }.joined() + "\r\n" + body
}
