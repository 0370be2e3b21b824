/// The timers that are set, soonest first: a binary heap in which each timer knows its place, so that it can be moved and
/// removed where it stands. A server sets its timers far more often than they fire.
struct TimerHeap {
    /// Invariant: `timers[i].position == i`, and no timer is due before its parent, `timers[(i - 1) / 2]`.
    private var timers: [LoopTimer] = []

    /// The number of timers that are set.
    var count: Int { timers.count }

    /// The moment at which the first timer is due, or nil if none is set. O(1).
    var firstDeadline: ContinuousClock.Instant? { timers.first?.deadline }

    /// Sets `timer` to `deadline`, whether it is set already or not. O(log n).
    mutating func set(_ timer: LoopTimer, to deadline: ContinuousClock.Instant) {
        timer.deadline = deadline
        if timer.position < 0 {
            timer.position = timers.count
            timers.append(timer)
        }
        restore(at: timer.position)
    }

    /// Takes `timer` out if it is set. O(log n).
    mutating func remove(_ timer: LoopTimer) {
        let position = timer.position
        guard position >= 0 else { return }
        timer.position = -1
        let last = timers.removeLast()
        guard last !== timer else { return }
        timers[position] = last
        last.position = position
        restore(at: position)
    }

    /// Takes out the first timer if it is due at `now`. O(log n).
    mutating func popDue(at now: ContinuousClock.Instant) -> LoopTimer? {
        guard let first = timers.first, first.deadline <= now else { return nil }
        remove(first)
        return first
    }

    /// Takes out all timers. O(n).
    mutating func removeAll() {
        for timer in timers { timer.position = -1 }
        timers.removeAll()
    }

    /// Whether the invariant holds; for tests. O(n).
    var isConsistent: Bool {
        timers.indices.allSatisfy {
            timers[$0].position == $0 && ($0 == 0 || timers[($0 - 1) / 2].deadline <= timers[$0].deadline)
        }
    }

    private mutating func restore(at start: Int) {
        var position = start
        while position > 0, timers[position].deadline < timers[(position - 1) / 2].deadline {
            exchange(position, (position - 1) / 2)
            position = (position - 1) / 2
        }
        while true {
            var least = position
            for child in [2 * position + 1, 2 * position + 2] where child < timers.count {
                if timers[child].deadline < timers[least].deadline { least = child }
            }
            if least == position { return }
            exchange(position, least)
            position = least
        }
    }

    private mutating func exchange(_ first: Int, _ second: Int) {
        timers.swapAt(first, second)
        timers[first].position = first
        timers[second].position = second
    }
}
