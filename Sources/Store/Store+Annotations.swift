import Foundation
import GRDB

/// What is known of one example besides its input and target, while it is on its way past: nothing of it is copied.
public struct PassingAnnotation {
    /// The example's row, from 0.
    public let index: Int
    /// The example's name in UTF-8; nil where it has none. Valid only while the body runs.
    public let id: UnsafeRawBufferPointer?
    /// The example's metadata, a JSON text in UTF-8; nil where there is none. Valid only while the body runs.
    public let metadata: UnsafeRawBufferPointer?
}

extension Store {
    /// Rows of one transaction: none is held so long that a writer's WAL could not be emptied.
    private static let annotationsTogether = 4_096

    /// Text that is read between two questions.
    private static let bytesBetweenChecks = 1 << 20

    /// Shows `body` the annotation of every example that has one, by ascending index, each straight from SQLite's page.
    ///
    /// - Parameters:
    ///   - dataset: The dataset, as this store gave it.
    ///   - checkCancellation: Asked every few thousand examples, and every MiB of their text. If it throws, all ends.
    ///   - body: Shown each annotation; must not use the store.
    /// - Throws: ``StoreError``; what `checkCancellation` or `body` throws.
    /// - Complexity: O(bytes of the annotations), in memory for one.
    public func forEachAnnotation(
        of dataset: DatasetRecord, checkCancellation: () throws -> Void = {}, _ body: (PassingAnnotation) throws -> Void
    ) throws {
        var next: Int? = 0
        while let first = next {
            try checkCancellation()
            next = try reading { db in
                let statement = try db.cachedStatement(
                    sql: """
                        SELECT position, example_id, metadata FROM example
                        WHERE dataset = ? AND position >= ? ORDER BY position LIMIT ?
                        """)
                let rows = try Row.fetchCursor(statement, arguments: [dataset.id, first, Self.annotationsTogether])
                var (count, bytes) = (0, 0)
                var last = first
                while let row = try rows.next() {
                    count += 1
                    last = try row.decode(Int.self, atIndex: 0)
                    guard last < dataset.rowCount else { return nil }
                    if bytes >= Self.bytesBetweenChecks {
                        try checkCancellation()
                        bytes = 0
                    }
                    try row.withText(at: 1) { id in
                        try row.withText(at: 2) { metadata in
                            bytes += (id?.count ?? 0) + (metadata?.count ?? 0)
                            try body(PassingAnnotation(index: last, id: id, metadata: metadata))
                        }
                    }
                }
                return count < Self.annotationsTogether ? nil : last + 1
            }
        }
    }
}

extension Row {
    /// Shows `body` the UTF-8 of a text where it lies in SQLite's memory; nil for NULL.
    fileprivate func withText(at column: Int, _ body: (UnsafeRawBufferPointer?) throws -> Void) throws {
        try withUnsafeData(atIndex: column) { data in
            if let data { try data.withUnsafeBytes { try body($0) } } else { try body(nil) }
        }
    }
}
