internal import Synchronization

/// A loop over independent pieces on a bounded number of threads.
///
/// Pieces are handed out in order to whichever thread is free; each writes to a place of its own, so the result is the same
/// for any number of threads. Which pieces there are must never depend on that number.
public struct Parallel: Sendable {
    /// Threads a loop may use, the calling one among them.
    public let threads: Int

    /// Loops on at most `threads` threads.
    public init(threads: Int) {
        self.threads = max(1, threads)
        // Holds BLAS to one thread of its own before any of ours calls it.
        _ = BLASLibrary.current
    }

    /// Runs `body(0), …, body(count - 1)`, each once, and returns when all are done. After an error no further piece begins.
    /// - Throws: the error of the earliest piece that failed, or `Interrupted`.
    public func forEach(
        _ count: Int, interruption: Interruption = .never, _ body: @escaping @Sendable (Int) throws -> Void
    ) throws {
        if threads == 1 || count <= 1 {
            for index in 0..<count {
                try interruption.check()
                try body(index)
            }
            return
        }
        let loop = Loop(count: count, interruption: interruption, body: body)
        ThreadTeam.shared.run(helpers: min(threads, count) - 1) { loop.run() }
        if let error = loop.error { throw error }
    }

    /// Splits 0..<count into `pieces` ranges of nearly equal length, none empty: depends on the arguments alone.
    public static func ranges(of count: Int, pieces: Int) -> [Range<Int>] {
        let pieces = max(1, min(pieces, count))
        guard count > 0 else { return [] }
        return (0..<pieces).map { (count * $0 / pieces)..<(count * ($0 + 1) / pieces) }
    }
}

/// A loop on its way: what its threads share.
private final class Loop: Sendable {
    private let count: Int
    private let interruption: Interruption
    private let body: @Sendable (Int) throws -> Void
    private let next = Atomic(0)
    private let failure = Mutex<(index: Int, error: any Error)?>(nil)

    init(count: Int, interruption: Interruption, body: @escaping @Sendable (Int) throws -> Void) {
        (self.count, self.interruption, self.body) = (count, interruption, body)
    }

    /// The error of the earliest piece that failed.
    var error: (any Error)? { failure.withLock { $0?.error } }

    /// Runs pieces as long as there are some that nobody runs.
    func run() {
        while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            do {
                try interruption.check()
                try body(index)
            } catch {
                next.store(count, ordering: .relaxed)
                failure.withLock { earliest in
                    if earliest.map({ index < $0.index }) ?? true { earliest = (index, error) }
                }
            }
        }
    }
}
