import GRDB

extension Store {
    /// All datasets, by name.
    ///
    /// - Throws: ``StoreError``.
    public func datasets() throws -> [DatasetRecord] {
        try reading { db in try Row.fetchAll(db, sql: "SELECT * FROM dataset ORDER BY name").map(DatasetRecord.init) }
    }

    /// The dataset called `name`.
    ///
    /// - Throws: ``StoreError``: `notFound` with the names most like it.
    public func dataset(named name: String) throws -> DatasetRecord {
        try lookingUp { db in try Self.dataset(named: name, in: db) }
    }

    /// Copies the inputs of `rows` into `destination`: row after row, elements as they were imported, not divided.
    ///
    /// - Parameters:
    ///   - dataset: The dataset, as this store gave it.
    ///   - rows: Rows, from 0.
    ///   - destination: Exactly `rows.count × dataset.rowByteCount` bytes, of any alignment.
    ///   - verifying: Whether each block read is compared with its SHA-256, which takes longer than reading it does.
    /// - Throws: ``StoreError``: `outOfRange`, `invalid` for a buffer of another length, `corrupt`.
    /// - Complexity: O(bytes), in one copy from the database's memory; at least a block of about 4 MiB.
    public func readInputs(
        of dataset: DatasetRecord, rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer, verifying: Bool = true
    ) throws {
        try reading { db in try dataset.inputs.read(rows, into: destination, verifying: verifying, from: db) }
    }

    /// Copies the targets of `rows` into `destination`: row after row, `int32` or `float32` elements.
    ///
    /// - Parameters:
    ///   - dataset: The dataset, as this store gave it.
    ///   - rows: Rows, from 0.
    ///   - destination: Exactly `rows.count × dataset.targetRowByteCount` bytes, of any alignment.
    ///   - verifying: Whether each block read is compared with its SHA-256.
    /// - Throws: ``StoreError``: `outOfRange`, `invalid` for a buffer of another length, `corrupt`.
    public func readTargets(
        of dataset: DatasetRecord, rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer, verifying: Bool = true
    ) throws {
        try reading { db in try dataset.targets.read(rows, into: destination, verifying: verifying, from: db) }
    }

    /// Copies the weights of `rows` into `destination`, one `float32` for each.
    ///
    /// - Parameters:
    ///   - dataset: The dataset, as this store gave it, with ``DatasetRecord/hasWeights``.
    ///   - rows: Rows, from 0.
    ///   - destination: Exactly `rows.count × 4` bytes, of any alignment.
    ///   - verifying: Whether each block read is compared with its SHA-256.
    /// - Throws: ``StoreError``: `outOfRange`, `invalid` for a dataset without weights or a buffer of another length, `corrupt`.
    public func readWeights(
        of dataset: DatasetRecord, rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer, verifying: Bool = true
    ) throws {
        guard dataset.hasWeights else {
            throw StoreError.invalid(
                what: "dataset '\(dataset.name)'", reason: "its examples have no weights", change: "count each example as 1")
        }
        try reading { db in try dataset.weights.read(rows, into: destination, verifying: verifying, from: db) }
    }

    /// The annotations of the examples at `indices`, in that order; with neither id nor metadata where none were imported.
    ///
    /// - Parameter checkCancellation: Asked every few hundred examples. If it throws, all ends.
    /// - Throws: ``StoreError``: `outOfRange` for an index the dataset does not have; what `checkCancellation` throws.
    /// - Complexity: O(indices × log examples).
    public func annotations(
        of dataset: DatasetRecord, at indices: [Int], checkCancellation: () throws -> Void = {}
    ) throws -> [ExampleAnnotation] {
        for index in indices where index < 0 || index >= dataset.rowCount {
            let row = min(index, .max - 1)
            throw StoreError.outOfRange(what: "dataset '\(dataset.name)'", rows: row..<row + 1, count: dataset.rowCount)
        }
        return try reading { db in
            let statement = try db.cachedStatement(
                sql: "SELECT example_id, metadata FROM example WHERE dataset = ? AND position = ?")
            return try indices.enumerated().map { place, index in
                if place % 256 == 0 { try checkCancellation() }
                guard let row = try Row.fetchOne(statement, arguments: [dataset.id, index]) else {
                    return ExampleAnnotation(index: index)
                }
                return ExampleAnnotation(
                    index: index, id: try row.decode(String?.self, atIndex: 0), metadata: try row.decode(String?.self, atIndex: 1)
                )
            }
        }
    }

    static func dataset(named name: String, in db: Database) throws -> DatasetRecord {
        if Names.isValid(name),
            let row = try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM dataset WHERE name = ?"), arguments: [name])
        {
            return try DatasetRecord(row)
        }
        let names = try String.fetchAll(db, sql: "SELECT name FROM dataset ORDER BY name")
        throw StoreError.notFound(kind: .dataset, name: name, within: nil, nearby: Names.nearest(to: name, among: names))
    }
}
