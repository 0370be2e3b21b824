/// Accepts the connections of a listener on a loop, and hands each to `take`. Belongs to the loop's thread.
///
/// When descriptors run out, it looks away for ``pauseWhenExhausted``: the connection that waits would otherwise be
/// reported without end, and could not be accepted all the same. `pause()` and `resume()` let the owner do the same when
/// it has as many connections as it wants; those that come wait in the listener's backlog.
public final class Acceptor: ReadinessHandler {
    /// How long it looks away when the process has run out of descriptors.
    public static let pauseWhenExhausted: Duration = .milliseconds(100)
    /// How many connections it takes before others on the loop have their turn.
    static let acceptsPerTurn = 64

    private let listener: Listener
    private let loop: EventLoop
    private let take: (consuming StreamSocket, SocketAddress) -> Void
    private let report: (SocketError) -> Void
    private var registration: Registration?
    private var retry: LoopTimer?
    private var isPaused = false

    /// An acceptor that has yet to be started.
    ///
    /// - Parameters:
    ///   - take: Gets each connection and its peer's address.
    ///   - report: Gets the errors: exhaustion, after which it goes on by itself, and failures of the listener, after
    ///     which it does not.
    public init(
        listener: Listener, loop: EventLoop, take: @escaping (consuming StreamSocket, SocketAddress) -> Void,
        report: @escaping (SocketError) -> Void
    ) {
        self.listener = listener
        self.loop = loop
        self.take = take
        self.report = report
    }

    /// Where the listener is bound.
    public var address: SocketAddress { listener.address }

    /// Begins to accept.
    public func start() throws(SocketError) {
        registration = try loop.register(listener.descriptor, for: .reading, handler: self)
        retry = loop.makeTimer { [weak self] in self?.watch() }
    }

    /// Stops accepting until ``resume()``.
    public func pause() {
        guard !isPaused else { return }
        isPaused = true
        look(for: .nothing)
    }

    /// Accepts again after ``pause()``.
    public func resume() {
        guard isPaused else { return }
        isPaused = false
        watch()
    }

    /// Takes those who are waiting already, up to `limit`, then accepts no more. The listener closes when its owners let go.
    public func stop(takingAtMost limit: Int) {
        guard let registration else { return }
        retry?.cancel()
        accept(atMost: limit)
        if self.registration != nil { loop.unregister(registration, of: listener.descriptor) }
        self.registration = nil
    }

    /// Called by the loop.
    public func ready(_ readiness: Readiness) { accept(atMost: Self.acceptsPerTurn) }

    private func accept(atMost limit: Int) {
        var left = limit
        while left > 0, !isPaused, registration != nil {
            left -= 1
            do throws(SocketError) {
                switch try listener.accept() {
                case .connection(let socket, let peer): take(socket, peer)
                case .wouldBlock: return
                case .exhausted(let error):
                    report(error)
                    look(for: .nothing)
                    retry?.set(after: Self.pauseWhenExhausted)
                    return
                }
            } catch {
                report(error)
                if let registration { loop.unregister(registration, of: listener.descriptor) }
                registration = nil
            }
        }
    }

    private func watch() {
        if !isPaused { look(for: .reading) }
    }

    private func look(for interest: Interest) {
        guard let registration else { return }
        do throws(SocketError) { try loop.modify(registration, of: listener.descriptor, to: interest) } catch { report(error) }
    }
}
