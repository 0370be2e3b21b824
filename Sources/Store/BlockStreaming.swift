/// How rows that may be more than memory holds are run over: see ``Store/forEachBlock(of:rows:streaming:checkCancellation:_:)``.
public struct BlockStreaming: Hashable, Sendable {
    /// When blocks are compared with their SHA-256.
    public enum Verification: Hashable, Sendable {
        /// The first time that this process streams them from this store. What is stored never changes, and a disk that returns
        /// other bytes later than it did at first is left to ``Store/check(progress:)``.
        case once
        /// Each time.
        case always
        /// Never.
        case never
    }

    /// The most bytes of blocks in memory at a time. One block is read in any case, however small the budget is.
    public var budget: Int
    /// Threads that bodies run on, the calling one among them: at least 1, at most ``maximumThreadCount``.
    public var workers: Int
    /// Further threads that do nothing but read ahead, from 0 to ``maximumThreadCount``. Workers read too while no block is
    /// ready.
    public var readers: Int
    /// When blocks are compared with their checksums.
    public var verification: Verification

    /// The most workers, and the most readers, that are used.
    public static let maximumThreadCount = 64

    /// A way of streaming; numbers out of range count as the nearest that are in it.
    public init(budget: Int, workers: Int = 1, readers: Int = 1, verification: Verification = .once) {
        self.budget = budget
        self.workers = workers
        self.readers = readers
        self.verification = verification
    }
}

/// Some rows in memory, on their way past.
public struct StreamedBlock {
    /// The rows: only such as were asked for.
    public let rows: Range<Int>
    /// Their bytes, row after row; the first row of a stored block is aligned to 64 bytes. Valid only while the body runs.
    public let bytes: UnsafeRawBufferPointer
    /// The worker that runs the body, from 0 to one less than their number: no two bodies run on one worker at a time, so that
    /// each can have working memory of its own. Which worker gets which block is left to chance.
    public let worker: Int
}
