internal import CKernels
internal import Dispatch
internal import Foundation
internal import Synchronization

/// Threads that stand by to help with parallel loops.
///
/// To wake a thread that sleeps takes some 50 µs on a virtual machine, as long as a whole product with a small batch. So whoever has
/// just helped looks out for more work for a moment before it sleeps, and loops that follow each other closely find help at once. A
/// loop takes who is free and never waits for help: where all are busy, or a loop is inside another, it runs on its own thread.
final class ThreadTeam: Sendable {
    /// The process's.
    static let shared = ThreadTeam()

    /// The most threads there may be: more loops at a time, or more threads asked for, gain nothing.
    private static let capacity = 63
    private let members = Mutex<[Member]>([])

    /// Runs `work` on the calling thread and on up to `helpers` others at the same time; returns when all are done.
    func run(helpers: Int, _ work: @escaping @Sendable () -> Void) {
        let hired = hire(helpers)
        guard !hired.isEmpty else { return work() }
        let gathering = Gathering(work, helpers: hired.count)
        for member in hired { member.start(gathering) }
        work()
        gathering.finishAndWait()
    }

    /// Takes up to `count` who are free. The team grows to the most helpers that a loop ever asked for, and no further: loops at the same
    /// time share them.
    private func hire(_ count: Int) -> [Member] {
        members.withLock { members in
            while members.count < min(count, Self.capacity) { members.append(Member()) }
            var hired: [Member] = []
            for member in members where hired.count < count && member.hire() { hired.append(member) }
            return hired
        }
    }

    /// How long to look out before going to sleep.
    fileprivate static let patience: UInt64 = 50_000

    /// Looks out until `isDone`, for a moment.
    fileprivate static func lookOut(_ isDone: () -> Bool) -> Bool {
        let start = DispatchTime.now().uptimeNanoseconds
        repeat {
            for _ in 0..<32 {
                if isDone() { return true }
                influenced_pause()
            }
        } while DispatchTime.now().uptimeNanoseconds &- start < patience
        return false
    }
}

/// A loop's work and who is still at it.
private final class Gathering: Sendable {
    private let work: @Sendable () -> Void
    private let atWork: Atomic<Int>
    private let finished = DispatchSemaphore(value: 0)

    /// Work for the caller and so many helpers.
    init(_ work: @escaping @Sendable () -> Void, helpers: Int) {
        self.work = work
        atWork = Atomic(1 + helpers)
    }

    /// A helper's part.
    func help() {
        work()
        // Whoever leaves last tells the caller, who may be asleep. Acquired and released: what helpers wrote is seen by the caller.
        if atWork.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { finished.signal() }
    }

    /// The caller's part is done: waits for the others'.
    func finishAndWait() {
        guard atWork.subtract(1, ordering: .acquiringAndReleasing).newValue > 0 else { return }
        if !ThreadTeam.lookOut({ atWork.load(ordering: .acquiring) == 0 }) { finished.wait() }
    }
}

/// A thread of the team.
///
/// `@unchecked Sendable`: `gathering` is written by whoever hired the member, before the state that tells the member's own thread.
private final class Member: @unchecked Sendable {
    /// What a member is doing: free, hired but without work yet, at work.
    private static let (free, hired, working) = (0, 1, 2)
    private let state = Atomic(Member.free)
    /// Whether its thread sleeps, or is about to, and must be woken.
    private let isAsleep = Atomic(false)
    private let alarm = DispatchSemaphore(value: 0)
    private var gathering: Gathering?

    init() {
        let thread = Thread { [self] in while true { perform() } }
        thread.name = "compute"
        thread.start()
    }

    /// Takes a free member.
    func hire() -> Bool {
        state.compareExchange(expected: Self.free, desired: Self.hired, ordering: .acquiring).exchanged
    }

    /// Gives a hired member its work.
    func start(_ gathering: Gathering) {
        self.gathering = gathering
        state.store(Self.working, ordering: .sequentiallyConsistent)
        // Either this sees the member asleep and wakes it, or the member sees its work before it sleeps.
        if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { alarm.signal() }
    }

    private func perform() {
        waitForWork()
        gathering?.help()
        gathering = nil
        state.store(Self.free, ordering: .releasing)
    }

    private func waitForWork() {
        if ThreadTeam.lookOut({ state.load(ordering: .acquiring) == Self.working }) { return }
        isAsleep.store(true, ordering: .sequentiallyConsistent)
        if state.load(ordering: .sequentiallyConsistent) == Self.working,
            isAsleep.exchange(false, ordering: .sequentiallyConsistent)
        {
            return
        }
        // Woken for work, or by who saw it asleep just before it saw the work itself.
        alarm.wait()
    }
}
