import Synchronization

/// Remembers which rows have been compared with their checksums since the store was opened.
///
/// What it remembers cannot grow stale: a row that is stored is never replaced, and the ids of owners are not given out again.
/// All rows of an owner together take as much memory as one.
final class VerifiedBlocks: Sendable {
    private struct Owner: Hashable {
        let table: BlockTable
        let id: Int64
    }

    private let known = Mutex<[Owner: RangeSet<Int>]>([:])

    /// Whether all `rows` of `blocks` have been found right.
    func contains(_ rows: Range<Int>, of blocks: BlockSequence) -> Bool {
        known.withLock { known in
            known[owner(of: blocks)].map { RangeSet(rows).isSubset(of: $0) } ?? false
        }
    }

    /// Remembers that `rows` of `blocks` have been found right.
    func insert(_ rows: Range<Int>, of blocks: BlockSequence) {
        known.withLock { $0[owner(of: blocks), default: RangeSet()].insert(contentsOf: rows) }
    }

    /// Forgets blocks that are removed.
    func forget(_ blocks: BlockSequence) {
        known.withLock { _ = $0.removeValue(forKey: owner(of: blocks)) }
    }

    private func owner(of blocks: BlockSequence) -> Owner { Owner(table: blocks.table, id: blocks.owner) }
}
