import CLinux
import Dispatch
import Glibc
import Synchronization

/// One thread that waits for descriptors, timers and tasks, and runs whoever is concerned. Everything that it calls must
/// return soon: while one handler runs, all others wait.
///
/// `@unchecked Sendable` because `confined` is mutable: it is reached only from the loop's thread (every method that
/// touches it asserts that), apart from `init`, when nobody else has the loop yet. All else is immutable or locked.
public final class EventLoop: @unchecked Sendable {
    /// What only the loop's thread may touch.
    struct Confined {
        var handlers = HandlerTable()
        var timers = TimerHeap()
        /// What to run in the next turn; it keeps a handler with much to do from starving the others.
        var turns: [() -> Void] = []
        var now = ContinuousClock.now
    }

    /// What any thread may touch, under its lock.
    private struct Inbox {
        var tasks: [@Sendable () -> Void] = []
        var isStarted = false
        var isStopping = false
    }

    private static let wakeToken = UInt64.max
    private static let eventsPerTurn = 256

    let epoll: FileDescriptor
    var confined = Confined()
    private let wakeup: FileDescriptor
    private let inbox = Mutex(Inbox())
    private let owner = Atomic<UInt>(0)
    private let running = DispatchGroup()

    /// Creates the loop; nothing runs before ``start()``.
    ///
    /// - Throws: `SocketError` when the system has no descriptors left.
    public init() throws(SocketError) {
        let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .current(.epoll, "create") }
        self.epoll = FileDescriptor(owning: epoll)
        let wakeup = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard wakeup >= 0 else { throw .current(.eventfd) }
        self.wakeup = FileDescriptor(owning: wakeup)
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(u64: Self.wakeToken))
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event) == 0 else { throw .current(.epoll, "add the wake-up") }
    }

    /// Starts the thread, which keeps the loop alive until it is stopped.
    ///
    /// - Precondition: It has not been started before.
    public func start() throws(SocketError) {
        let isFirst = inbox.withLock { inbox in
            defer { inbox.isStarted = true }
            return !inbox.isStarted
        }
        precondition(isFirst, "A loop is started once")
        running.enter()
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let loop = Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue()
                loop.run()
                loop.running.leave()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard status == 0 else {
            Unmanaged.passUnretained(self).release()
            running.leave()
            throw SocketError(code: .system(status), operation: .thread)
        }
        pthread_detach(thread)
    }

    /// Runs `task` on the loop's thread, soon, after the tasks given before it. Callable from any thread, the loop's
    /// included, and before the start. Once the loop has stopped, tasks are dropped.
    public func execute(_ task: @escaping @Sendable () -> Void) {
        let isFirst = inbox.withLock { inbox in
            guard !inbox.isStopping else { return false }
            inbox.tasks.append(task)
            return inbox.tasks.count == 1
        }
        // A loop that is running this very task's caller looks into its inbox before it sleeps again.
        if isFirst, !isOnLoop { wake() }
    }

    /// Ends the loop after the turn that it is in. Handlers, timers and tasks are let go of on its thread. Callable from
    /// any thread; later calls do nothing.
    public func stop() {
        inbox.withLock { $0.isStopping = true }
        wake()
    }

    /// Blocks until the thread has ended, or returns at once if it never began.
    ///
    /// - Precondition: This is not the loop's thread.
    public func join() {
        precondition(!isOnLoop, "A loop cannot wait for its own end")
        running.wait()
    }

    /// Whether the caller runs on the loop's thread.
    public var isOnLoop: Bool { owner.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Traps anywhere but on the loop's thread.
    public func preconditionOnLoop() {
        precondition(isOnLoop, "This belongs to the thread of the event loop")
    }

    // MARK: The loop's thread

    private func wake() {
        var one: UInt64 = 1
        // The counter cannot reach its maximum, at which a write would block: each wake-up is read before the next.
        _ = retryingInterrupts { write(wakeup.number, &one, MemoryLayout<UInt64>.size) }
    }

    private func run() {
        owner.store(UInt(pthread_self()), ordering: .relaxed)
        var events = [epoll_event](repeating: epoll_event(), count: Self.eventsPerTurn)
        while !inbox.withLock({ $0.isStopping }) {
            // Any error but EINTR means that the descriptor or the buffer is wrong, which the types above rule out.
            let count = epoll_wait(epoll.number, &events, Int32(events.count), waitingTime())
            confined.now = .now
            for index in 0..<max(0, Int(count)) {
                let event = events[index]
                if event.data.u64 == Self.wakeToken {
                    var counter: UInt64 = 0
                    _ = retryingInterrupts { read(wakeup.number, &counter, MemoryLayout<UInt64>.size) }
                } else {
                    confined.handlers.handler(of: event.data.u64)?.ready(Readiness(rawValue: event.events))
                }
            }
            runTimers()
            runTurns()
            runTasks()
        }
        tearDown()
    }

    private func runTimers() {
        // As many as are set now: a timer that sets itself to be due at once waits for the next turn.
        for _ in 0..<confined.timers.count {
            guard let timer = confined.timers.popDue(at: confined.now) else { return }
            timer.action()
        }
    }

    private func runTurns() {
        let turns = confined.turns
        confined.turns = []
        for turn in turns { turn() }
    }

    private func runTasks() {
        // Tasks that these tasks add wait for the next turn: a task that adds itself must not keep the loop from its events.
        let tasks = inbox.withLock { inbox in
            defer { inbox.tasks = [] }
            return inbox.tasks
        }
        for task in tasks { task() }
    }

    /// Milliseconds until something is due, rounded up so that no timer is looked at early; -1 for ever.
    private func waitingTime() -> Int32 {
        if !confined.turns.isEmpty || inbox.withLock({ !$0.tasks.isEmpty || $0.isStopping }) { return 0 }
        guard let deadline = confined.timers.firstDeadline else { return -1 }
        let left = ContinuousClock.now.duration(to: deadline)
        guard left > .zero else { return 0 }
        let milliseconds = (left + .nanoseconds(999_999)) / .milliseconds(1)
        return Int32(min(milliseconds, 3_600_000))
    }

    private func tearDown() {
        confined.handlers.removeAll()
        confined.timers.removeAll()
        confined.turns.removeAll()
        let dropped = inbox.withLock { inbox in
            defer { inbox.tasks = [] }
            return inbox.tasks
        }
        // Let go of outside the lock: what the tasks hold may call `execute` as it goes.
        _ = consume dropped
        // The system may give another thread this one's identity.
        owner.store(0, ordering: .relaxed)
    }
}
