public import HTTPTypes

/// The answer to a request. The server adds Date, and what concerns the connection and the length of the body.
public struct Response: Equatable, Sendable {
    /// The status, from 200 to 599.
    public var status: HTTPResponse.Status
    /// The fields. Content-Length, Transfer-Encoding and Connection are the server's, and ignored here.
    public var fields: HTTPFields
    /// The content. It is not sent in answers that have none: those to HEAD, and those with 204 and 304.
    public var body: [UInt8]
    /// Whether the connection is to close after this answer.
    public var closesConnection = false

    /// An answer with the given content, whose type must be among the fields.
    public init(status: HTTPResponse.Status, fields: HTTPFields = [:], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// An answer with octets of a media type.
    public static func bytes(
        _ body: [UInt8], type: String, status: HTTPResponse.Status = .ok, fields: HTTPFields = [:]
    ) -> Response {
        var fields = fields
        fields[.contentType] = type
        return Response(status: status, fields: fields, body: body)
    }

    /// An answer with text, which is sent as UTF-8.
    public static func text(
        _ text: String, type: String = "text/plain; charset=utf-8", status: HTTPResponse.Status = .ok,
        fields: HTTPFields = [:]
    ) -> Response {
        bytes(Array(text.utf8), type: type, status: status, fields: fields)
    }

    /// An answer without content.
    public static func empty(_ status: HTTPResponse.Status = .noContent, fields: HTTPFields = [:]) -> Response {
        Response(status: status, fields: fields)
    }
}
