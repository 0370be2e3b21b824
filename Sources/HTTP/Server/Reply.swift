import HTTPTypes
import Sockets
import Synchronization

/// The right to answer one request: used once, from any thread. If nobody uses it, the request is answered with 500, so that
/// a handler that forgets one does not leave the client waiting for ever.
final class Reply: Sendable {
    private let isUsed = Atomic(false)
    private let loop: EventLoop
    private let core: LoopBound<ServerCore>
    private let problem: ProblemRenderer
    private let connection: UInt64
    private let target: String

    init(
        loop: EventLoop, core: LoopBound<ServerCore>, problem: @escaping ProblemRenderer, connection: UInt64, target: String
    ) {
        self.loop = loop
        self.core = core
        self.problem = problem
        self.connection = connection
        self.target = target
    }

    /// RFC 9110 §15.6.1.
    deinit { callAsFunction { problem(.internalServerError, "The server has no answer to this request.", target) } }

    /// Answers the request, unless that has been done.
    func callAsFunction(_ response: () -> Response) {
        guard !isUsed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // The deinitialiser comes here, too: the task must not hold on to `self`.
        let (core, connection, answer) = (core, connection, response())
        loop.execute { core().deliver(answer, to: connection) }
    }
}
