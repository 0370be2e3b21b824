import Formats
import Foundation
import GRDB

extension Store {
    /// Reads all of the store and compares it with itself.
    ///
    /// Looked at are: the schema; SQLite's own structures (`PRAGMA integrity_check`) and references (`PRAGMA foreign_key_check`);
    /// that blocks follow each other without gaps or overlaps, have the lengths their rows ask for, and match their SHA-256; that
    /// floating-point values are finite, and weights usable; that shapes, types and counts agree; the digests of datasets and
    /// checkpoints; that complete caches are complete. All is seen as of one moment; others may write meanwhile. A store of an
    /// older version is compared with what that version was.
    ///
    /// - Parameter progress: Told the blocks looked at so far and their number. It must not call this store. If it throws, the
    ///   check ends.
    /// - Returns: What is wrong; empty if the store is whole.
    /// - Throws: ``StoreError`` if the store cannot be read at all; and what `progress` throws.
    /// - Complexity: O(bytes), each read and hashed once or twice.
    public func check(progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }) throws -> [StoreFinding] {
        try reading { db in
            try withoutActuallyEscaping(progress) { progress in
                var check = StoreCheck(db: db, progress: progress)
                guard try check.schemaIsUsable() else { return check.findings }
                try check.checkDatabase()
                try check.checkDatasets()
                try check.checkModels()
                try check.checkCaches()
                try check.checkDerived()
                try check.checkTexts()
                return check.findings
            }
        }
    }
}

/// A check in progress: what has been found, and how far it has come.
struct StoreCheck {
    let db: Database
    private let progress: (Int, Int) throws -> Void
    private(set) var findings: [StoreFinding] = []
    /// The tables of blocks that a store of this version has.
    private(set) var tables: [BlockTable] = []
    private var done = 0
    private var total = 0

    init(db: Database, progress: @escaping (Int, Int) throws -> Void) {
        self.db = db
        self.progress = progress
    }

    mutating func report(_ table: String, _ name: String?, rows: Range<Int>? = nil, _ problem: String) {
        findings.append(StoreFinding(table: table, name: name, rows: rows, problem: problem))
    }

    /// Runs `body`, and reports instead of throwing what the database or a record decoder throws.
    mutating func attempt(_ table: String, _ name: String? = nil, _ body: (inout Self) throws -> Void) throws {
        do {
            try body(&self)
        } catch let error as DatabaseError {
            report(table, name, "cannot be read: \(error.message ?? "SQLite result code \(error.extendedResultCode.rawValue)")")
        } catch let error as StoreError {
            if case .corrupt(let what, let reason) = error {
                report(table, name ?? what, reason)
            } else {
                report(table, name, "\(error)")
            }
        } catch is RowDecodingError {
            report(table, name, "a column holds a value of the wrong kind")
        }
    }

    /// Compares the tables and indexes with those that the steps the store has been through make, and counts the blocks.
    ///
    /// - Returns: Whether all tables are there.
    mutating func schemaIsUsable() throws -> Bool {
        let query =
            "SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'grdb_%' AND name NOT LIKE 'sqlite_stat%'"
        let migrator = Schema.migrator
        let steps = try migrator.completedMigrations(db)
        guard let last = steps.last else {
            report("database", nil, "the steps of its schema are not recorded")
            return false
        }
        let blank = try DatabaseQueue()
        try migrator.migrate(blank, upTo: last)
        tables = BlockTable.tables(atVersion: steps.count)
        let expected = try blank.read { blank in try Self.objects(query, in: blank) }
        let found = try Self.objects(query, in: db)
        var usable = true
        for (object, sql) in expected.sorted(by: { $0.key < $1.key }) where found[object] != sql {
            report("database", object, found[object] == nil ? "is missing" : "is not defined as this version defines it")
            usable = usable && found[object] != nil
        }
        for object in found.keys.sorted() where expected[object] == nil {
            report("database", object, "is not part of a store")
        }
        guard usable else { return false }
        for table in tables {
            try attempt(table.rawValue) { check in
                check.total += try Int.fetchOne(check.db, sql: "SELECT count(*) FROM \(table.rawValue)") ?? 0
            }
        }
        return true
    }

    /// What SQLite itself finds: damaged pages and indexes, and references to nothing.
    mutating func checkDatabase() throws {
        try attempt("database") { check in
            for problem in try String.fetchAll(check.db, sql: "PRAGMA integrity_check") where problem != "ok" {
                check.report("database", nil, problem)
            }
        }
        try attempt("database") { check in
            for row in try Row.fetchAll(check.db, sql: "PRAGMA foreign_key_check") {
                let table = try row.decode(String.self, atIndex: 0)
                let id = try row.decode(Int64?.self, atIndex: 1).map { "row \($0)" }
                check.report(table, id, "refers to a \(try row.decode(String.self, atIndex: 2)) that is not there")
            }
        }
    }

    /// Checks the blocks of one owner, in order.
    ///
    /// - Parameters:
    ///   - blocks: The owner's blocks.
    ///   - type: The type of the elements, if they are to be looked through for NaN and infinities.
    ///   - mayLackRows: Whether gaps are in order.
    ///   - visit: Shown the bytes of every block, damaged or not.
    mutating func checkBlocks(
        _ blocks: BlockSequence, type: ElementType?, mayLackRows: Bool = false, visit: (Data) -> Void = { _ in }
    ) throws {
        let table = blocks.table.rawValue
        guard blocks.rowByteCount > 0 else { return try checkAbsence(of: blocks, "its rows have no bytes") }
        try attempt(table, blocks.what) { check in
            var next = 0
            try blocks.forEachBlock(in: check.db) { block in
                if block.rows.lowerBound < next {
                    check.report(table, blocks.what, rows: block.rows, "shares rows with the block before it")
                } else if block.rows.lowerBound > next, !mayLackRows {
                    check.report(table, blocks.what, rows: next..<block.rows.lowerBound, "these rows are in no block")
                }
                next = max(next, block.rows.upperBound)
                if let flaw = block.flaw(rowByteCount: blocks.rowByteCount, verifying: true) {
                    check.report(table, blocks.what, rows: block.rows, flaw)
                }
                if let type, let position = block.bytes.withUnsafeBytes({ FiniteScan.firstNonFinite(in: $0, type) }) {
                    let row = block.rows.lowerBound + position * type.byteCount / blocks.rowByteCount
                    check.report(table, blocks.what, rows: block.rows, "row \(row) holds a NaN or an infinity")
                }
                visit(block.bytes)
                check.done += 1
                try check.progress(check.done, check.total)
            }
            if next < blocks.rowCount, !mayLackRows {
                check.report(table, blocks.what, rows: next..<blocks.rowCount, "these rows are in no block")
            }
        }
    }

    /// Reports blocks of an owner that should have none, for the `reason` given.
    mutating func checkAbsence(of blocks: BlockSequence, _ reason: String) throws {
        let table = blocks.table.rawValue
        guard tables.contains(blocks.table) else { return }
        try attempt(table, blocks.what) { check in
            let count = try Int.fetchOne(
                check.db, sql: "SELECT count(*) FROM \(table) WHERE owner = ?", arguments: [blocks.owner])
            guard let count, count > 0 else { return }
            check.report(table, blocks.what, "there are \(count) blocks, but \(reason)")
            check.done += count
        }
    }

    private static func objects(_ query: String, in db: Database) throws -> [String: String] {
        let pairs = try Row.fetchAll(db, sql: query).map { row in
            (try row.decode(String.self, atIndex: 0), try row.decode(String.self, atIndex: 1))
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }
}
