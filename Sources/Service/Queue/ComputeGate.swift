internal import Dispatch
internal import LinearAlgebra
internal import Synchronization

/// The one way to the workers for all that computes: who comes in, who waits, who shares.
///
/// A question that is in flight already is not computed again: whoever asks it shares the answer (coalescing). Questions that wait and
/// are companions go to one worker together (batching). A question that nobody waits for any more is withdrawn or interrupted.
final class ComputeGate: Sendable {
    /// A question in flight.
    final class Flight: Sendable {
        let question: Question
        /// Takes the outcome.
        fileprivate let land: @Sendable (Flight, Result<Answer, any Error>, DispatchTime) -> Void
        private let abandoned = Atomic(false)

        init(_ question: Question, land: @escaping @Sendable (Flight, Result<Answer, any Error>, DispatchTime) -> Void) {
            self.question = question
            self.land = land
        }

        /// Raised once nobody waits for the answer.
        var interruption: Interruption { Interruption { self.abandoned.load(ordering: .relaxed) } }

        fileprivate func abandon() { abandoned.store(true, ordering: .relaxed) }
    }

    /// How an answer comes to somebody who waits for it.
    struct Delivery: Sendable {
        /// What was computed.
        let outcome: Result<Answer, any Error>
        /// When a worker took the question up.
        let start: DispatchTime
    }

    private struct Entry: Sendable {
        let flight: Flight
        var waiting: [(call: Call, deliver: @Sendable (Delivery) -> Void)]
    }

    /// The most right-hand sides that waiting questions are put together to.
    private static let batchWidth = 64

    private let entries = Mutex<[Question: Entry]>([:])
    private let coalesced: Counter
    private let pool: WorkerPool<Flight>

    /// A gate to what answers questions, one outcome for each: an engine.
    init(
        workers: Int, capacity: Int, coalesced: Counter,
        answer: @escaping @Sendable ([(Question, Interruption)]) -> [Result<Answer, any Error>]
    ) {
        self.coalesced = coalesced
        pool = WorkerPool(label: "compute", workers: workers, capacity: capacity, joins: Self.joins) { batch in
            let start = DispatchTime.now()
            let outcomes = answer(batch.map { ($0.question, $0.interruption) })
            for (flight, outcome) in zip(batch, outcomes) { flight.land(flight, outcome, start) }
        }
    }

    /// Workers, places in the queue, and how many of each are taken.
    var load: WorkerPool<Flight>.Load { pool.load }
    var workers: Int { pool.workers }
    var capacity: Int { pool.capacity }
    /// Whether a new question would be refused now.
    var isFull: Bool { pool.isFull }

    /// Has a question answered for a call, and the answer delivered on a worker's thread.
    /// - Returns: false where the queue is full, and then nothing is delivered.
    func ask(_ question: Question, for call: Call, deliver: @escaping @Sendable (Delivery) -> Void) -> Bool {
        let (flight, isJoined): (Flight?, Bool) = entries.withLock { entries in
            if let flight = entries[question]?.flight {
                entries[question]?.waiting.append((call, deliver))
                return (flight, true)
            }
            let flight = Flight(question) { [weak self] in self?.land($0, $1, $2) }
            guard pool.submit(flight) else { return (nil, false) }
            entries[question] = Entry(flight: flight, waiting: [(call, deliver)])
            return (flight, false)
        }
        guard let flight else { return false }
        if isJoined { coalesced.add() }
        call.onAbandonment { [weak self] in self?.leave(flight, call) }
        return true
    }

    /// Whether a waiting question goes together with those of a batch.
    private static func joins(_ flight: Flight, _ batch: [Flight]) -> Bool {
        guard let companion = flight.question.companion, companion == batch[0].question.companion else { return false }
        return batch.reduce(flight.question.width) { $0 + $1.question.width } <= batchWidth
    }

    private func land(_ flight: Flight, _ outcome: Result<Answer, any Error>, _ start: DispatchTime) {
        let entry = entries.withLock { entries in
            // Another flight of the same question may have taken the place of one that was abandoned.
            entries[flight.question]?.flight === flight ? entries.removeValue(forKey: flight.question) : nil
        }
        for (_, deliver) in entry?.waiting ?? [] { deliver(Delivery(outcome: outcome, start: start)) }
    }

    private func leave(_ flight: Flight, _ call: Call) {
        let isAbandoned = entries.withLock { entries in
            guard var entry = entries[flight.question], entry.flight === flight else { return false }
            entry.waiting.removeAll { $0.call === call }
            entries[flight.question] = entry.waiting.isEmpty ? nil : entry
            return entry.waiting.isEmpty
        }
        guard isAbandoned else { return }
        flight.abandon()
        pool.withdraw { $0 === flight }
    }
}
