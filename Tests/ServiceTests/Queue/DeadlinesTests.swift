import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Service

@Suite("Deadlines")
struct DeadlinesTests {
    /// Notes which alarms went off, in order, and when.
    private final class Log: Sendable {
        private let noted = Mutex<[(name: Int, time: DispatchTime)]>([])

        var names: [Int] { noted.withLock { $0.map(\.name) } }

        func time(of name: Int) -> DispatchTime? { noted.withLock { $0.first { $0.name == name }?.time } }

        func action(_ name: Int) -> @Sendable () -> Void {
            { [self] in noted.withLock { $0.append((name, .now())) } }
        }
    }

    private let deadlines = Deadlines()
    private let log = Log()
    private let far = DispatchTime.now() + 600

    @Test("an alarm goes off once, not before its time, and nothing of it is kept")
    func once() throws {
        let time = DispatchTime.now() + .milliseconds(30)
        _ = deadlines.set(at: time, log.action(1))
        #expect(deadlines.count == 1)
        #expect(eventually { log.names == [1] })
        #expect(try #require(log.time(of: 1)) >= time)
        #expect(deadlines.count == 0)
        _ = deadlines.set(at: .now() + .milliseconds(20), log.action(2))
        #expect(eventually { log.names == [1, 2] })
    }

    @Test(
        "alarms go off by their times, in whatever order they were set", arguments: [[1, 2, 3, 4], [4, 3, 2, 1], [2, 4, 1, 3]])
    func order(_ names: [Int]) {
        let begin = DispatchTime.now() + .milliseconds(200)
        _ = deadlines.set(at: far, log.action(0))
        for name in names { _ = deadlines.set(at: begin + .milliseconds(20 * name), log.action(name)) }
        #expect(eventually { log.names.count == 4 })
        #expect(log.names == [1, 2, 3, 4])
        #expect(deadlines.count == 1)
    }

    @Test("an alarm whose time has passed goes off at once")
    func past() {
        _ = deadlines.set(at: far, log.action(0))
        _ = deadlines.set(at: .now(), log.action(1))
        _ = deadlines.set(at: DispatchTime(uptimeNanoseconds: 1), log.action(2))
        #expect(eventually { Set(log.names) == [1, 2] })
    }

    @Test("an alarm that is moved goes off at its new time: earlier, or later and not before")
    func moved() throws {
        let early = deadlines.set(at: far, log.action(1))
        let late = deadlines.set(at: .now() + .milliseconds(100), log.action(2))
        let later = DispatchTime.now() + .milliseconds(300)
        deadlines.move(late, to: later)
        deadlines.move(early, to: .now() + .milliseconds(20))
        #expect(eventually { log.names.count == 2 })
        #expect(log.names == [1, 2])
        #expect(try #require(log.time(of: 2)) >= later)
        #expect(deadlines.count == 0)
    }

    @Test("an alarm that is taken back does not go off, nor one that is moved after that or after it went off")
    func cancelled() {
        let cancelled = deadlines.set(at: .now() + .milliseconds(50), log.action(1))
        deadlines.cancel(cancelled)
        deadlines.cancel(cancelled)
        deadlines.move(cancelled, to: .now())
        #expect(deadlines.count == 0)
        let first = deadlines.set(at: .now(), log.action(2))
        #expect(eventually { log.names == [2] })
        deadlines.move(first, to: .now())
        deadlines.cancel(first)
        _ = deadlines.set(at: .now() + .milliseconds(100), log.action(3))
        #expect(eventually { log.names.count == 2 })
        #expect(log.names == [2, 3])
    }

    @Test("an action may set, move and take back alarms")
    func fromWithin() {
        let (deadlines, log) = (deadlines, log)
        let other = deadlines.set(at: far, log.action(2))
        let doomed = deadlines.set(at: far, log.action(9))
        _ = deadlines.set(at: .now()) {
            deadlines.move(other, to: .now())
            deadlines.cancel(doomed)
            _ = deadlines.set(at: .now() + .milliseconds(100), log.action(3))
        }
        #expect(eventually { log.names == [2, 3] })
        #expect(deadlines.count == 0)
    }

    @Test("of many that are set, moved and taken back by many threads, each goes off once unless it was taken back")
    func many() {
        let log = log
        let count = 4_000
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            var numbers = SeededNumbers(UInt64(thread))
            for index in 0..<count / 8 {
                let token = deadlines.set(at: far, log.action(thread * count / 8 + index))
                let delay = DispatchTimeInterval.milliseconds(20 + Int(numbers.uniform() * 200))
                deadlines.move(token, to: index % 2 == 0 ? .now() + delay : far)
                if index % 2 == 1 { deadlines.cancel(token) }
            }
        }
        #expect(eventually { log.names.count == count / 2 })
        #expect(Set(log.names) == Set(stride(from: 0, to: count, by: 2)))
        #expect(deadlines.count == 0)
    }

    @Test("what is taken back is let go of at once, however much of it there was")
    func release() {
        final class Held: Sendable {}
        weak var held: Held?
        do {
            let object = Held()
            held = object
            for index in 0..<20_000 {
                let token = deadlines.set(at: far + .milliseconds(-index)) { _ = object }
                deadlines.cancel(token)
            }
        }
        #expect(held == nil)
        #expect(deadlines.count == 0)
    }

    @Test("an alarm's action is let go of when it has gone off; all are with the deadlines themselves")
    func releaseOfActions() {
        final class Held: Sendable {}
        weak var first: Held?
        weak var second: Held?
        do {
            let deadlines = Deadlines()
            let (one, two) = (Held(), Held())
            (first, second) = (one, two)
            let log = log
            _ = deadlines.set(at: .now()) {
                _ = one
                log.action(1)()
            }
            _ = deadlines.set(at: far) { _ = two }
            #expect(eventually { log.names == [1] })
            #expect(deadlines.count == 1)
        }
        #expect(eventually { first == nil && second == nil })
    }
}
