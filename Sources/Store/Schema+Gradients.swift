/// The step "v2": examples may have weights; datasets need no inputs and checkpoints no tensors where the gradients were computed
/// elsewhere.
extension Schema {
    /// SQLite changes no CHECK of a table in place, so the table is made anew, as https://www.sqlite.org/lang_altertable.html
    /// section 7 has it. The migrator holds foreign keys off meanwhile and checks them afterwards. The ids that were ever given
    /// out go along, so that none is given out again.
    static let datasetsWithWeights = """
        CREATE TABLE dataset_v2 (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            element_type TEXT NOT NULL,
            example_shape TEXT NOT NULL,
            divisor REAL NOT NULL CHECK (divisor > 0),
            row_count INTEGER NOT NULL CHECK (row_count > 0),
            row_bytes INTEGER NOT NULL CHECK (row_bytes >= 0),
            target_type TEXT NOT NULL CHECK (target_type IN ('int32', 'float32')),
            target_shape TEXT NOT NULL,
            target_row_bytes INTEGER NOT NULL CHECK (target_row_bytes >= 0),
            has_weights INTEGER NOT NULL CHECK (has_weights IN (0, 1)),
            sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
            created_at INTEGER NOT NULL
        ) STRICT;
        INSERT INTO dataset_v2
            SELECT id, name, element_type, example_shape, divisor, row_count, row_bytes, target_type, target_shape,
                target_row_bytes, 0, sha256, created_at
            FROM dataset;
        DELETE FROM sqlite_sequence WHERE name = 'dataset_v2';
        INSERT INTO sqlite_sequence (name, seq) SELECT 'dataset_v2', seq FROM sqlite_sequence WHERE name = 'dataset';
        DROP TABLE dataset;
        ALTER TABLE dataset_v2 RENAME TO dataset;
        """

    /// Where there are no tensors, the checkpoint's digest was given, and cannot be computed again.
    static let checkpointsWithoutTensors =
        "ALTER TABLE checkpoint ADD COLUMN has_tensors INTEGER NOT NULL DEFAULT 1 CHECK (has_tensors IN (0, 1));"
}
