public import HTTPTypes

/// A request as far as its header section tells: all that is known before the body comes.
public struct RequestHead: Sendable {
    /// How the end of the body is found (RFC 9112 §6.3).
    public enum Framing: Equatable, Sendable {
        /// There is no body: neither Content-Length nor Transfer-Encoding.
        case none
        /// So many octets follow.
        case length(Int)
        /// Chunks follow, up to the last.
        case chunked
    }

    /// What the client wants to hear before it sends the body (RFC 9110 §10.1.1).
    public enum Expectation: Equatable, Sendable {
        /// Nothing.
        case none
        /// An interim 100, or the final answer.
        case `continue`
        /// Something that this server does not know.
        case unsupported
    }

    /// Method, authority, path and fields. The Host field is not among the fields: it is the authority, unless an
    /// absolute target names another (RFC 9112 §3.2.2). `path` is as it was written, with the query.
    public let message: HTTPRequest
    /// The target, taken apart.
    public let target: RequestTarget
    /// The version, 1.0 or 1.1.
    public let version: HTTPVersion
    /// How the end of the body is found.
    public let framing: Framing
    /// What the client wants to hear before it sends the body.
    public let expectation: Expectation
    /// Whether the client is ready to send another request on this connection (RFC 9112 §9.3).
    public let keepsAlive: Bool
    /// The client's address, as "127.0.0.1:50000"; empty where nobody has said.
    public let peer: String

    /// The method.
    public var method: HTTPRequest.Method { message.method }
    /// The fields, without Host.
    public var fields: HTTPFields { message.headerFields }

    /// Whether a body is announced and is not known to be empty.
    public var hasBody: Bool { framing != .none && framing != .length(0) }

    /// Whether this is a method that comes with a body, and nothing says how long that is. The answer is then 411
    /// (RFC 9110 §15.5.12), once it is known that the resource allows the method at all.
    public var lacksLength: Bool { framing == .none && Self.methodsWithBody.contains(method) }

    /// What is to be refused before anybody looks at the target: methods that this server does not know at all, and
    /// expectations that it cannot meet.
    var refusal: ProtocolError? {
        // RFC 9110 §9.1: 501 for a method that is not recognised or not implemented; among those CONNECT, which is for
        // proxies (§9.3.6), and TRACE, which would send a client's credentials back to it (§9.3.8).
        guard Self.implementedMethods.contains(method) else {
            return ProtocolError(.notImplemented, "The method \(Octets.quoted(Array(method.rawValue.utf8))) is not implemented.")
        }
        // RFC 9110 §10.1.1: 417 for an expectation that cannot be met.
        guard expectation != .unsupported else {
            return ProtocolError(.expectationFailed, "The only expectation supported is 100-continue.")
        }
        return nil
    }

    /// The methods of RFC 9110 §9 and RFC 5789 that a resource may have.
    static let implementedMethods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .delete, .options, .patch]
    private static let methodsWithBody: Set<HTTPRequest.Method> = [.post, .put, .patch]
}
