internal import HTTP
internal import Synchronization

/// What is known of one request beside itself: its names, its client, where its time went.
final class Visit: ExchangeContext {
    private struct State: Sendable {
        var keyName: String?
        var permit: ClientLimit.Permit?
        var timings: [(name: String, milliseconds: Double)] = []
    }

    /// The name by which it is found in the log.
    let requestID: RequestIdentifier
    /// Our span of the trace that it belongs to.
    let trace: TraceContext
    /// The index of its route; nil where there is none.
    let route: Int?
    private let state = Mutex(State())

    init(requestID: RequestIdentifier, trace: TraceContext, route: Int?) {
        self.requestID = requestID
        self.trace = trace
        self.route = route
    }

    /// The name of the API key it came with.
    var keyName: String? {
        get { state.withLock { $0.keyName } }
        set { state.withLock { $0.keyName = newValue } }
    }

    /// Where the time of its answer went, for Server-Timing.
    var timings: [(name: String, milliseconds: Double)] {
        get { state.withLock { $0.timings } }
        set { state.withLock { $0.timings = newValue } }
    }

    /// Keeps its client's permit until the exchange is over.
    func hold(_ permit: ClientLimit.Permit) { state.withLock { $0.permit = permit } }

    /// Gives the permit back. Threads that have been answering the request may keep this a little longer than its client has waited.
    func letGo() { state.withLock { $0.permit = nil } }
}
