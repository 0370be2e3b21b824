import HTTPTypes

/// One request on its way through a connection, from its head to the last octet of its answer.
struct Exchange {
    /// What the header section said.
    let head: RequestHead
    /// What the handler keeps of it.
    let context: (any ExchangeContext)?
    /// When the header section was complete.
    let arrival = ContinuousClock.now
    /// Given to the handler with the request.
    let cancellation = Cancellation()
    /// Octets of the body, once it is complete.
    var bodyBytes = 0
    /// Whether the handler knows that it is over.
    var isConcluded = false
    /// Whether the answer is under way although the body is still to be read, and dropped.
    var isRefused = false

    init(head: RequestHead, context: (any ExchangeContext)?) {
        self.head = head
        self.context = context
    }

    /// Whether the rest of the request, after a refusal by its head, is worth reading for the sake of the requests that
    /// may follow on the connection. It must be known where it ends, be small, and be sure to come: a client that has
    /// asked whether to send its body may take the refusal for a no (RFC 9110 §10.1.1).
    func canSkipBody(limits: HTTPLimits) -> Bool {
        if head.method == .connect || head.lacksLength { return false }
        switch head.framing {
        case .none: return true
        case .length(let count): return count == 0 || (head.expectation == .none && count <= limits.discardedBodyBytes)
        case .chunked: return head.expectation == .none
        }
    }
}
