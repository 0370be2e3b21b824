import Foundation
import GRDB
import GRDBSQLite

/// Where a block is, and what its bytes are to be.
struct BlockPlace: Sendable {
    /// The row of its table.
    let id: Int64
    /// Its rows.
    let rows: Range<Int>
    /// Its bytes.
    let byteCount: Int
    /// Its recorded checksum.
    let sha256: Data
}

extension BlockSequence {
    /// The blocks that hold `rows`, in order, without their bytes.
    ///
    /// - Throws: ``StoreError/corrupt(what:reason:)`` if they leave a row out, share rows, or are of the wrong length.
    /// - Complexity: O(blocks).
    func places(of rows: Range<Int>, in db: Database) throws -> [BlockPlace] {
        guard !rows.isEmpty, rowByteCount > 0 else { return [] }
        // SQLite tells the length of a blob from the record's header, without reading the blob.
        let statement = try db.cachedStatement(
            sql: """
                SELECT rowid, first_row, row_count, length(bytes), sha256 FROM \(table.rawValue)
                WHERE owner = :owner AND first_row < :upper AND first_row >= coalesce(
                    (SELECT max(first_row) FROM \(table.rawValue) WHERE owner = :owner AND first_row <= :lower), 0)
                ORDER BY first_row
                """)
        let cursor = try Row.fetchCursor(
            statement, arguments: ["owner": owner, "lower": rows.lowerBound, "upper": rows.upperBound])
        var places: [BlockPlace] = []
        var next = rows.lowerBound
        while let row = try cursor.next() {
            let place = BlockPlace(
                id: try row.decode(Int64.self, atIndex: 0),
                rows: try range(from: row.decode(Int.self, atIndex: 1), count: row.decode(Int.self, atIndex: 2)),
                byteCount: try row.decode(Int.self, atIndex: 3), sha256: try row.decode(Data.self, atIndex: 4))
            let follows = places.isEmpty ? place.rows.contains(next) : place.rows.lowerBound == next
            guard follows else { break }
            if let flaw = StoredBlock.lengthFlaw(of: place.rows, rowByteCount: rowByteCount, byteCount: place.byteCount) {
                throw StoreError.corrupt(what: what, reason: flaw)
            }
            places.append(place)
            next = place.rows.upperBound
        }
        guard next >= rows.upperBound else { throw StoreError.corrupt(what: what, reason: "row \(next) is in no block") }
        return places
    }

    /// Copies a block's bytes into `destination`, page by page as SQLite reads them, without the copy of the whole that a query
    /// makes first (https://www.sqlite.org/c3ref/blob_open.html).
    ///
    /// - Parameter destination: Exactly `place.byteCount` bytes.
    /// - Throws: ``StoreError/corrupt(what:reason:)`` if the block is not there any more, or of another length; what SQLite
    ///   reports as a `DatabaseError`.
    func copy(_ place: BlockPlace, into destination: UnsafeMutableRawBufferPointer, from db: Database) throws {
        var blob: OpaquePointer?
        let opened = sqlite3_blob_open(db.sqliteConnection, "main", table.rawValue, "bytes", place.id, 0, &blob)
        defer { sqlite3_blob_close(blob) }
        // A row that does not exist is a plain error, other than what befalls the file.
        guard opened != SQLITE_ERROR else {
            throw StoreError.corrupt(what: what, reason: "row \(place.rows.lowerBound) is in no block")
        }
        try Self.check(opened, db)
        let found = Int(sqlite3_blob_bytes(blob))
        if found != destination.count {
            let flaw = StoredBlock.lengthFlaw(of: place.rows, rowByteCount: rowByteCount, byteCount: found)
            throw StoreError.corrupt(what: what, reason: flaw ?? "a block has changed its length")
        }
        try Self.check(sqlite3_blob_read(blob, destination.baseAddress, Int32(destination.count), 0), db)
    }

    private static func check(_ code: CInt, _ db: Database) throws {
        guard code == SQLITE_OK else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
        }
    }
}
