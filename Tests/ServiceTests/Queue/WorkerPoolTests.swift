import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Service

@Suite("The worker pool")
struct WorkerPoolTests {
    /// An errand that takes until it is let go.
    private final class Gate: Sendable {
        private let isOpen = DispatchSemaphore(value: 0)
        private let hasBegun = DispatchSemaphore(value: 0)

        func pass() {
            hasBegun.signal()
            isOpen.wait()
        }

        func open() { isOpen.signal() }

        /// Whether an errand has come to the gate within a generous time.
        func isReached() -> Bool { hasBegun.wait(timeout: .now() + 20) == .success }
    }

    /// Notes the batches of a pool of numbers; negative ones hold their worker until the gate opens.
    private final class Notes: Sendable {
        let gate = Gate()
        private let noted = Mutex<[[Int]]>([])

        var batches: [[Int]] { noted.withLock { $0 } }

        func pool(workers: Int = 1, capacity: Int = 100, joins: @escaping @Sendable (Int, [Int]) -> Bool) -> WorkerPool<Int> {
            WorkerPool(label: "test", workers: workers, capacity: capacity, joins: joins) { [self] batch in
                noted.withLock { $0.append(batch) }
                if batch[0] < 0 { gate.pass() }
            }
        }
    }

    private typealias Load = WorkerPool<Errand>.Load

    @Test("no more than its workers run, no more than its capacity wait, and the next is refused without being called")
    func bounds() {
        let pool = WorkerPool<Errand>(label: "test", workers: 2, capacity: 3)
        let gates = (0..<5).map { _ in Gate() }
        for gate in gates[..<2] {
            #expect(pool.submit { gate.pass() })
            #expect(gate.isReached())
        }
        #expect(!pool.isFull)
        for gate in gates[2...] { #expect(pool.submit { gate.pass() }) }
        #expect(pool.load == Load(running: 2, waiting: 3))
        #expect(pool.isFull)
        let isCalled = Atomic(false)
        #expect(!pool.submit { isCalled.store(true, ordering: .releasing) })
        gates[0].open()
        #expect(gates[2].isReached(), "the longest waiting takes the place that is free")
        #expect(pool.load == Load(running: 2, waiting: 2))
        #expect(!pool.isFull)
        for gate in gates[1...] { gate.open() }
        #expect(eventually { pool.load == Load(running: 0, waiting: 0) })
        let wasCalled = isCalled.load(ordering: .acquiring)
        #expect(!wasCalled)
    }

    @Test("a single worker takes jobs in the order they came, one at a time where none join")
    func order() {
        let notes = Notes()
        let pool = notes.pool { _, _ in false }
        #expect(pool.submit(-1))
        #expect(notes.gate.isReached())
        for number in 0..<100 { #expect(pool.submit(number)) }
        notes.gate.open()
        #expect(eventually { pool.load == .init(running: 0, waiting: 0) })
        #expect(notes.batches == [[-1]] + (0..<100).map { [$0] })
    }

    @Test("whoever is free takes the longest waiting with all that join it, and the others keep their order")
    func companions() {
        let notes = Notes()
        let pool = notes.pool { $0 % 3 == $1[0] % 3 }
        #expect(pool.submit(-1))
        #expect(notes.gate.isReached())
        for number in [4, 3, 7, 8, 6, 1, 5, 10] { #expect(pool.submit(number)) }
        #expect(pool.load == .init(running: 1, waiting: 8))
        notes.gate.open()
        #expect(eventually { pool.load == .init(running: 0, waiting: 0) })
        #expect(notes.batches == [[-1], [4, 7, 1, 10], [3, 6], [8, 5]])
    }

    @Test("a job is judged by the batch as it has become")
    func growingBatch() {
        let notes = Notes()
        let pool = notes.pool { $0 + $1.reduce(0, +) <= 10 }
        #expect(pool.submit(-1))
        #expect(notes.gate.isReached())
        for number in [4, 5, 3, 1, 9, 20, 1] { #expect(pool.submit(number)) }
        notes.gate.open()
        #expect(eventually { pool.load == .init(running: 0, waiting: 0) })
        #expect(notes.batches == [[-1], [4, 5, 1], [3, 1], [9], [20]])
    }

    @Test("a batch takes one worker, and what it took along makes room for as many")
    func room() {
        let notes = Notes()
        let pool = notes.pool(capacity: 3) { _, batch in batch[0] < 0 }
        #expect(pool.submit(-1))
        #expect(notes.gate.isReached())
        for number in [-2, 1, 2] { #expect(pool.submit(number)) }
        #expect(pool.isFull && !pool.submit(3))
        notes.gate.open()
        #expect(notes.gate.isReached())
        #expect(notes.batches == [[-1], [-2, 1, 2]])
        #expect(pool.load == .init(running: 1, waiting: 0))
        for number in 3...5 { #expect(pool.submit(number)) }
        #expect(!pool.submit(6))
        notes.gate.open()
        #expect(eventually { pool.load == .init(running: 0, waiting: 0) })
        #expect(notes.batches.dropFirst(2) == [[3], [4], [5]])
    }

    @Test("what is withdrawn while it waits is never run and makes room; what runs stays")
    func withdrawal() {
        let notes = Notes()
        let pool = notes.pool(capacity: 4) { _, _ in false }
        #expect(pool.submit(-1))
        #expect(notes.gate.isReached())
        for number in [1, 2, 2, 3] { #expect(pool.submit(number)) }
        pool.withdraw { $0 == -1 }
        pool.withdraw { $0 == 99 }
        #expect(pool.load == .init(running: 1, waiting: 4))
        pool.withdraw { $0 == 2 }
        #expect(pool.load == .init(running: 1, waiting: 3))
        #expect(!pool.isFull && pool.submit(4))
        notes.gate.open()
        #expect(eventually { pool.load == .init(running: 0, waiting: 0) })
        #expect(notes.batches == [[-1], [1], [2], [3], [4]])
    }

    @Test("every job that is taken runs exactly once, and never more at a time than there are workers")
    func exactlyOnce() {
        let runs = Mutex<[Int: Int]>([:])
        let running = Atomic(0)
        let mostRunning = Atomic(0)
        let pool = WorkerPool<Int>(label: "test", workers: 3, capacity: 10, joins: { $0 % 2 == $1[0] % 2 }) { batch in
            mostRunning.max(running.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .relaxed)
            runs.withLock { runs in for number in batch { runs[number, default: 0] += 1 } }
            running.wrappingSubtract(1, ordering: .relaxed)
        }
        let taken = Mutex<Set<Int>>([])
        DispatchQueue.concurrentPerform(iterations: 2_000) { number in
            if pool.submit(number) { taken.withLock { _ = $0.insert(number) } }
        }
        #expect(eventually { pool.load == .init(running: 0, waiting: 0) })
        let expected = taken.withLock { $0 }
        #expect(!expected.isEmpty)
        #expect(runs.withLock { $0 } == Dictionary(uniqueKeysWithValues: expected.map { ($0, 1) }))
        let most = mostRunning.load(ordering: .relaxed)
        #expect((1...3).contains(most))
    }

    @Test("a pool that computes on every processor keeps no other waiting")
    func independence() {
        let workers = 2 * ProcessInfo.processInfo.activeProcessorCount
        let busy = WorkerPool<Errand>(label: "busy", workers: workers, capacity: 1)
        let isOver = Atomic(false)
        defer { isOver.store(true, ordering: .releasing) }
        for _ in 0..<workers {
            // Computing, not sleeping: threads that sleep are replaced by others.
            #expect(busy.submit { while !isOver.load(ordering: .acquiring) {} })
        }
        let hasRun = Atomic(false)
        let other = WorkerPool<Errand>(label: "other", workers: 1, capacity: 1)
        #expect(other.submit { hasRun.store(true, ordering: .releasing) })
        let runs = eventually { hasRun.load(ordering: .acquiring) }
        #expect(runs)
    }

    @Test("a pool has at least one worker and room for one that waits")
    func least() {
        let pool = WorkerPool<Errand>(label: "test", workers: 0, capacity: -3)
        #expect(pool.workers == 1 && pool.capacity == 1)
        let gate = Gate()
        #expect(pool.submit { gate.pass() })
        #expect(pool.submit {} && !pool.submit {})
        gate.open()
        #expect(eventually { pool.load == Load(running: 0, waiting: 0) })
    }

    @Test("a pool that nobody holds any more still runs what it took")
    func release() {
        let (gate, last) = (Gate(), Gate())
        weak var released: WorkerPool<Errand>?
        do {
            let pool = WorkerPool<Errand>(label: "test", workers: 1, capacity: 1)
            released = pool
            #expect(pool.submit { gate.pass() } && pool.submit { last.pass() })
        }
        gate.open()
        #expect(last.isReached())
        last.open()
        #expect(eventually { released == nil })
    }
}
