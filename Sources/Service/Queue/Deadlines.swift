internal import Dispatch
internal import Synchronization

/// Alarms at moments to come, each of which may be moved or taken back: one timer for all of them.
///
/// There are as many as there are requests being answered. Setting one is O(1), the timer's going off O(n), and n log n in the
/// alarms that are due.
final class Deadlines: Sendable {
    /// Names an alarm.
    struct Token: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private struct Alarm: Sendable {
        var time: DispatchTime
        let action: @Sendable () -> Void
    }

    private struct State: Sendable {
        var alarms: [UInt64: Alarm] = [:]
        var lastNumber: UInt64 = 0
        /// When the timer will go off; nil if it is not set.
        var next: DispatchTime?
    }

    private let state = Mutex(State())
    /// Set within the lock alone: of two threads that set it, the one with the later time must not come last.
    private nonisolated(unsafe) let timer: any DispatchSourceTimer

    /// No alarms as yet.
    init() {
        timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "influenced.deadlines", qos: .userInitiated))
        timer.setEventHandler { [weak self] in self?.goOff() }
        timer.activate()
    }

    deinit { timer.cancel() }

    /// Has `action` called at `time`, on a thread that must not be kept.
    func set(at time: DispatchTime, _ action: @escaping @Sendable () -> Void) -> Token {
        state.withLock { state in
            state.lastNumber += 1
            state.alarms[state.lastNumber] = Alarm(time: time, action: action)
            setTimer(by: time, &state)
            return Token(number: state.lastNumber)
        }
    }

    /// Moves an alarm, if it has not gone off.
    func move(_ token: Token, to time: DispatchTime) {
        state.withLock { state in
            guard state.alarms[token.number] != nil else { return }
            state.alarms[token.number]?.time = time
            setTimer(by: time, &state)
        }
    }

    /// Takes an alarm back.
    func cancel(_ token: Token) {
        // What the action holds is let go of outside the lock.
        let alarm = state.withLock { $0.alarms.removeValue(forKey: token.number) }
        _ = consume alarm
    }

    /// How many alarms are set.
    var count: Int { state.withLock { $0.alarms.count } }

    private func setTimer(by time: DispatchTime, _ state: inout State) {
        if let next = state.next, next <= time { return }
        state.next = time
        timer.schedule(deadline: time)
    }

    private func goOff() {
        let due = state.withLock { state in
            let now = DispatchTime.now()
            let due = state.alarms.filter { $0.value.time <= now }
            for number in due.keys { state.alarms[number] = nil }
            state.next = nil
            if let next = state.alarms.values.map(\.time).min() { setTimer(by: next, &state) }
            return due.values.sorted { $0.time < $1.time }
        }
        for alarm in due { alarm.action() }
    }
}
