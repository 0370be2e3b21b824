internal import Dispatch
internal import Synchronization

/// Alarms at moments to come, each of which may be moved or taken back: one timer for all of them.
///
/// There are as many as there are requests being answered. Setting one is O(1), the timer's going off O(n).
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
    private let queue = DispatchQueue(label: "influenced.deadlines", qos: .userInitiated)

    /// Has `action` called at `time`, on a thread that must not be kept.
    func set(at time: DispatchTime, _ action: @escaping @Sendable () -> Void) -> Token {
        let token = state.withLock { state in
            state.lastNumber += 1
            state.alarms[state.lastNumber] = Alarm(time: time, action: action)
            return Token(number: state.lastNumber)
        }
        wake(by: time)
        return token
    }

    /// Moves an alarm, if it has not gone off.
    func move(_ token: Token, to time: DispatchTime) {
        state.withLock { $0.alarms[token.number]?.time = time }
        wake(by: time)
    }

    /// Takes an alarm back.
    func cancel(_ token: Token) {
        // What the action holds is let go of outside the lock.
        let alarm = state.withLock { $0.alarms.removeValue(forKey: token.number) }
        _ = consume alarm
    }

    /// How many alarms are set.
    var count: Int { state.withLock { $0.alarms.count } }

    private func wake(by time: DispatchTime) {
        let isEarlier = state.withLock { state in
            if let next = state.next, next <= time { return false }
            state.next = time
            return true
        }
        if isEarlier { queue.asyncAfter(deadline: time) { [weak self] in self?.goOff() } }
    }

    private func goOff() {
        let now = DispatchTime.now()
        let (due, next) = state.withLock { state in
            let due = state.alarms.filter { $0.value.time <= now }
            for number in due.keys { state.alarms[number] = nil }
            // A timer that was superseded by an earlier one comes here too, and finds little to do.
            let isLast = state.next.map { $0 <= now } ?? true
            if isLast { state.next = nil }
            return (due.values.map(\.action), isLast ? state.alarms.values.map(\.time).min() : nil)
        }
        if let next { wake(by: next) }
        for action in due { action() }
    }
}
