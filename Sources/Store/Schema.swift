import GRDB

/// The tables of a store and the steps that lead to them.
///
/// A step, once released, is never changed: a new one is added after it. What each step is called is recorded in the file, which is
/// how a store from a newer version is recognised.
enum Schema {
    /// SQLite's `application_id` in the header of every store: "INFL".
    static let applicationID = 0x494E_464C

    /// The page size of new stores: with large pages a block of a few MiB takes few pages, and few steps to read.
    static let pageSize = 32_768

    /// The newest schema version this code knows: the number of its steps.
    static var version: Int { migrator.migrations.count }

    /// The oldest schema version that can be read without bringing the store up to date.
    static let oldestReadableVersion = 1

    /// The steps in order.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: datasets + models + caches)
            for table in BlockTable.tables(atVersion: 1) { try db.execute(sql: blocks(table)) }
        }
        migrator.registerMigration("v2") { db in
            try db.execute(sql: datasetsWithWeights + checkpointsWithoutTensors + blocks(.weights))
        }
        return migrator
    }

    /// Blocks of rows: `first_row`..<`first_row + row_count` of their owner, with the SHA-256 of `bytes`.
    private static func blocks(_ table: BlockTable) -> String {
        """
        CREATE TABLE \(table.rawValue) (
            owner INTEGER NOT NULL REFERENCES \(table.ownerTable)(id) ON DELETE CASCADE,
            first_row INTEGER NOT NULL CHECK (first_row >= 0),
            row_count INTEGER NOT NULL CHECK (row_count > 0),
            sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
            bytes BLOB NOT NULL,
            UNIQUE (owner, first_row)
        ) STRICT;
        """
    }

    private static let datasets = """
        CREATE TABLE dataset (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            element_type TEXT NOT NULL,
            example_shape TEXT NOT NULL,
            divisor REAL NOT NULL CHECK (divisor > 0),
            row_count INTEGER NOT NULL CHECK (row_count > 0),
            row_bytes INTEGER NOT NULL CHECK (row_bytes > 0),
            target_type TEXT NOT NULL CHECK (target_type IN ('int32', 'float32')),
            target_shape TEXT NOT NULL,
            target_row_bytes INTEGER NOT NULL CHECK (target_row_bytes > 0),
            sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE example (
            dataset INTEGER NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
            position INTEGER NOT NULL CHECK (position >= 0),
            example_id TEXT,
            metadata TEXT,
            PRIMARY KEY (dataset, position)
        ) STRICT, WITHOUT ROWID;
        """

    private static let models = """
        CREATE TABLE model (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            spec TEXT NOT NULL,
            dataset INTEGER NOT NULL REFERENCES dataset(id),
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE checkpoint (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            model INTEGER NOT NULL REFERENCES model(id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            sequence INTEGER NOT NULL CHECK (sequence >= 0),
            step INTEGER,
            epoch INTEGER,
            learning_rate REAL,
            train_loss REAL,
            sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
            created_at INTEGER NOT NULL,
            UNIQUE (model, name),
            UNIQUE (model, sequence)
        ) STRICT;
        CREATE TABLE tensor (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            checkpoint INTEGER NOT NULL REFERENCES checkpoint(id) ON DELETE CASCADE,
            position INTEGER NOT NULL CHECK (position >= 0),
            name TEXT NOT NULL,
            element_type TEXT NOT NULL,
            shape TEXT NOT NULL,
            UNIQUE (checkpoint, position),
            UNIQUE (checkpoint, name)
        ) STRICT;
        """

    /// AUTOINCREMENT keeps the id of a removed cache from ever standing for another one that a reader did not ask for.
    private static let caches = """
        CREATE TABLE cache (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            checkpoint INTEGER NOT NULL REFERENCES checkpoint(id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            key BLOB NOT NULL CHECK (length(key) = 32),
            element_type TEXT NOT NULL,
            row_count INTEGER NOT NULL CHECK (row_count > 0),
            row_bytes INTEGER NOT NULL CHECK (row_bytes > 0),
            summary TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('building', 'complete')),
            created_at INTEGER NOT NULL,
            UNIQUE (checkpoint, kind)
        ) STRICT;
        CREATE TABLE derived (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            checkpoint INTEGER NOT NULL REFERENCES checkpoint(id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            key BLOB NOT NULL CHECK (length(key) = 32),
            summary TEXT NOT NULL,
            byte_count INTEGER NOT NULL CHECK (byte_count >= 0),
            created_at INTEGER NOT NULL,
            UNIQUE (checkpoint, kind, key)
        ) STRICT;
        """
}

/// The tables that hold bytes, each in blocks of whole rows of its owner.
enum BlockTable: String, CaseIterable, Sendable {
    case inputs = "input_block"
    case targets = "target_block"
    case tensors = "tensor_block"
    case caches = "cache_block"
    case derived = "derived_block"
    case weights = "weight_block"

    /// The tables that a store has after so many of the schema's steps.
    static func tables(atVersion version: Int) -> [BlockTable] {
        version < 2 ? [.inputs, .targets, .tensors, .caches, .derived] : allCases
    }

    /// The table whose rows own the blocks.
    var ownerTable: String {
        switch self {
        case .inputs, .targets, .weights: "dataset"
        case .tensors: "tensor"
        case .caches: "cache"
        case .derived: "derived"
        }
    }
}
