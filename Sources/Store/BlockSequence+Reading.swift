import Foundation
import GRDB

/// A block as it lies in SQLite's memory.
struct StoredBlock {
    /// Its rows.
    let rows: Range<Int>
    /// Its recorded checksum.
    let sha256: Data
    /// Its bytes, valid only while the block is being looked at. They may not be of the length that `rows` asks for.
    let bytes: Data

    /// What is wrong with the block, given the width of its rows; nil if its length and, where asked, its checksum are right.
    func flaw(rowByteCount: Int, verifying: Bool) -> String? {
        if let flaw = Self.lengthFlaw(of: rows, rowByteCount: rowByteCount, byteCount: bytes.count) { return flaw }
        guard !verifying || ContentDigest(of: bytes).bytes == sha256 else { return Self.digestFlaw(of: rows) }
        return nil
    }

    /// What is wrong with the length of the block of `rows`, if it is not what they ask for.
    static func lengthFlaw(of rows: Range<Int>, rowByteCount: Int, byteCount: Int) -> String? {
        let expected = rows.count.multipliedReportingOverflow(by: rowByteCount)
        guard expected.overflow || expected.partialValue != byteCount else { return nil }
        return "\(name(rows)) has \(byteCount) bytes where \(rows.count) rows of \(rowByteCount) bytes were written"
    }

    /// What to say of the block of `rows` if its bytes have another digest than is recorded.
    static func digestFlaw(of rows: Range<Int>) -> String {
        "\(name(rows)) does not match its SHA-256; restore the store from a copy, or make its content anew"
    }

    /// "the block of rows A..<B".
    private static func name(_ rows: Range<Int>) -> String { "the block of rows \(rows.lowerBound)..<\(rows.upperBound)" }
}

extension BlockSequence {
    /// Copies `rows` into `destination`, straight from SQLite's memory.
    ///
    /// Only the blocks that hold some of `rows` are read.
    /// - Parameter verifying: Whether to compare each block that is read with its checksum, for about the time of a SHA-256 over it.
    /// - Throws: ``StoreError``: `outOfRange`, `invalid` if `destination` is not as long as the rows, or `corrupt`.
    /// - Complexity: O(bytes of the blocks that are read).
    func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer, verifying: Bool, from db: Database) throws {
        guard rows.lowerBound >= 0, rows.upperBound <= rowCount else {
            throw StoreError.outOfRange(what: what, rows: rows, count: rowCount)
        }
        guard destination.count == rows.count * rowByteCount else {
            throw StoreError.invalid(
                what: what, reason: "\(rows.count) rows of \(rowByteCount) bytes do not fit \(destination.count) bytes exactly",
                change: "pass a buffer of \(rows.count * rowByteCount) bytes")
        }
        guard let base = destination.baseAddress, !rows.isEmpty, rowByteCount > 0 else { return }
        var next = rows.lowerBound
        try forEachBlock(overlapping: rows, in: db) { block in
            guard block.rows.lowerBound <= next, next < block.rows.upperBound else { return }
            if let flaw = block.flaw(rowByteCount: rowByteCount, verifying: verifying) {
                throw StoreError.corrupt(what: what, reason: flaw)
            }
            let end = min(block.rows.upperBound, rows.upperBound)
            block.bytes.withUnsafeBytes { source in
                let start = (next - block.rows.lowerBound) * rowByteCount
                let part = UnsafeRawBufferPointer(rebasing: source[start..<start + (end - next) * rowByteCount])
                if let address = part.baseAddress {
                    (base + (next - rows.lowerBound) * rowByteCount).copyMemory(from: address, byteCount: part.count)
                }
            }
            next = end
        }
        guard next == rows.upperBound else { throw StoreError.corrupt(what: what, reason: "row \(next) is in no block") }
    }

    /// Shows `body` each block that may hold some of `rows`, or every block if `rows` is nil, in the order of their first rows.
    func forEachBlock(overlapping rows: Range<Int>? = nil, in db: Database, _ body: (StoredBlock) throws -> Void) throws {
        let bounds = rows ?? 0..<Int.max
        let statement = try db.cachedStatement(
            sql: """
                SELECT first_row, row_count, sha256, bytes FROM \(table.rawValue)
                WHERE owner = :owner AND first_row < :upper AND first_row >= coalesce(
                    (SELECT max(first_row) FROM \(table.rawValue) WHERE owner = :owner AND first_row <= :lower), 0)
                ORDER BY first_row
                """)
        let cursor = try Row.fetchCursor(
            statement, arguments: ["owner": owner, "lower": bounds.lowerBound, "upper": bounds.upperBound])
        while let row = try cursor.next() {
            let rows = try range(from: row.decode(Int.self, atIndex: 0), count: row.decode(Int.self, atIndex: 1))
            let sha256 = try row.decode(Data.self, atIndex: 2)
            try row.withUnsafeData(atIndex: 3) { bytes in
                try body(StoredBlock(rows: rows, sha256: sha256, bytes: bytes ?? Data()))
            }
        }
    }

    /// Makes sure that there are blocks up to the last row, before memory is set aside for as many rows as a record claims.
    ///
    /// - Throws: ``StoreError/corrupt(what:reason:)``.
    func requireLastRow(in db: Database) throws {
        let end = try Int.fetchOne(
            db, sql: "SELECT first_row + row_count FROM \(table.rawValue) WHERE owner = ? ORDER BY first_row DESC",
            arguments: [owner])
        guard (end ?? 0) == rowCount else {
            throw StoreError.corrupt(what: what, reason: "its blocks end at row \(end ?? 0) of \(rowCount)")
        }
    }
}
