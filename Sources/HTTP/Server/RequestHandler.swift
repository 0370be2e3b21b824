/// What answers the requests of a server.
public protocol RequestHandler: Sendable {
    /// Looks at a request whose header section is complete, before any of its body is read, and may refuse it there.
    /// Without a refusal the body is read, and ``handle(_:reply:)`` follows.
    ///
    /// Called on the server's loop; must return at once.
    ///
    /// - Returns: The answer that refuses the request, or nil.
    func admit(_ head: RequestHead) -> Response?

    /// Answers a complete request.
    ///
    /// Called on the server's loop; must return at once and compute elsewhere. `reply` may be called from any thread, now
    /// or later, once: further calls do nothing, and when all copies of it are let go of without a call, the client gets
    /// a 500. The next request of the same connection is not read before the reply.
    func handle(_ request: Request, reply: @escaping @Sendable (Response) -> Void)
}

extension RequestHandler {
    /// Admits every request.
    public func admit(_ head: RequestHead) -> Response? { nil }
}
