internal import Synchronization

extension Parallel {
    /// What `body(0), …, body(count - 1)` return, in that order: for a few long computations, as each ends with a lock.
    /// - Throws: the error of the earliest piece that failed, or `Interrupted`.
    public func map<Result: Sendable>(
        _ count: Int, interruption: Interruption = .never, _ body: @escaping @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        let results = Results<Result>(count)
        try forEach(count, interruption: interruption) { index in
            let result = try body(index)
            results.slots.withLock { $0[index] = result }
        }
        return results.slots.withLock { $0.compactMap(\.self) }
    }

    private final class Results<Result: Sendable>: Sendable {
        let slots: Mutex<[Result?]>

        init(_ count: Int) { slots = Mutex([Result?](repeating: nil, count: count)) }
    }
}
