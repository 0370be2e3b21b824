internal import Dispatch
internal import DequeModule
internal import Synchronization

/// A bounded set of workers, off the event loop and off Swift's cooperative threads, and the jobs that wait for them.
///
/// At most `workers` batches of jobs run and at most `capacity` jobs wait; the rest are refused at once, so that an overload costs its
/// clients a quick answer and the server nothing. Whoever is free takes the job that has waited longest, and with it the waiting jobs
/// that join it.
final class WorkerPool<Job: Sendable>: Sendable {
    /// How full the pool is.
    struct Load: Sendable, Equatable {
        /// Workers that have a batch.
        let running: Int
        /// Jobs that wait.
        let waiting: Int
    }

    private struct State: Sendable {
        /// The workers that have nothing to do.
        var idle: [Int]
        var waiting: Deque<Job> = []
    }

    /// Batches that may run at a time.
    let workers: Int
    /// Jobs that may wait.
    let capacity: Int
    private let joins: @Sendable (_ job: Job, _ batch: [Job]) -> Bool
    private let run: @Sendable ([Job]) -> Void
    private let state: Mutex<State>
    /// One serial queue for each worker. Dispatch gives serial queues threads of their own even while every processor is busy, which
    /// it does not do for concurrent ones: jobs there would keep other pools and all deadlines waiting.
    private let queues: [DispatchQueue]

    /// A pool; both numbers at least 1.
    ///
    /// - Parameters:
    ///   - joins: whether a waiting job is to be run together with a batch; none by default.
    ///   - run: runs a batch, on a worker's thread.
    init(
        label: String, workers: Int, capacity: Int, joins: @escaping @Sendable (Job, [Job]) -> Bool = { _, _ in false },
        run: @escaping @Sendable ([Job]) -> Void
    ) {
        self.workers = max(1, workers)
        self.capacity = max(1, capacity)
        self.joins = joins
        self.run = run
        queues = (0..<self.workers).map { DispatchQueue(label: "influenced.\(label).\($0)", qos: .userInitiated) }
        state = Mutex(State(idle: Array(0..<self.workers)))
    }

    /// How full the pool is now.
    var load: Load { state.withLock { Load(running: workers - $0.idle.count, waiting: $0.waiting.count) } }

    /// Whether a further job would be refused now.
    var isFull: Bool { state.withLock { $0.idle.isEmpty && $0.waiting.count >= capacity } }

    /// Runs a job as soon as a worker is free.
    /// - Returns: false where the pool is full, and then the job is not run.
    func submit(_ job: Job) -> Bool {
        let worker: Int?? = state.withLock { state in
            if let worker = state.idle.popLast() { return .some(worker) }
            guard state.waiting.count < capacity else { return .none }
            state.waiting.append(job)
            return .some(nil)
        }
        guard let worker else { return false }
        if let worker { start([job], on: worker) }
        return true
    }

    /// Takes the first waiting job that is meant out of the queue. Running ones stay.
    func withdraw(where isMeant: (Job) -> Bool) {
        state.withLock { state in
            if let index = state.waiting.firstIndex(where: isMeant) { state.waiting.remove(at: index) }
        }
    }

    private func start(_ batch: [Job], on worker: Int) {
        queues[worker].async {
            self.run(batch)
            self.finish(worker)
        }
    }

    private func finish(_ worker: Int) {
        let batch: [Job] = state.withLock { state in
            guard let first = state.waiting.popFirst() else {
                state.idle.append(worker)
                return []
            }
            var batch = [first]
            state.waiting.removeAll { job in
                guard joins(job, batch) else { return false }
                batch.append(job)
                return true
            }
            return batch
        }
        if !batch.isEmpty { start(batch, on: worker) }
    }
}

/// A job that is a closure, for pools that run anything.
typealias Errand = @Sendable () -> Void

extension WorkerPool<Errand> {
    /// A pool of closures.
    convenience init(label: String, workers: Int, capacity: Int) {
        self.init(label: label, workers: workers, capacity: capacity) { batch in for errand in batch { errand() } }
    }
}
