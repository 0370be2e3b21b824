/// The handlers of the registered descriptors, by tokens that are never reused for another registration.
///
/// One batch of events can close a descriptor and tell about it further down; by then its number may belong to a new
/// connection. A token therefore holds the slot and the slot's generation, and an old token finds nobody.
struct HandlerTable {
    private struct Slot {
        var generation: UInt32 = 0
        var handler: (any ReadinessHandler)?
    }

    private var slots: [Slot] = []
    private var free: [Int] = []

    /// The number of handlers held.
    var count: Int { slots.count - free.count }

    /// Takes in `handler` and returns its token. Amortised O(1).
    mutating func insert(_ handler: any ReadinessHandler) -> UInt64 {
        let index: Int
        if let reused = free.popLast() {
            index = reused
        } else {
            index = slots.count
            slots.append(Slot())
        }
        slots[index].handler = handler
        return UInt64(slots[index].generation) << 32 | UInt64(index)
    }

    /// The handler of `token`, or nil if it has been removed. O(1).
    func handler(of token: UInt64) -> (any ReadinessHandler)? {
        let index = Int(token & 0xFFFF_FFFF)
        guard index < slots.count, slots[index].generation == UInt32(token >> 32) else { return nil }
        return slots[index].handler
    }

    /// Lets go of the handler of `token`, if it is still there. O(1).
    mutating func remove(_ token: UInt64) {
        let index = Int(token & 0xFFFF_FFFF)
        guard index < slots.count, slots[index].generation == UInt32(token >> 32) else { return }
        slots[index].handler = nil
        slots[index].generation &+= 1
        free.append(index)
    }

    /// Lets go of all handlers.
    mutating func removeAll() {
        slots.removeAll()
        free.removeAll()
    }
}
