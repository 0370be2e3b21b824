internal import Synchronization

/// Values that are costly to make, each made once however many ask for it at a time, and kept while there is room.
///
/// The least recently used go first where the costs add up to more than `capacity`; the newest stays even if it alone is larger.
/// A failure is not kept: the next who asks tries again.
final class OnceCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private final class Entry: Sendable {
        /// Held while the value is made: whoever else wants it waits here, and not for other keys.
        let value = Mutex<Value?>(nil)
    }

    private struct State: Sendable {
        var entries: [Key: (entry: Entry, cost: Int, lastUse: UInt64, users: Int)] = [:]
        var clock: UInt64 = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) { self.capacity = capacity }

    /// What all kept values cost together.
    var totalCost: Int { state.withLock { $0.entries.values.reduce(0) { $0 + $1.cost } } }

    /// The value of `key`, made by `make` if there is none. `make` may take long; it must not ask for the same key.
    func value(for key: Key, cost: (Value) -> Int, make: () throws -> Value) rethrows -> Value {
        let entry = state.withLock { state in
            state.clock += 1
            let known = state.entries[key] ?? (Entry(), 0, 0, 0)
            state.entries[key] = (known.entry, known.cost, state.clock, known.users + 1)
            return known.entry
        }
        do {
            let (value, isNew) = try entry.value.withLock { stored in
                if let stored { return (stored, false) }
                let made = try make()
                stored = made
                return (made, true)
            }
            release(key, entry, newCost: isNew ? cost(value) : nil)
            return value
        } catch {
            release(key, entry, newCost: nil)
            throw error
        }
    }

    /// One user less. A value that is new is counted, and others make room for it; an entry without a value goes with its last user,
    /// so that failures for ever new keys do not pile up.
    private func release(_ key: Key, _ entry: Entry, newCost: Int?) {
        state.withLock { state in
            guard var known = state.entries[key], known.entry === entry else { return }
            known.users -= 1
            known.cost = newCost ?? known.cost
            let isEmpty = known.cost == 0 && known.users == 0
            state.entries[key] = isEmpty ? nil : known
            guard newCost != nil else { return }
            var total = state.entries.values.reduce(0) { $0 + $1.cost }
            for (other, kept) in state.entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
                guard total > capacity else { break }
                guard other != key, kept.cost > 0 else { continue }
                state.entries[other] = nil
                total -= kept.cost
            }
        }
    }
}
