public import Dispatch
internal import Synchronization

/// A bounded set of workers for work that computes, off the event loop and off Swift's cooperative threads.
///
/// At most `workers` jobs run and at most `capacity` wait; the rest are refused at once, so that an overload costs its clients a
/// quick answer and the server nothing. A job that is still waiting at its deadline is dropped and told so.
public final class ComputePool: Sendable {
    /// What a waiting job is told.
    public enum Outcome: Sendable {
        /// It is running: compute now.
        case run
        /// Its deadline passed while it waited.
        case expired
    }

    /// How full the pool is.
    public struct Load: Sendable, Equatable {
        /// Jobs that compute.
        public let running: Int
        /// Jobs that wait.
        public let waiting: Int
    }

    private struct Job: Sendable {
        let id: UInt64
        let body: @Sendable (Outcome) -> Void
    }

    private struct State: Sendable {
        /// The workers that have nothing to do.
        var idle: [Int]
        var nextID: UInt64 = 0
        var waiting: [Job] = []
    }

    /// Jobs that may compute at a time.
    public let workers: Int
    /// Jobs that may wait.
    public let capacity: Int
    private let state: Mutex<State>
    /// One serial queue for each worker. Dispatch gives serial queues threads of their own even while every processor is busy, which
    /// it does not do for concurrent ones: jobs there would keep other pools and all deadlines waiting.
    private let queues: [DispatchQueue]
    private let deadlines = DispatchQueue(label: "influenced.deadlines")

    /// A pool; both numbers at least 1.
    public init(workers: Int, capacity: Int) {
        self.workers = max(1, workers)
        self.capacity = max(1, capacity)
        queues = (0..<self.workers).map { DispatchQueue(label: "influenced.compute.\($0)", qos: .userInitiated) }
        state = Mutex(State(idle: Array(0..<self.workers)))
    }

    /// How full the pool is now.
    public var load: Load { state.withLock { Load(running: workers - $0.idle.count, waiting: $0.waiting.count) } }

    /// Whether a further job would be refused now.
    public var isFull: Bool { state.withLock { $0.idle.isEmpty && $0.waiting.count >= capacity } }

    /// Runs `body` as soon as a worker is free, or tells it that `deadline` passed first; it is called exactly once.
    /// - Returns: false where the pool is full, and then `body` is not called.
    public func submit(deadline: DispatchTime, _ body: @escaping @Sendable (Outcome) -> Void) -> Bool {
        enum Admission { case start(Int), wait(UInt64), refuse }
        let admission: Admission = state.withLock { state in
            if let worker = state.idle.popLast() { return .start(worker) }
            guard state.waiting.count < capacity else { return .refuse }
            state.nextID += 1
            state.waiting.append(Job(id: state.nextID, body: body))
            return .wait(state.nextID)
        }
        switch admission {
        case .start(let worker): start(body, on: worker)
        case .wait(let id): deadlines.asyncAfter(deadline: deadline) { [weak self] in self?.expire(id) }
        case .refuse: return false
        }
        return true
    }

    private func start(_ body: @escaping @Sendable (Outcome) -> Void, on worker: Int) {
        queues[worker].async {
            body(.run)
            self.finish(worker)
        }
    }

    private func finish(_ worker: Int) {
        let next: Job? = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.idle.append(worker)
                return nil
            }
            return state.waiting.removeFirst()
        }
        if let next { start(next.body, on: worker) }
    }

    private func expire(_ id: UInt64) {
        let job: Job? = state.withLock { state in
            state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
        }
        job?.body(.expired)
    }
}
