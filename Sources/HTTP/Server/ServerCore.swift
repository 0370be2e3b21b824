import HTTPTypes
import Sockets

/// The server as far as it belongs to the loop's thread: its connections and what they share.
final class ServerCore {
    let loop: EventLoop
    let handler: any RequestHandler
    let limits: HTTPLimits
    let problem: ProblemRenderer
    let counters: CounterBoard
    var date = HTTPDate()
    /// What connections read into; one is enough, since only one reads at a time.
    let scratch: UnsafeMutableBufferPointer<UInt8>

    private(set) var isDraining = false
    private var connections: [UInt64: Connection] = [:]
    private var lastID: UInt64 = 0
    private var acceptors: [Acceptor] = []
    private var drainTimer: LoopTimer?
    /// Octets of messages that connections hold; see ``HTTPLimits/bufferedBytes``.
    private var bufferedBytes = 0
    private var completion: (() -> Void)?

    init(
        loop: EventLoop, handler: any RequestHandler, limits: HTTPLimits, problem: @escaping ProblemRenderer,
        counters: CounterBoard
    ) {
        self.loop = loop
        self.handler = handler
        self.limits = limits
        self.problem = problem
        self.counters = counters
        scratch = .allocate(capacity: max(1, limits.readBytes))
        scratch.initialize(repeating: 0)
    }

    deinit { scratch.deallocate() }

    /// Accepts the connections of `listener`.
    func listen(on listener: Listener) throws(SocketError) {
        let acceptor = Acceptor(listener: listener, loop: loop) { [unowned self] socket, peer in
            open(socket, peer: peer)
        } report: { [counters] _ in
            counters.update { $0.acceptFailures += 1 }
        }
        try acceptor.start()
        acceptors.append(acceptor)
    }

    private func open(_ socket: consuming StreamSocket, peer: SocketAddress) {
        lastID += 1
        let connection = Connection(id: lastID, core: self, socket: socket, peer: peer)
        do throws(SocketError) {
            try connection.open()
        } catch {
            return counters.update { $0.acceptFailures += 1 }
        }
        connections[connection.id] = connection
        counters.update {
            $0.acceptedConnections += 1
            $0.openConnections += 1
        }
        if connections.count >= limits.connections { for acceptor in acceptors { acceptor.pause() } }
    }

    /// Forgets a connection that has closed.
    func remove(_ connection: Connection) {
        guard connections.removeValue(forKey: connection.id) != nil else { return }
        counters.update { $0.openConnections -= 1 }
        if connections.count < limits.connections { for acceptor in acceptors { acceptor.resume() } }
        finishIfDrained()
    }

    /// Whether a message of `count` octets has room beside what the others hold.
    func hasRoom(for count: Int, insteadOf held: Int) -> Bool {
        count <= limits.smallMessageBytes || count <= limits.bufferedBytes - (bufferedBytes - held)
    }

    /// Counts what a connection holds now in place of what it held.
    func account(for count: Int, insteadOf held: Int) {
        guard count != held else { return }
        bufferedBytes += count - held
        counters.update { $0.bufferedBytes = bufferedBytes }
    }

    /// The refusal of a message for which there is no room (RFC 9110 §15.6.4, §10.2.3).
    func noRoom(_ target: String?) -> Response {
        counters.update { $0.memoryRefusals += 1 }
        var response = problem(
            .serviceUnavailable, "Too many large messages are being received and sent; try again later.", target)
        response.fields[.retryAfter] = "1"
        return response
    }

    /// Passes a handler's answer on to its connection, if that is still open. It is then still waiting for this very
    /// answer: a connection handles one request at a time, and a ``Reply`` comes once.
    func deliver(_ response: Response, to id: UInt64) {
        counters.update { $0.requestsInFlight -= 1 }
        guard let connection = connections[id], let exchange = connection.exchange, connection.phase == .handling
        else { return }
        connection.answer(response, keepsAlive: exchange.head.keepsAlive)
        connection.drive()
    }

    /// Takes no more connections and no more requests, lets those in the works finish until `deadline` has passed, and then
    /// stops the loop.
    ///
    /// - Parameter completion: Called once, when the last connection has closed. Only that of the first drain counts.
    func drain(deadline: Duration, completion: @escaping () -> Void) {
        if !isDraining {
            self.completion = completion
            // Those who wait to be accepted may have sent their request already: they are heard before the door closes.
            for acceptor in acceptors { acceptor.stop(takingAtMost: limits.connections) }
            acceptors = []
            isDraining = true
            for connection in connections.values {
                connection.mayRead = true
                connection.drive()
                if connection.isIdle { connection.close() }
            }
        }
        let timer = loop.makeTimer { [weak self] in self?.breakOffAll() }
        drainTimer?.cancel()
        drainTimer = timer
        timer.set(after: deadline)
        finishIfDrained()
    }

    private func breakOffAll() {
        for connection in connections.values {
            connection.socket.resetOnClose()
            connection.breakOff()
        }
        finishIfDrained()
    }

    private func finishIfDrained() {
        guard isDraining, connections.isEmpty, let completion else { return }
        self.completion = nil
        drainTimer?.cancel()
        completion()
        loop.stop()
    }
}
