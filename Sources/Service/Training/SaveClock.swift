internal import Dispatch
internal import Synchronization

/// Says when a training run is to be saved: seldom enough that saving takes a small part of the time.
final class SaveClock: Sendable {
    private let interval, share: Double
    /// In nanoseconds of the system's uptime.
    private let due = Atomic<UInt64>(0)
    private let overdue = Atomic<UInt64>(0)
    /// Seconds that are always left for a step to be made.
    private let patience: Mutex<Double>

    /// - Parameters:
    ///   - interval: seconds from one save to the next, at least; a day at most.
    ///   - share: the part of the time that saving may take.
    ///   - patience: seconds that a step is given at first.
    init(interval: Double, share: Double, patience: Double) {
        self.share = share
        self.interval = min(max(interval, 0), 86_400)
        self.patience = Mutex(patience)
        restart(after: 0)
    }

    /// Whether to save where it costs nothing but the saving.
    var isDue: Bool { Self.now >= due.load(ordering: .relaxed) }

    /// Whether to break off what is being computed, in order to save.
    var isOverdue: Bool { Self.now >= overdue.load(ordering: .relaxed) }

    /// Nothing was done from one save to the next: what is being computed takes longer.
    func becomePatient() {
        patience.withLock { $0 = min(2 * max($0, interval), 86_400) }
        restart(after: 0)
    }

    /// Saves, and begins to wait for the next time.
    func time(_ save: () throws -> Void) rethrows {
        let before = Self.now
        try save()
        restart(after: Double(Self.now - before) / 1e9)
    }

    private func restart(after cost: Double) {
        let rest = max(interval, cost / share)
        due.store(Self.now + UInt64(rest * 1e9), ordering: .relaxed)
        overdue.store(Self.now + UInt64(max(rest, patience.withLock { $0 }) * 1e9), ordering: .relaxed)
    }

    private static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }
}
