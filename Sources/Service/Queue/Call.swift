internal import Dispatch
internal import HTTP
internal import Synchronization

/// One client's wait for the answer to a request that computes. It ends once: with an answer, at its deadline, or because the client
/// has gone.
final class Call: Sendable {
    /// How it ended.
    private enum End: Sendable { case answered, abandoned }

    private struct State: Sendable {
        /// Nil while the client waits.
        var end: End?
        var alarm: Deadlines.Token?
        /// Who is to be told if it ends without an answer.
        var abandonment: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let deadlines: Deadlines
    private let arrival = DispatchTime.now()
    private let reply: @Sendable (Response) -> Void

    /// A call that ends at the deadline with what `expired` gives, and with nothing when `cancellation` is set.
    /// - Parameter milliseconds: from now to its deadline.
    init(
        deadlines: Deadlines, milliseconds: Int, cancellation: Cancellation, reply: @escaping @Sendable (Response) -> Void,
        expired: @escaping @Sendable () -> Response
    ) {
        self.deadlines = deadlines
        self.reply = reply
        let alarm = deadlines.set(at: arrival + .milliseconds(milliseconds)) { [weak self] in self?.end { expired() } }
        state.withLock { if $0.end == nil { $0.alarm = alarm } }
        cancellation.onCancel { [weak self] in self?.end { nil } }
    }

    /// Moves the deadline to `milliseconds` after the request arrived.
    func setDeadline(milliseconds: Int) {
        guard let alarm = state.withLock({ $0.alarm }) else { return }
        deadlines.move(alarm, to: arrival + .milliseconds(milliseconds))
    }

    /// Whether nobody waits any more.
    var isOver: Bool { state.withLock { $0.end != nil } }

    /// Answers, unless the call is over: then `response` is not even made.
    func answer(_ response: () -> Response) {
        if close(.answered) != nil { reply(response()) }
    }

    /// Has `action` called once if the call ends without an answer; at once if it has.
    func onAbandonment(_ action: @escaping @Sendable () -> Void) {
        let isAbandoned = state.withLock { state in
            // A call that is over keeps nothing: the action may hold the call itself.
            if state.end == nil { state.abandonment = action }
            return state.end == .abandoned
        }
        if isAbandoned { action() }
    }

    /// Milliseconds from the request's arrival to `time`; none if that was before.
    func milliseconds(to time: DispatchTime) -> Double {
        time > arrival ? Double(time.uptimeNanoseconds - arrival.uptimeNanoseconds) / 1e6 : 0
    }

    /// Ends the call without an answer of the computation's.
    private func end(_ response: () -> Response?) {
        guard let abandonment = close(.abandoned) else { return }
        if let response = response() { reply(response) }
        abandonment?()
    }

    /// - Returns: nil if the call was over already, else who was to be told.
    private func close(_ end: End) -> (@Sendable () -> Void)?? {
        let (wasOver, alarm, abandonment) = state.withLock { state in
            defer { state = State(end: state.end ?? end) }
            return (state.end != nil, state.alarm, state.abandonment)
        }
        guard !wasOver else { return nil }
        if let alarm { deadlines.cancel(alarm) }
        return .some(abandonment)
    }
}
