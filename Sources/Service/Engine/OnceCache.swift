internal import Synchronization

/// Values that are costly to make, each made once however many ask for it at a time, and kept while there is room.
///
/// The least recently used go first where the costs add up to more than `capacity`; the newest stays even if it alone is larger.
/// A failure is not kept: the next who asks tries again.
final class OnceCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// Held while the value is made: whoever else wants it waits here, and not for other keys.
    private final class Making: Sendable {
        let value = Mutex<Value?>(nil)
    }

    private struct Entry: Sendable {
        let making: Making
        var lastUse: UInt64
        var users: Int
        /// What is kept, and what it costs.
        var kept: (value: Value, cost: Int)?
    }

    private struct State: Sendable {
        var entries: [Key: Entry] = [:]
        var clock: UInt64 = 0

        mutating func tick() -> UInt64 {
            clock += 1
            return clock
        }
    }

    private let capacity: Int
    private let whenGone: @Sendable (Key, Value) -> Void
    private let state = Mutex(State())

    /// A cache.
    /// - Parameter whenGone: told what is no longer kept, so that others can let go of what holds it.
    init(capacity: Int, whenGone: @escaping @Sendable (Key, Value) -> Void = { _, _ in }) {
        self.capacity = capacity
        self.whenGone = whenGone
    }

    /// What all kept values cost together.
    var totalCost: Int { state.withLock { $0.entries.values.reduce(0) { $0 + ($1.kept?.cost ?? 0) } } }

    /// The value of `key`, made by `make` if there is none. `make` may take long; it must not ask for the same key.
    func value(for key: Key, cost: (Value) -> Int, make: () throws -> Value) rethrows -> Value {
        let making = state.withLock { state in
            let now = state.tick()
            var entry = state.entries[key] ?? Entry(making: Making(), lastUse: now, users: 0)
            (entry.lastUse, entry.users) = (now, entry.users + 1)
            state.entries[key] = entry
            return entry.making
        }
        do {
            let (value, isNew) = try making.value.withLock { stored in
                if let stored { return (stored, false) }
                let made = try make()
                stored = made
                return (made, true)
            }
            release(key, making, new: isNew ? (value, cost(value)) : nil)
            return value
        } catch {
            release(key, making, new: nil)
            throw error
        }
    }

    /// Notes that a value was used by whoever holds it.
    func touch(_ key: Key) {
        state.withLock { state in
            let now = state.tick()
            state.entries[key]?.lastUse = now
        }
    }

    /// Lets go of some of what is kept.
    func remove(where isUnwanted: (Key, Value) -> Bool) {
        tell(
            state.withLock { state in
                let gone = state.entries.compactMap { key, entry in
                    entry.kept.flatMap { isUnwanted(key, $0.value) ? (key, $0.value) : nil }
                }
                for (key, _) in gone { state.entries[key] = nil }
                return gone
            })
    }

    /// One user less. A value that is new is counted, and others make room for it; an entry without a value goes with its last user,
    /// so that failures for ever new keys do not pile up.
    private func release(_ key: Key, _ making: Making, new: (value: Value, cost: Int)?) {
        tell(
            state.withLock { state in
                guard var entry = state.entries[key], entry.making === making else { return [] }
                entry.users -= 1
                entry.kept = new ?? entry.kept
                state.entries[key] = entry.kept == nil && entry.users == 0 ? nil : entry
                guard new != nil else { return [] }
                var gone: [(Key, Value)] = []
                var total = state.entries.values.reduce(0) { $0 + ($1.kept?.cost ?? 0) }
                for (other, entry) in state.entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }) where total > capacity {
                    guard other != key, let kept = entry.kept else { continue }
                    state.entries[other] = nil
                    total -= kept.cost
                    gone.append((other, kept.value))
                }
                return gone
            })
    }

    private func tell(_ gone: [(Key, Value)]) { for (key, value) in gone { whenGone(key, value) } }
}
