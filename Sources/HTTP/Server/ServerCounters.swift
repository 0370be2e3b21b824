import Synchronization

/// What a server has done since it was made, at one moment.
public struct ServerCounters: Equatable, Sendable {
    /// Connections that are open now.
    public var openConnections = 0
    /// Connections accepted.
    public var acceptedConnections = 0
    /// Requests given to the handler.
    public var requests = 0
    /// Requests given to the handler and not answered yet.
    public var requestsInFlight = 0
    /// Requests that were refused: by the protocol, or by the handler's `admit`.
    public var refusals = 0
    /// Requests whose client was gone before the answer.
    public var cancellations = 0
    /// Requests and answers that were refused for lack of room; see ``HTTPLimits/bufferedBytes``.
    public var memoryRefusals = 0
    /// Octets of bodies and answers in memory now.
    public var bufferedBytes = 0
    /// Times that accepting had to pause or failed, for lack of descriptors or otherwise.
    public var acceptFailures = 0
    /// Octets read from connections.
    public var receivedBytes = 0
    /// Octets written to connections.
    public var sentBytes = 0

    /// Counters at zero.
    public init() {}
}

/// The counters where they are counted: on the loop's thread, and read on any.
final class CounterBoard: Sendable {
    private let counters = Mutex(ServerCounters())

    /// The counters as they are now.
    var snapshot: ServerCounters { counters.withLock { $0 } }

    /// Changes the counters. The lock is free but for the rare snapshot.
    func update(_ change: (inout ServerCounters) -> Void) { counters.withLock { change(&$0) } }
}
