public import HTTPTypes

/// A complete request.
public struct Request: Sendable {
    /// What the header section said.
    public let head: RequestHead
    /// The body, its chunks put together.
    public let body: [UInt8]
    /// The fields of the trailer section; empty unless the body was chunked.
    public let trailers: HTTPFields
    /// Whether the answer is still wanted.
    public let cancellation: Cancellation
    /// What ``RequestHandler/begin(_:)`` returned for it.
    public let context: (any ExchangeContext)?
    /// What the names in the route's pattern stand for, decoded; empty without a ``Router``.
    public internal(set) var parameters: [String: String] = [:]

    /// A request from its parts, as a server or a test makes it.
    public init(
        head: RequestHead, body: [UInt8] = [], trailers: HTTPFields = [:], cancellation: Cancellation = Cancellation(),
        context: (any ExchangeContext)? = nil
    ) {
        self.head = head
        self.body = body
        self.trailers = trailers
        self.cancellation = cancellation
        self.context = context
    }

    /// The method.
    public var method: HTTPRequest.Method { head.method }
    /// The fields, without Host.
    public var fields: HTTPFields { head.fields }
    /// The target: path segments and query.
    public var target: RequestTarget { head.target }
    /// The client's address, as "127.0.0.1:50000".
    public var peer: String { head.peer }
}
