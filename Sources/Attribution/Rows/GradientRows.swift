public import LinearAlgebra

/// Rows of numbers that stand for gradients, one for each training example, wherever they are kept: in memory, or in a file that is
/// larger than it.
public protocol GradientRows: Sendable {
    /// n.
    var count: Int { get }
    /// Numbers in a row.
    var width: Int { get }
    /// Whether any row is at hand at the speed of memory: mini-batches of single rows need that.
    var isResident: Bool { get }

    /// Runs `body` once on each stretch of rows, on several threads and in no order that could be relied on: the view's first row is
    /// the range's first. Results belong to be written by the rows they are of.
    /// - Throws: `Interrupted`, what `body` throws, and what reading may throw.
    func forEachStretch(
        parallel: Parallel, interruption: Interruption, _ body: @escaping @Sendable (Range<Int>, EncodedRows) throws -> Void
    ) throws

    /// Runs `body` with views of the rows of a range from first to last, of `length` rows each but the last, by one thread.
    /// - Throws: as above.
    func forEachPart(
        of range: Range<Int>, length: Int, interruption: Interruption, _ body: (EncodedRows) throws -> Void) throws

    /// Runs `body` with a view of each of some rows, by one thread.
    /// - Throws: as above.
    func forEach(_ rows: [UInt32], interruption: Interruption, _ body: (Int, EncodedRows) throws -> Void) throws
}

extension EncodedRows {
    /// Runs `body` with the rows of a range from first to last, `length` at a time.
    /// - Throws: what `body` throws.
    public func forEachPart(of range: Range<Int>, length: Int, _ body: (EncodedRows) throws -> Void) rethrows {
        for start in Swift.stride(from: range.lowerBound, to: range.upperBound, by: length) {
            try body(part(start..<min(start + length, range.upperBound)))
        }
    }
}

/// Rows in memory.
///
/// `@unchecked Sendable`: the memory is only read.
public struct ResidentRows: GradientRows, @unchecked Sendable {
    /// The rows.
    public let rows: EncodedRows
    /// Keeps the rows' memory.
    private let owner: any AnyObject & Sendable

    /// n.
    public var count: Int { rows.count }
    /// Numbers in a row.
    public var width: Int { rows.width }
    /// They are.
    public var isResident: Bool { true }

    /// Encoded rows that lie in memory one after the other.
    /// - Throws: `EncodingError` where the memory is too small.
    public init(_ memory: AlignedMemory<UInt8>, count: Int, width: Int, encoding: RowEncoding) throws(EncodingError) {
        rows = try EncodedRows(UnsafeRawBufferPointer(memory.elements), count: count, width: width, encoding: encoding)
        owner = memory
    }

    /// Rows of about a MiB at a time: what is fetched for one is not yet evicted when it is used.
    public func forEachStretch(
        parallel: Parallel, interruption: Interruption, _ body: @escaping @Sendable (Range<Int>, EncodedRows) throws -> Void
    ) throws {
        let length = max(64, (1 << 20) / max(1, rows.stride) / 64 * 64)
        try parallel.forEach((count + length - 1) / length, interruption: interruption) { piece in
            let stretch = piece * length..<min((piece + 1) * length, count)
            try body(stretch, rows.part(stretch))
        }
    }

    /// See `GradientRows`.
    public func forEachPart(
        of range: Range<Int>, length: Int, interruption: Interruption, _ body: (EncodedRows) throws -> Void
    ) throws {
        try rows.forEachPart(of: range, length: length) { part in
            try interruption.check()
            try body(part)
        }
    }

    /// See `GradientRows`.
    public func forEach(
        _ indices: [UInt32], interruption: Interruption, _ body: (Int, EncodedRows) throws -> Void
    ) throws {
        for (place, row) in indices.enumerated() {
            if place % 64 == 0 { try interruption.check() }
            try body(place, rows.part(Int(row)..<Int(row) + 1))
        }
    }
}
