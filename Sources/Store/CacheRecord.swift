public import Formats
public import Foundation

/// What a gradient cache is to be: one row of bytes for each training example.
public struct CacheLayout: Hashable, Sendable {
    /// How the elements of a row are stored.
    public let elementType: ElementType
    /// Rows: training examples.
    public let rowCount: Int
    /// Bytes of one row.
    public let rowByteCount: Int

    /// A layout; it is checked when a cache is begun with it.
    public init(elementType: ElementType, rowCount: Int, rowByteCount: Int) {
        self.elementType = elementType
        self.rowCount = rowCount
        self.rowByteCount = rowByteCount
    }

    /// Bytes in all; `Int.max` for a layout too large to exist.
    public var byteCount: Int {
        let (product, overflow) = rowCount.multipliedReportingOverflow(by: rowByteCount)
        return overflow ? .max : product
    }
}

/// A stored gradient cache, complete or in building, without its bytes.
public struct CacheRecord: Hashable, Sendable {
    /// Whether a cache holds all its rows yet.
    public enum State: String, Sendable {
        /// Some rows may be missing.
        case building
        /// All rows are there.
        case complete
    }

    /// The model it belongs to.
    public let model: String
    /// The checkpoint whose gradients it holds.
    public let checkpoint: String
    /// What kind of gradients, such as `factored`; unique in its checkpoint.
    public let kind: String
    /// The digest of everything it depends on.
    public let key: ContentDigest
    /// Its rows.
    public let layout: CacheLayout
    /// JSON text that says what a reader must know to use it.
    public let summary: String
    /// Whether it is complete.
    public let state: State
    /// When it was begun, to the second.
    public let createdAt: Date

    let id: Int64
}

/// A cache that is being built, and what of it is there already.
public struct CacheBuild: Hashable, Sendable {
    /// The cache; complete already if nothing is missing and it has been finished before.
    public let cache: CacheRecord
    /// The rows that need not be computed again, in order, without overlaps; neighbouring ranges are kept apart as they were appended.
    public let stored: [Range<Int>]
    /// A number of rows that makes a block of good size.
    public let rowsPerBlock: Int

    /// The rows still to be appended, in order, in ranges of at most ``rowsPerBlock``.
    public var missing: [Range<Int>] {
        var result: [Range<Int>] = []
        var next = 0
        for range in stored + [cache.layout.rowCount..<cache.layout.rowCount] {
            while next < range.lowerBound {
                let count = min(rowsPerBlock, range.lowerBound - next)
                result.append(next..<next + count)
                next += count
            }
            next = range.upperBound
        }
        return result
    }
}

/// A stored quantity derived from a checkpoint, such as a spectrum or a factorization, without its bytes.
public struct DerivedRecord: Hashable, Sendable {
    /// The model it belongs to.
    public let model: String
    /// The checkpoint it was derived from.
    public let checkpoint: String
    /// What it is, such as `spectrum` or `cholesky`.
    public let kind: String
    /// The digest of everything that determines it.
    public let key: ContentDigest
    /// JSON text: the quantity itself if it is small, or what a reader must know to use the bytes.
    public let summary: String
    /// Bytes beside the summary.
    public let byteCount: Int
    /// When it was stored, to the second.
    public let createdAt: Date

    let id: Int64
}
