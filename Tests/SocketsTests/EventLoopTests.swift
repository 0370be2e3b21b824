import Dispatch
import Synchronization
import Testing

@testable import Sockets

@Suite("The event loop")
struct EventLoopTests {
    @Test("Tasks of one thread run in their order, all on the loop's thread, those given before the start as well")
    func taskOrder() throws {
        let loop = try EventLoop()
        let seen = Mutex<[Int]>([])
        let done = DispatchSemaphore(value: 0)
        for index in 0..<500 { loop.execute { if loop.isOnLoop { seen.withLock { $0.append(index) } } } }
        try loop.start()
        for index in 500..<1_000 { loop.execute { if loop.isOnLoop { seen.withLock { $0.append(index) } } } }
        loop.execute { done.signal() }
        done.wait()
        #expect(seen.withLock { $0 } == Array(0..<1_000))
        #expect(!loop.isOnLoop)
        loop.stop()
        loop.join()
    }

    @Test("No task of many threads is lost")
    func manyThreads() throws {
        let loop = try EventLoop()
        try loop.start()
        let count = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<1_000 { loop.execute { count.withLock { $0 += 1 } } }
        }
        let done = DispatchSemaphore(value: 0)
        loop.execute { done.signal() }
        done.wait()
        #expect(count.withLock { $0 } == 8_000)
        loop.stop()
        loop.join()
    }

    @Test("A task that a task gives runs in the next turn, and timers have their turn in between")
    func selfFeedingTasks() throws {
        let loop = try EventLoop()
        try loop.start()
        let fired = DispatchSemaphore(value: 0)
        @Sendable func again() { loop.execute { again() } }
        loop.execute {
            let timer = loop.makeTimer { fired.signal() }
            timer.set(after: .milliseconds(5))
            again()
        }
        fired.wait()
        loop.stop()
        loop.join()
    }

    @Test("Timers fire in the order of their moments; one that is cancelled or moved does not fire at its old one")
    func timers() throws {
        let loop = try EventLoop()
        try loop.start()
        let fired = Mutex<[String]>([])
        let done = DispatchSemaphore(value: 0)
        loop.execute {
            func timer(_ name: String) -> LoopTimer { loop.makeTimer { fired.withLock { $0.append(name) } } }
            let moved = timer("moved")
            let cancelled = timer("cancelled")
            moved.set(after: .zero)
            cancelled.set(after: .milliseconds(1))
            timer("second").set(after: .milliseconds(20))
            timer("first").set(after: .milliseconds(10))
            moved.set(after: .milliseconds(30))
            cancelled.cancel()
            loop.makeTimer { done.signal() }.set(after: .milliseconds(40))
        }
        done.wait()
        #expect(fired.withLock { $0 } == ["first", "second", "moved"])
        loop.stop()
        loop.join()
    }

    @Test("A timer that sets itself to be due at once does not keep tasks from running")
    func selfSettingTimer() throws {
        let loop = try EventLoop()
        try loop.start()
        let done = DispatchSemaphore(value: 0)
        loop.execute {
            let holder = Holder()
            let timer = loop.makeTimer { holder.timer?.set(after: .zero) }
            holder.timer = timer
            timer.set(after: .zero)
            loop.execute { loop.execute { done.signal() } }
        }
        done.wait()
        loop.stop()
        loop.join()
    }

    @Test("What is still set or registered when the loop stops is let go of, and later tasks are dropped")
    func stopping() throws {
        let loop = try EventLoop()
        try loop.start()
        let ready = DispatchSemaphore(value: 0)
        let witness = Witness()
        weak let remembered = witness
        loop.execute { [witness] in
            let timer = loop.makeTimer { _ = witness }
            timer.set(after: .seconds(3_600))
            ready.signal()
        }
        ready.wait()
        loop.stop()
        loop.join()
        loop.join()
        let ran = Mutex(false)
        loop.execute { ran.withLock { $0 = true } }
        #expect(!ran.withLock { $0 })
        _ = consume witness
        #expect(remembered == nil)
    }

    @Test("What belongs to the loop's thread traps elsewhere")
    func confinement() async {
        await #expect(processExitsWith: .failure) {
            let loop = try EventLoop()
            _ = loop.makeTimer {}
        }
        await #expect(processExitsWith: .failure) {
            let loop = try EventLoop()
            try loop.start()
            _ = LoopBound(1, to: loop)()
        }
    }

    private final class Witness: Sendable {}

    private final class Holder {
        /// Weak, since the timer's action holds this; while it is set, the loop holds the timer.
        weak var timer: LoopTimer?
    }
}
