import HTTPTypes

/// Writes answers in the form that they have on the wire (RFC 9112 §4).
enum ResponseEncoder {
    /// What of the request the form of the answer depends on.
    struct Context {
        /// The request's method; nil if the request was refused before that was known.
        var method: HTTPRequest.Method?
        /// The request's version.
        var version = HTTPVersion.http11
        /// Whether the connection goes on after this answer.
        var keepsAlive: Bool
        /// The value of Date.
        var date: String
    }

    /// The octets that every answer begins with, whatever its status.
    static let commonPrefix = Array("HTTP/1.1 ".utf8)

    /// The interim answer that asks for the body (RFC 9110 §15.2.1).
    static let interimContinue = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// The status line and the fields of `response`, and the body that follows them.
    ///
    /// A status that no final answer can have is the handler's mistake, and becomes 500.
    static func encode(_ response: Response, in context: Context) -> (head: [UInt8], body: [UInt8]) {
        let isFinal = (200...599).contains(response.status.code)
        let status = isFinal ? response.status : .internalServerError
        // RFC 9110 §9.3.2, §15.3.5, §15.4.5: no content after the header section, whatever the fields say.
        let hasContent = context.method != .head && status != .noContent && status != .notModified
        var head = commonPrefix
        head.reserveCapacity(256)
        append("\(status.code) \(status.reasonPhrase)\r\n", to: &head)
        for field in response.fields where !ownFields.contains(field.name) {
            append(field.name.rawName, to: &head)
            append(": ", to: &head)
            field.withUnsafeBytesOfValue { head.append(contentsOf: $0) }
            append("\r\n", to: &head)
        }
        // RFC 9110 §6.6.1: an origin server with a clock sends Date.
        if !response.fields.contains(.date) { append("Date: \(context.date)\r\n", to: &head) }
        // RFC 9110 §8.6: no Content-Length with 204; with 304 and HEAD it may only be what GET's 200 would have, which is
        // known for HEAD.
        if status != .noContent, status != .notModified { append("Content-Length: \(response.body.count)\r\n", to: &head) }
        // RFC 9112 §9.3, §9.6: 1.1 goes on unless told, 1.0 closes unless told.
        if !context.keepsAlive {
            append("Connection: close\r\n", to: &head)
        } else if context.version == .http10 {
            append("Connection: keep-alive\r\n", to: &head)
        }
        append("\r\n", to: &head)
        return (head, hasContent ? response.body : [])
    }

    private static let ownFields: Set<HTTPField.Name> = [.contentLength, .transferEncoding, .connection]

    private static func append(_ text: String, to octets: inout [UInt8]) { octets.append(contentsOf: text.utf8) }
}
