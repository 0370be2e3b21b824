import Foundation
import GRDB

/// The bytes of one owner: rows of equal width, stored in blocks of whole rows.
struct BlockSequence {
    /// The table the blocks are in.
    let table: BlockTable
    /// The owner's id.
    let owner: Int64
    /// What the bytes are, for messages: "inputs of dataset 'digits'".
    let what: String
    /// Rows in all.
    let rowCount: Int
    /// Bytes of a row; rows of 0 bytes are in no blocks.
    let rowByteCount: Int

    /// The bounds that SQLite sets for one blob, with room to spare (https://www.sqlite.org/limits.html: 10⁹ bytes by default).
    static let maximumBlockByteCount = 512 << 20

    /// Rows that make a block of about `byteCount` bytes: at least one.
    func rowsPerBlock(ofAbout byteCount: Int) -> Int { max(1, byteCount / max(1, rowByteCount)) }

    /// Adds the block of `rows`, whose bytes have the digest `sha256`.
    func append(_ rows: Range<Int>, _ bytes: Data, sha256: ContentDigest, to db: Database) throws {
        let statement = try db.cachedStatement(
            sql: "INSERT INTO \(table.rawValue) (owner, first_row, row_count, sha256, bytes) VALUES (?, ?, ?, ?, ?)")
        try statement.execute(arguments: [owner, rows.lowerBound, rows.count, sha256.bytes, bytes])
    }

    /// Adds all rows, whose bytes are `bytes`, in blocks of about `blockByteCount`; `wrote` is told the rows written so far.
    ///
    /// `bytes` is read once, a block at a time, and may be a mapped file.
    func appendAll(
        of bytes: Data, blockByteCount: Int, to db: Database, hashing hasher: inout ContentHasher, wrote: (Int) throws -> Void
    ) throws {
        guard rowByteCount > 0 else { return try wrote(rowCount) }
        let step = rowsPerBlock(ofAbout: blockByteCount)
        for first in stride(from: 0, to: rowCount, by: step) {
            let rows = first..<min(first + step, rowCount)
            let start = bytes.startIndex + first * rowByteCount
            let block = bytes[start..<start + rows.count * rowByteCount]
            hasher.update(bytes: block)
            try append(rows, block, sha256: ContentDigest(of: block), to: db)
            try wrote(rows.upperBound)
        }
    }

    /// The rows of each block, in order.
    func storedRows(in db: Database) throws -> [Range<Int>] {
        let statement = try db.cachedStatement(
            sql: "SELECT first_row, row_count FROM \(table.rawValue) WHERE owner = ? ORDER BY first_row")
        return try Row.fetchAll(statement, arguments: [owner]).map { row in
            try range(from: row.decode(Int.self, atIndex: 0), count: row.decode(Int.self, atIndex: 1))
        }
    }

    /// The rows a stored block claims to hold, if `rowCount` allows them.
    func range(from first: Int, count: Int) throws -> Range<Int> {
        guard first >= 0, count > 0, first < rowCount, count <= rowCount - first else {
            throw StoreError.corrupt(what: what, reason: "a block from row \(first) claims \(count) of \(rowCount) rows")
        }
        return first..<first + count
    }
}
