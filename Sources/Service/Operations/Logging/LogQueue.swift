internal import Dispatch
internal import Logging
internal import Synchronization

/// Records between those who log and the thread that writes. Bounded: what comes while it is full is let go of, and counted.
///
/// Those who log take a lock for a few instructions, and never wait for the writer. Any thread.
final class LogQueue: Sendable {
    /// What the writer is to do next.
    struct Batch: Sendable {
        /// Records to write, oldest first.
        var records: [LogRecord] = []
        /// Records that were let go of since the last batch that said so; 0 unless this is to say so after its records.
        var dropped = 0
    }

    fileprivate struct State {
        var records: [LogRecord] = []
        /// Records here and with the writer, and about what they take in memory.
        var pending = 0
        var pendingBytes = 0
        /// Records accepted, and of them those that the writer is done with, since the beginning.
        var accepted = 0
        var done = 0
        /// Records let go of: since the beginning, and not yet told of.
        var dropped = 0
        var untold = 0
        /// Whether some of them were refused here, so that the writer has something to tell without a record to write.
        var mustTell = false
        var isClosed = false
        var flushes: [(upTo: Int, semaphore: DispatchSemaphore)] = []
    }

    private static let batchLimit = 256

    private let capacity: Int
    private let byteCapacity: Int
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    /// A queue for so many records, which take about so many octets.
    init(capacity: Int, byteCapacity: Int) {
        self.capacity = capacity
        self.byteCapacity = byteCapacity
    }

    /// Takes in a record, or lets go of it.
    func append(_ record: LogRecord) {
        let mustWake = state.withLock { state in
            guard !state.isClosed, state.pending < capacity, record.cost <= byteCapacity - state.pendingBytes else {
                state.dropped += 1
                state.untold += 1
                state.mustTell = true
                return state.pending == 0
            }
            state.records.append(record)
            state.pending += 1
            state.pendingBytes += record.cost
            state.accepted += 1
            return state.records.count == 1
        }
        if mustWake { wake.signal() }
    }

    /// Waits for something to do; nil once the queue is closed and empty. For the writer alone.
    func next() -> Batch? {
        while true {
            let (batch, isClosed) = state.withLock { ($0.takeBatch(limit: Self.batchLimit), $0.isClosed) }
            if let batch { return batch }
            if isClosed { return nil }
            wake.wait()
        }
    }

    /// Notes that the writer is done with a batch, of which it could not write so many lines.
    func finish(_ batch: Batch, unwritten: Int, untold: Int) {
        state.withLock { state in
            state.pending -= batch.records.count
            state.pendingBytes -= batch.records.reduce(0) { $0 + $1.cost }
            state.done += batch.records.count
            // These wait to be told of until there is a record to write: what could not be written just now most likely still can't.
            state.dropped += unwritten
            state.untold += unwritten + untold
            state.flushes.removeAll { flush in
                guard flush.upTo <= state.done else { return false }
                flush.semaphore.signal()
                return true
            }
        }
    }

    /// Records that were let go of since the beginning.
    var dropped: Int { state.withLock { $0.dropped } }

    /// Waits until all that was taken in before has been written or given up, but no longer than `timeout`.
    ///
    /// - Returns: Whether it has.
    func flush(timeout: DispatchTime) -> Bool {
        let semaphore: DispatchSemaphore? = state.withLock { state in
            guard state.done < state.accepted else { return nil }
            let semaphore = DispatchSemaphore(value: 0)
            state.flushes.append((state.accepted, semaphore))
            return semaphore
        }
        guard let semaphore else { return true }
        return semaphore.wait(timeout: timeout) == .success
    }

    /// Lets go of what comes from now on; the writer ends once it has written what is here.
    func close() {
        state.withLock { $0.isClosed = true }
        wake.signal()
    }
}

extension LogQueue.State {
    fileprivate mutating func takeBatch(limit: Int) -> LogQueue.Batch? {
        guard !records.isEmpty || (mustTell && pending == 0) else { return nil }
        var batch = LogQueue.Batch()
        if records.count <= limit {
            swap(&batch.records, &records)
        } else {
            batch.records = Array(records.prefix(limit))
            records.removeFirst(limit)
        }
        // Drops came after what was in the queue, and are told of behind it.
        if records.isEmpty {
            (batch.dropped, untold, mustTell) = (untold, 0, false)
        }
        return batch
    }
}
