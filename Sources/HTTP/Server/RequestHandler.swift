public import HTTPTypes

/// What a handler knows of one exchange beside the request, from the head to the last octet of the answer. The server keeps it as long
/// as the exchange lasts and lets go of it then: what it holds, such as a place in a queue, is given back at the latest there.
public protocol ExchangeContext: AnyObject, Sendable {}

/// What answers the requests of a server.
///
/// Of each exchange the server calls, on its loop and in this order: ``begin(_:)``, ``admit(_:_:)``, ``handle(_:reply:)`` unless the
/// request was refused, ``complete(_:head:context:)``, and ``ended(_:)``. All of them must return at once.
public protocol RequestHandler: Sendable {
    /// Takes note of a request whose header section is complete. What it returns accompanies the exchange.
    func begin(_ head: RequestHead) -> (any ExchangeContext)?

    /// Looks at a request whose header section is complete, before any of its body is read, and may refuse it there.
    /// Without a refusal the body is read, and ``handle(_:reply:)`` follows.
    ///
    /// - Returns: The answer that refuses the request, or nil.
    func admit(_ head: RequestHead, _ context: (any ExchangeContext)?) -> Response?

    /// Answers a complete request, having it computed elsewhere.
    ///
    /// `reply` may be called from any thread, now or later, once: further calls do nothing, and when all copies of it are
    /// let go of without a call, the client gets a 500. The next request of the same connection is not read before the reply.
    func handle(_ request: Request, reply: @escaping @Sendable (Response) -> Void)

    /// Adds to an answer what every answer has, whoever made it: a handler, or the server in refusing something.
    ///
    /// - Parameter head: The request's; nil where there was none that could be read.
    func complete(_ response: inout Response, head: RequestHead?, context: (any ExchangeContext)?)

    /// Learns that an exchange is over. Called once for each answer, and for each request that went without one.
    func ended(_ record: ExchangeRecord)
}

extension RequestHandler {
    /// Keeps nothing.
    public func begin(_ head: RequestHead) -> (any ExchangeContext)? { nil }
    /// Admits every request.
    public func admit(_ head: RequestHead, _ context: (any ExchangeContext)?) -> Response? { nil }
    /// Adds nothing.
    public func complete(_ response: inout Response, head: RequestHead?, context: (any ExchangeContext)?) {}
    /// Does nothing.
    public func ended(_ record: ExchangeRecord) {}
}

/// How an exchange went.
public struct ExchangeRecord: Sendable {
    /// The request's head; nil where what came was no request.
    public let head: RequestHead?
    /// What ``RequestHandler/begin(_:)`` returned.
    public let context: (any ExchangeContext)?
    /// The client's address, as "127.0.0.1:50000".
    public let peer: String
    /// The answer's status; nil if the client was gone before there was one.
    public let status: HTTPResponse.Status?
    /// The answer's fields as they were completed.
    public let fields: HTTPFields
    /// Octets of the request's body, as far as they were kept.
    public let receivedBytes: Int
    /// Octets of the answer's content that were to be sent.
    public let contentBytes: Int
    /// Whether the answer was handed to the kernel to its last octet.
    public let isComplete: Bool
    /// From the end of the header section to the last octet of the answer, or to the break.
    public let duration: Duration
}
