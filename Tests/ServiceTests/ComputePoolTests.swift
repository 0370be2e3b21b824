import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Service

@Suite("The compute pool", .timeLimit(.minutes(1)))
struct ComputePoolTests {
    /// A job that runs until it is let go.
    private final class Gate: Sendable {
        private let isOpen = DispatchSemaphore(value: 0)
        private let hasBegun = DispatchSemaphore(value: 0)

        func pass() {
            hasBegun.signal()
            isOpen.wait()
        }

        func open() { isOpen.signal() }

        /// Whether a job has come to the gate within a generous time.
        func isReached() -> Bool { hasBegun.wait(timeout: .now() + 20) == .success }
    }

    private let never = DispatchTime.now() + 600

    @Test("no more than its workers run, no more than its capacity wait, and the next is refused without being called")
    func bounds() throws {
        let pool = ComputePool(workers: 2, capacity: 3)
        let gates = (0..<5).map { _ in Gate() }
        for gate in gates[..<2] {
            #expect(pool.submit(deadline: never) { _ in gate.pass() })
            #expect(gate.isReached())
        }
        #expect(!pool.isFull)
        for gate in gates[2...] { #expect(pool.submit(deadline: never) { _ in gate.pass() }) }
        #expect(pool.load == ComputePool.Load(running: 2, waiting: 3))
        #expect(pool.isFull)
        let isCalled = Atomic(false)
        #expect(!pool.submit(deadline: never) { _ in isCalled.store(true, ordering: .releasing) })
        gates[0].open()
        #expect(gates[2].isReached(), "the longest waiting takes the place that is free")
        #expect(pool.load == ComputePool.Load(running: 2, waiting: 2))
        #expect(!pool.isFull)
        for gate in gates[1...] { gate.open() }
        #expect(eventually { pool.load == ComputePool.Load(running: 0, waiting: 0) })
        let wasCalled = isCalled.load(ordering: .acquiring)
        #expect(!wasCalled)
    }

    @Test("a single worker takes jobs in the order they came")
    func order() {
        let pool = ComputePool(workers: 1, capacity: 100)
        let gate = Gate()
        let done = Mutex<[Int]>([])
        #expect(pool.submit(deadline: never) { _ in gate.pass() })
        for index in 0..<100 {
            #expect(pool.submit(deadline: never) { outcome in if outcome == .run { done.withLock { $0.append(index) } } })
        }
        gate.open()
        #expect(eventually { done.withLock { $0.count } == 100 })
        #expect(done.withLock { $0 } == Array(0..<100))
    }

    @Test("a job that waits past its deadline is told so once, makes room, and never runs")
    func expiry() {
        let pool = ComputePool(workers: 1, capacity: 1)
        let gate = Gate()
        let outcomes = Mutex<[ComputePool.Outcome]>([])
        #expect(pool.submit(deadline: never) { _ in gate.pass() })
        #expect(gate.isReached())
        #expect(pool.submit(deadline: .now() + 0.02) { outcome in outcomes.withLock { $0.append(outcome) } })
        #expect(eventually { outcomes.withLock { $0 } == [.expired] })
        #expect(pool.load == ComputePool.Load(running: 1, waiting: 0))
        #expect(pool.submit(deadline: never) { outcome in outcomes.withLock { $0.append(outcome) } })
        gate.open()
        #expect(eventually { outcomes.withLock { $0 } == [.expired, .run] })
        #expect(eventually { pool.load.running == 0 })
    }

    @Test("a deadline that has passed already does not keep a job from a worker that is free")
    func lateArrival() {
        let pool = ComputePool(workers: 1, capacity: 1)
        let outcome = Mutex<ComputePool.Outcome?>(nil)
        #expect(pool.submit(deadline: .now()) { told in outcome.withLock { $0 = told } })
        #expect(eventually { outcome.withLock { $0 } == .run })
    }

    @Test("every job that is taken is told of exactly once, however many come at a time")
    func exactlyOnce() {
        let pool = ComputePool(workers: 3, capacity: 10)
        let told = Atomic(0)
        let taken = Atomic(0)
        let running = Atomic(0)
        let mostRunning = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 2_000) { index in
            let isTaken = pool.submit(deadline: .now() + .microseconds(index % 300)) { outcome in
                if outcome == .run {
                    mostRunning.max(running.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .relaxed)
                    running.wrappingSubtract(1, ordering: .relaxed)
                }
                told.wrappingAdd(1, ordering: .relaxed)
            }
            if isTaken { taken.wrappingAdd(1, ordering: .relaxed) }
        }
        #expect(eventually { pool.load == ComputePool.Load(running: 0, waiting: 0) })
        let isEveryoneTold = eventually { told.load(ordering: .relaxed) >= taken.load(ordering: .relaxed) }
        #expect(isEveryoneTold)
        usleep(20_000)
        let (toldCount, takenCount, most) = (
            told.load(ordering: .relaxed), taken.load(ordering: .relaxed), mostRunning.load(ordering: .relaxed)
        )
        #expect(toldCount == takenCount)
        #expect((1...3).contains(most))
    }

    @Test("a pool that computes on every processor keeps neither another pool nor its own deadlines waiting")
    func independence() {
        let workers = 2 * ProcessInfo.processInfo.activeProcessorCount
        let busy = ComputePool(workers: workers, capacity: 1)
        let isOver = Atomic(false)
        defer { isOver.store(true, ordering: .releasing) }
        for _ in 0..<workers {
            // Computing, not sleeping: threads that sleep are replaced by others.
            #expect(busy.submit(deadline: never) { _ in while !isOver.load(ordering: .acquiring) {} })
        }
        let hasExpired = Atomic(false)
        let hasRun = Atomic(false)
        #expect(busy.submit(deadline: .now() + 0.02) { hasExpired.store($0 == .expired, ordering: .releasing) })
        let other = ComputePool(workers: 1, capacity: 1)
        #expect(other.submit(deadline: never) { hasRun.store($0 == .run, ordering: .releasing) })
        let runs = eventually(seconds: 5) { hasRun.load(ordering: .acquiring) }
        #expect(runs)
        let expires = eventually(seconds: 5) { hasExpired.load(ordering: .acquiring) }
        #expect(expires)
    }

    @Test("a pool has at least one worker and room for one that waits")
    func least() {
        let pool = ComputePool(workers: 0, capacity: -3)
        #expect(pool.workers == 1 && pool.capacity == 1)
    }
}

/// Whether a condition comes to hold within a generous time.
func eventually(seconds: Double = 20, _ condition: () -> Bool) -> Bool {
    let deadline = DispatchTime.now() + seconds
    while DispatchTime.now() < deadline {
        if condition() { return true }
        usleep(1_000)
    }
    return condition()
}
