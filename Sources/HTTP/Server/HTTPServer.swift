import Dispatch
public import Sockets
import Synchronization

/// An HTTP/1.1 server (RFC 9110, RFC 9112). All of its connections live on the one thread of an event loop, which parses
/// requests and writes answers, and computes neither: a ``RequestHandler`` has that done elsewhere.
///
/// Make it, bind it, start it; drain it and wait for its end. A server that is let go of without a drain stops at once.
public final class HTTPServer: Sendable {
    private struct State {
        var listeners: [Listener] = []
        var isStarted = false
    }

    /// Who is to be told of the end. Apart from the server, which may be let go of before its end.
    private final class Ending: Sendable {
        /// Nil once the end has come.
        private let completions = Mutex<[@Sendable () -> Void]?>([])

        /// Has `completion` called at the end, or now if that has come.
        func then(_ completion: @escaping @Sendable () -> Void) {
            let isOver = completions.withLock { completions in
                completions?.append(completion)
                return completions == nil
            }
            if isOver { completion() }
        }

        func come() {
            let waiting = completions.withLock { completions in
                defer { completions = nil }
                return completions ?? []
            }
            for completion in waiting { completion() }
        }
    }

    private let loop: EventLoop
    private let core: LoopBound<ServerCore>
    private let board = CounterBoard()
    private let state = Mutex(State())
    private let ending = Ending()

    /// A server that is neither bound nor started.
    ///
    /// - Parameters:
    ///   - handler: Answers the requests.
    ///   - limits: What a client may ask of the server.
    ///   - problem: Renders what the server refuses by itself, on its loop.
    /// - Throws: `SocketError` when the system has no descriptors left.
    public init(
        handler: any RequestHandler, limits: HTTPLimits = HTTPLimits(), problem: @escaping ProblemRenderer
    ) throws(SocketError) {
        loop = try EventLoop()
        let core = ServerCore(loop: loop, handler: handler, limits: limits, problem: problem, counters: board)
        self.core = LoopBound(core, to: loop)
    }

    deinit {
        if state.withLock({ $0.isStarted }) { drain(deadline: .zero) }
    }

    /// What the server has done so far.
    public var counters: ServerCounters { board.snapshot }

    /// Binds to the first address of `host` that can be bound, and returns where that is. Port 0 lets the system choose.
    ///
    /// Blocks while a name is looked up.
    ///
    /// - Precondition: The server has not been started.
    @discardableResult
    public func bind(host: String, port: UInt16) throws(SocketError) -> SocketAddress {
        var failure: SocketError?
        for address in try SocketAddress.resolving(host: host, port: port) {
            do throws(SocketError) { return try bind(to: address) } catch { failure = failure ?? error }
        }
        throw failure ?? SocketError(code: .invalid("it has no address"), operation: .bind, context: host)
    }

    /// Binds to `address`, and returns it with the port that it has. A server can be bound to several.
    ///
    /// Connections are accepted into the backlog from here on, and served after ``start()``.
    ///
    /// - Precondition: The server has not been started.
    @discardableResult
    public func bind(to address: SocketAddress) throws(SocketError) -> SocketAddress {
        let listener = try Listener(address: address)
        state.withLock { state in
            precondition(!state.isStarted, "A server is bound before it is started")
            state.listeners.append(listener)
        }
        return listener.address
    }

    /// Begins to serve, on a thread of its own.
    ///
    /// - Throws: `SocketError` when the system takes no more threads or registrations; the server has then ended.
    /// - Precondition: The server has not been started.
    public func start() throws(SocketError) {
        let listeners = state.withLock { state in
            precondition(!state.isStarted, "A server is started once")
            state.isStarted = true
            defer { state.listeners = [] }
            return state.listeners
        }
        try loop.start()
        let outcome = Outcome()
        loop.execute { [core] in
            do throws(SocketError) {
                for listener in listeners { try core().listen(on: listener) }
            } catch { outcome.failure.withLock { $0 = error } }
            outcome.isKnown.signal()
        }
        outcome.isKnown.wait()
        if let failure = outcome.failure.withLock({ $0 }) {
            drain(deadline: .zero)
            throw failure
        }
    }

    /// What starting came to, on its way from the loop's thread to the one that waits for it.
    private final class Outcome: Sendable {
        let failure = Mutex<SocketError?>(nil)
        let isKnown = DispatchSemaphore(value: 0)
    }

    /// Stops in good order: accepts no more, closes the connections that are idle, answers the requests that have been
    /// received or begun, and ends. What is not finished when `deadline` has passed is broken off, and its
    /// ``Cancellation`` is set. Returns at once; any thread, any number of times, of which the last deadline counts.
    ///
    /// - Parameter completion: Called when the last connection has closed, on the loop's thread; at once if that was before.
    public func drain(deadline: Duration, completion: @escaping @Sendable () -> Void = {}) {
        guard state.withLock({ $0.isStarted }) else { return completion() }
        ending.then(completion)
        loop.execute { [core, ending] in core().drain(deadline: deadline) { ending.come() } }
    }

    /// Blocks until the server has ended; returns at once if it was never started.
    ///
    /// - Precondition: This is not the loop's thread, on which handlers and completions are called.
    public func wait() { loop.join() }
}
