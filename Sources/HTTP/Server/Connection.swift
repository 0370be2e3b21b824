import HTTPTypes
import Sockets

/// One connection: reads a request, has it handled, writes the answer, and begins again. One request is in the works at a
/// time, and nothing more is read meanwhile: a client that sends faster than it is answered is held back by its own TCP
/// window. Belongs to the loop's thread.
///
/// The loop tells of changes only, so what is known is kept: whether there may be more to read or room to write. Each is
/// believed until the kernel says that it would block.
final class Connection: ReadinessHandler {
    /// What the connection is doing.
    enum Phase {
        /// Waiting for a request, or in the middle of one.
        case reading
        /// Waiting for the handler's reply.
        case handling
        /// Writing an answer.
        case writing
        /// Finished writing for good, and waiting for the client to close. A close with input unread would be a reset,
        /// which can destroy the answer before the client has read it (RFC 9112 §9.6).
        case lingering
        /// Closed.
        case closed
    }

    /// What the timer is set for.
    enum Waiting {
        /// The first octet of a connection.
        case firstOctet
        /// The first octet of a further request.
        case nextRequest
        /// The rest of a header section.
        case header
        /// The rest of a body.
        case body
        /// The moment to find out whether a client that has finished sending is still there.
        case probe
        /// Room to write.
        case write
        /// The client's close.
        case close
    }

    let id: UInt64
    let core: ServerCore
    let socket: StreamSocket
    var registration: Registration?
    var timer: LoopTimer?
    var waiting: Waiting?

    var phase = Phase.reading
    var parser: RequestParser
    /// Input that was read together with the request in the works, and comes after it.
    var pending: [UInt8] = []
    var pendingOffset = 0
    var output = OutputQueue()
    var exchange: Exchange?
    var hasHadRequest = false

    var mayRead = false
    var mayWrite = true
    /// Whether the client has finished sending; what it sent may be unread.
    var peerHasFinished = false
    /// Whether all that the client sent has been read.
    var hasReadEnd = false
    var closesAfterAnswer = false
    var hasProbed = false
    var bodyProgress = 0
    /// What the client had still to take when the wait for room began.
    var unsentBytes = 0
    var isTurnScheduled = false
    /// What it holds of messages, as the server counts it.
    private var heldBytes = 0
    /// The answer that is being written.
    var answering: (status: HTTPResponse.Status, fields: HTTPFields, contentBytes: Int)?

    init(id: UInt64, core: ServerCore, socket: consuming StreamSocket, peer: SocketAddress) {
        self.id = id
        self.core = core
        self.socket = socket
        parser = RequestParser(limits: core.limits, peer: peer.description)
    }

    /// Registers with the loop and waits for the first request.
    func open() throws(SocketError) {
        socket.disableDelay()
        // Half a minute of silence, then three probes ten seconds apart: a vanished client is found within a minute.
        socket.enableKeepAlive(idle: 30, interval: 10, count: 3)
        registration = try core.loop.register(socket.descriptor, for: .changes, handler: self)
        timer = core.loop.makeTimer { [weak self] in self?.timerFired() }
        wait(for: .firstOctet)
    }

    /// Whether a message of `count` octets may be held.
    func hasRoom(for count: Int) -> Bool { core.hasRoom(for: count, insteadOf: heldBytes) }

    /// Counts what is held of messages now.
    func hold(_ count: Int) {
        core.account(for: count, insteadOf: heldBytes)
        heldBytes = count
    }

    /// Tells the handler of the end of the exchange in the works, or of the refusal of what never became a request.
    func conclude(isComplete: Bool) {
        hold(0)
        guard exchange?.isConcluded != true, exchange != nil || answering != nil else { return }
        exchange?.isConcluded = true
        let record = ExchangeRecord(
            head: exchange?.head, context: exchange?.context, peer: parser.peer, status: answering?.status,
            fields: answering?.fields ?? [:], receivedBytes: exchange?.bodyBytes ?? 0, contentBytes: answering?.contentBytes ?? 0,
            isComplete: isComplete,
            duration: exchange.map { $0.arrival.duration(to: .now) } ?? .zero)
        answering = nil
        core.handler.ended(record)
    }

    /// Whether there is nothing in the works: no request, and no answer.
    var isIdle: Bool {
        phase == .reading && exchange == nil && !parser.isInsideRequest && pending.isEmpty && output.isEmpty
    }

    func ready(_ readiness: Readiness) {
        // Broken, or closed in both directions while an answer is due: nobody is left to read it.
        if readiness.contains(.failed) || (readiness.contains(.hungUp) && (phase == .handling || phase == .writing)) {
            return breakOff()
        }
        if readiness.contains(.peerFinished) { peerHasFinished = true }
        if !readiness.isDisjoint(with: [.readable, .peerFinished, .hungUp]) { mayRead = true }
        if readiness.contains(.writable) { mayWrite = true }
        if phase == .handling { prepareProbe() }
        drive()
    }

    /// Goes on for as long as there is something to do, but no longer than a turn's share.
    func drive() {
        var budget = Self.bytesPerTurn
        while true {
            let goesOn =
                switch phase {
                case .reading: readOn(&budget)
                case .handling: writeOn(&budget)
                case .writing: writeOn(&budget)
                case .lingering: lingerOn(&budget)
                case .closed: false
                }
            if !goesOn { return }
        }
    }

    /// Lets the others have their turn, and goes on after them.
    func yield() {
        guard !isTurnScheduled else { return }
        isTurnScheduled = true
        core.loop.inNextTurn { [weak self] in
            self?.isTurnScheduled = false
            self?.drive()
        }
    }

    /// The octets that one connection may move before others have their turn.
    private static let bytesPerTurn = 262_144
}
