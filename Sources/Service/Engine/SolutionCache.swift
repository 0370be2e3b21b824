internal import InverseCurvature
internal import Store
internal import Synchronization

/// All that determines an s_test vector: which curvature plus λ, which solver with which settings, and which right-hand side.
struct SolutionKey: Hashable, Sendable {
    let system: FactorKey
    /// Its settings, as text.
    let solver: String
    let gradient: ContentDigest
}

/// s_test vectors that were computed, for whoever asks the same again: of one right-hand side each, the least recently used going first.
///
/// All operations are O(1). The order is a list through the entries, from the least to the most recently used.
final class SolutionCache: Sendable {
    fileprivate struct Entry: Sendable {
        let solution: Solution
        var older: SolutionKey?
        var newer: SolutionKey?
    }

    fileprivate struct State: Sendable {
        var entries: [SolutionKey: Entry] = [:]
        var oldest: SolutionKey?
        var newest: SolutionKey?
        var byteCount = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// A cache of at most `capacity` bytes; 0 keeps nothing.
    init(capacity: Int) { self.capacity = capacity }

    /// The vectors kept, and the bytes they take.
    var size: (count: Int, byteCount: Int) { state.withLock { ($0.entries.count, $0.byteCount) } }

    /// The solution kept under a key, which is the most recently used from now on.
    subscript(key: SolutionKey) -> Solution? {
        state.withLock { state in
            guard let entry = state.remove(key) else { return nil }
            state.append(key, entry.solution)
            return entry.solution
        }
    }

    /// Keeps a solution, if it fits at all, in place of those that were used least recently.
    func insert(_ solution: Solution, for key: SolutionKey) {
        guard solution.byteCount <= capacity else { return }
        state.withLock { state in
            _ = state.remove(key)
            state.append(key, solution)
            while state.byteCount > capacity, let oldest = state.oldest { _ = state.remove(oldest) }
        }
    }
}

extension SolutionCache.State {
    fileprivate mutating func append(_ key: SolutionKey, _ solution: Solution) {
        entries[key] = SolutionCache.Entry(solution: solution, older: newest)
        if let newest { entries[newest]?.newer = key } else { oldest = key }
        newest = key
        byteCount += solution.byteCount
    }

    fileprivate mutating func remove(_ key: SolutionKey) -> SolutionCache.Entry? {
        guard let entry = entries.removeValue(forKey: key) else { return nil }
        if let older = entry.older { entries[older]?.newer = entry.newer } else { oldest = entry.newer }
        if let newer = entry.newer { entries[newer]?.older = entry.older } else { newest = entry.older }
        byteCount -= entry.solution.byteCount
        return entry
    }
}
