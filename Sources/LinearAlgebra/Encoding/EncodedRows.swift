internal import CKernels

/// A view of encoded rows in memory that belongs to someone else, a mapped file or a block of a cache: their products with vectors, and
/// their sums, straight from the encoded bytes.
///
/// Everything here works with the decoded rows, bit for bit: what `RowEncoding` says about rounding is all there is to add.
///
/// `@unchecked Sendable`: the memory is only read. Its owner keeps it, unchanged, for as long as views of it are used.
public struct EncodedRows: @unchecked Sendable {
    /// Where the first row begins.
    public let start: UnsafeRawPointer
    /// Rows.
    public let count: Int
    /// Elements of a row.
    public let width: Int
    /// Bytes from the beginning of one row to that of the next.
    public let stride: Int
    /// How the rows are kept.
    public let encoding: RowEncoding

    /// A view of `count` rows of `width` elements at the beginning of `bytes`, `stride` bytes apart; one after the other where no stride
    /// is given.
    /// - Throws: `EncodingError.size` and `.truncated` where the sizes make no sense or the memory is too small.
    public init(
        _ bytes: UnsafeRawBufferPointer, count: Int, width: Int, encoding: RowEncoding, stride: Int? = nil
    ) throws(EncodingError) {
        let row = try encoding.rowByteCount(width: width)
        let step = stride ?? row
        guard count >= 0 else { throw .size("\(count) rows: there can't be fewer than none") }
        guard step >= row else { throw .size("rows of \(row) bytes can't lie \(step) bytes apart") }
        let (ahead, overflow) = step.multipliedReportingOverflow(by: max(0, count - 1))
        let (needed, more) = ahead.addingReportingOverflow(count == 0 ? 0 : row)
        guard !overflow, !more else { throw .size("\(count) rows, \(step) bytes apart, are larger than any memory") }
        guard bytes.count >= needed else { throw .truncated(bytes: bytes.count, needed: needed) }
        // Of no rows nothing is read: any address serves.
        start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 64)!
        self.count = count
        self.width = width
        self.stride = step
        self.encoding = encoding
    }

    private init(start: UnsafeRawPointer, count: Int, like rows: EncodedRows) {
        (self.start, self.count) = (start, count)
        (width, stride, encoding) = (rows.width, rows.stride, rows.encoding)
    }

    /// A view of some of the rows.
    public func part(_ rows: Range<Int>) -> EncodedRows {
        check(rows)
        return EncodedRows(start: start + rows.lowerBound * stride, count: rows.count, like: self)
    }

    /// Writes a range of rows as floats, row after row.
    public func decode(_ rows: Range<Int>, into out: UnsafeMutablePointer<Float>) {
        check(rows)
        for row in rows {
            influenced_decode(encoding.kernel, start + row * stride, width, out + (row - rows.lowerBound) * width)
        }
    }

    /// scores[v·stride + r] = decoded row (rows.lowerBound + r) · vectors[v], for a range of rows and `vectorCount` vectors as long as a
    /// row that lie one after the other. Up to 64 vectors read the rows from memory once; one vector, at the speed of memory. Rows of the
    /// view behind the range are asked for already, as if they were next.
    ///
    /// A product is off by about 10⁻⁷·‖row‖·‖vector‖: sums of up to 1,024 products are kept in single precision, in as many parts as a
    /// register has lanes, and sums of those in double. It has the same bits whatever other rows and vectors there are.
    /// - Throws: `Interrupted`.
    public func score(
        _ rows: Range<Int>, along vectors: UnsafePointer<Float>, vectorCount: Int, into scores: UnsafeMutablePointer<Float>,
        stride: Int, interruption: Interruption = .never
    ) throws(Interrupted) {
        precondition(vectorCount >= 0 && (vectorCount < 2 || stride >= rows.count), "scores of different vectors overlap")
        try forEachRun(of: rows, vectorCount: vectorCount, interruption: interruption) { run, first in
            withUnsafePointer(to: run) {
                influenced_score_encoded($0, vectors, vectorCount, scores + (first - rows.lowerBound), stride)
            }
        }
    }

    /// The scores of all rows, as `score(_:along:vectorCount:into:stride:interruption:)` gives them, on several threads.
    /// - Throws: `Interrupted`.
    public func score(
        along vectors: UnsafePointer<Float>, vectorCount: Int, into scores: UnsafeMutablePointer<Float>, stride: Int,
        parallel: Parallel, interruption: Interruption = .never
    ) throws {
        // About a MiB for a piece, and whole blocks of rows.
        let length = max(64, (1 << 20) / self.stride / 64 * 64)
        let pieces = count / length + (count % length == 0 ? 0 : 1)
        // The vectors are only read, by every piece; each writes the scores of its own rows.
        nonisolated(unsafe) let (vectors, scores) = (vectors, scores)
        try parallel.forEach(pieces, interruption: interruption) { piece in
            let rows = piece * length..<min(count, (piece + 1) * length)
            try score(
                rows, along: vectors, vectorCount: vectorCount, into: scores + rows.lowerBound, stride: stride,
                interruption: interruption)
        }
    }

    /// sums[v] += Σ_r coefficients[v·stride + r] · decoded row (rows.lowerBound + r), for a range of rows and `vectorCount` vectors as long
    /// as a row that lie one after the other: coefficients stand where `score` writes its scores.
    ///
    /// Rows are added one after the other, in single precision: a sum has the same bits whatever other vectors there are, and in
    /// whatever runs its rows come.
    /// - Throws: `Interrupted`; some rows are in the sums then, and others are not.
    public func accumulate(
        _ rows: Range<Int>, coefficients: UnsafePointer<Float>, stride: Int, vectorCount: Int,
        into sums: UnsafeMutablePointer<Float>, interruption: Interruption = .never
    ) throws(Interrupted) {
        try forEachRun(of: rows, vectorCount: vectorCount, interruption: interruption) { run, first in
            withUnsafePointer(to: run) {
                influenced_accumulate_encoded(
                    $0, coefficients + (first - rows.lowerBound), 1, stride, vectorCount, sums)
            }
        }
    }

    /// Calls `body` with runs of rows that take a few milliseconds at most, and what is the first of each; cutting changes no bits.
    /// Runs are whole blocks of eight, or single rows where those are very long.
    @inline(__always)
    private func forEachRun(
        of rows: Range<Int>, vectorCount: Int, interruption: Interruption, _ body: (influenced_rows, Int) -> Void
    ) throws(Interrupted) {
        check(rows)
        let work = max(1, min(vectorCount, PacedInterruption.interval)) * 2 * min(width, PacedInterruption.interval)
        let affordable = PacedInterruption.interval / work
        let length = affordable == 0 ? 1 : max(8, affordable / 8 * 8)
        var first = rows.lowerBound
        while first < rows.upperBound {
            try interruption.check()
            let run = min(length, rows.upperBound - first)
            body(
                influenced_rows(
                    start: start + first * stride, stride: stride, count: run, ahead: count - first - run, width: width,
                    encoding: encoding.kernel), first)
            first += run
        }
    }

    private func check(_ rows: Range<Int>) {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "rows \(rows) of \(count)")
    }
}
