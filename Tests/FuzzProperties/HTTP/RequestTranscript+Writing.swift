import HTTP
import HTTPTypes

extension RequestTranscript.Message {
    /// The request as a client would write it that wants to be understood: in origin form, its body in one chunk if in any.
    var octets: [UInt8] {
        var octets = Array("\(method.rawValue) \(target.raw) HTTP/1.\(version == .http10 ? 0 : 1)\r\n".utf8)
        if let authority { octets += Array("Host: \(authority)\r\n".utf8) }
        octets += Self.lines(of: fields) + Array("\r\n".utf8)
        guard framing == .chunked else { return octets + body }
        if !body.isEmpty { octets += Array("\(String(body.count, radix: 16))\r\n".utf8) + body + Array("\r\n".utf8) }
        return octets + Array("0\r\n".utf8) + Self.lines(of: trailers) + Array("\r\n".utf8)
    }

    /// Whether `other` means the same; it may have been written in another form.
    func meansTheSame(as other: Self) -> Bool {
        method == other.method && version == other.version && framing == other.framing && expectation == other.expectation
            && keepsAlive == other.keepsAlive && authority == other.authority && body == other.body
            && target.raw == other.target.raw && target.segments == other.target.segments && target.query == other.target.query
            && target.queryItems == other.target.queryItems
            && Self.lines(of: fields) == Self.lines(of: other.fields)
            && Self.lines(of: trailers) == Self.lines(of: other.trailers)
    }

    private static func lines(of fields: HTTPFields) -> [UInt8] {
        fields.flatMap { field in
            Array("\(field.name.rawName): ".utf8) + field.withUnsafeBytesOfValue { Array($0) } + Array("\r\n".utf8)
        }
    }
}
