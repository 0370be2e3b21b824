public import Formats
import Foundation
import GRDB

extension Store {
    /// Stores a dataset, whole or not at all.
    ///
    /// The tensors' bytes may be mapped files: they are read a block at a time, once to look for NaN and infinities where the type
    /// can hold them, and once to be written. While the import runs, the disk must have room for its bytes twice.
    ///
    /// - Parameters:
    ///   - name: 1 to 128 of `A-Z a-z 0-9 . _ -`, beginning with a letter or a digit.
    ///   - inputs: One row for each example. The first extent counts the examples; the others are an example's shape.
    ///   - divisor: What the inputs are to be divided by when they are used: 255 for bytes that stand for 0...1.
    ///   - targets: One row for each example: labels as `int32`, values as `float32`.
    ///   - weights: How much each example counts: one `float32` number from 0 up for each, at least one of them above 0. If nil,
    ///     all count the same.
    ///   - annotations: Ids and JSON metadata of those examples that have any, in any order.
    ///   - progress: Told the examples written so far and their number, after each block. If it throws, nothing is stored.
    /// - Returns: The dataset's record.
    /// - Throws: ``StoreError``: `alreadyExists`, `invalid` (what is wrong, with row and column), `readOnly`, `busy`, `diskFull`;
    ///   and what `progress` throws.
    /// - Complexity: O(bytes), with memory for a few blocks.
    @discardableResult
    public func importDataset(
        named name: String, inputs: Tensor, divisor: Double = 1, targets: Tensor, weights: Tensor? = nil,
        annotations: [ExampleAnnotation] = [], progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> DatasetRecord {
        try importDataset(named: name, progress: progress) {
            try DatasetDraft(
                name: name, inputs: inputs, divisor: divisor, targets: targets, weights: weights, annotations: annotations)
        }
    }

    /// Stores a dataset whose examples are known by gradients that were computed elsewhere, and have no inputs, whole or not at
    /// all.
    ///
    /// - Parameters:
    ///   - name: The dataset's name; the rules of dataset names hold.
    ///   - count: The number of examples.
    ///   - targets: As for datasets with inputs; nil if there are none.
    ///   - weights: As for datasets with inputs.
    ///   - annotations: As for datasets with inputs.
    ///   - progress: As for datasets with inputs.
    /// - Returns: The dataset's record, whose example shape is `[0]`.
    /// - Throws: ``StoreError``: `alreadyExists`, `invalid`, `readOnly`, `busy`, `diskFull`; and what `progress` throws.
    @discardableResult
    public func importDataset(
        named name: String, count: Int, targets: Tensor? = nil, weights: Tensor? = nil, annotations: [ExampleAnnotation] = [],
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> DatasetRecord {
        try importDataset(named: name, progress: progress) {
            try DatasetDraft(name: name, count: count, targets: targets, weights: weights, annotations: annotations)
        }
    }

    /// Stores what `draft` makes; it is not asked for one if the name is taken.
    private func importDataset(
        named name: String, progress: (Int, Int) throws -> Void, _ draft: () throws -> DatasetDraft
    ) throws -> DatasetRecord {
        guard isWritable else { throw StoreError.readOnly(path: path) }
        try reading { db in try Self.requireNoDataset(named: name, in: db) }
        let draft = try draft()
        return try writing { db in try write(draft, in: db, progress: progress) }
    }

    /// Writes a dataset as part of a transaction.
    func write(_ draft: DatasetDraft, in db: Database, progress: (Int, Int) throws -> Void) throws -> DatasetRecord {
        try Self.requireNoDataset(named: draft.name, in: db)
        let blank = try insertRecord(of: draft, in: db)
        var hasher = ContentHasher()
        hasher.updateHeader(of: blank)
        try blank.inputs.appendAll(
            of: draft.inputs.bytes, blockByteCount: blockByteCount, to: db, hashing: &hasher,
            wrote: { done in try progress(done, blank.rowCount) })
        try blank.targets.appendAll(
            of: draft.targets.bytes, blockByteCount: blockByteCount, to: db, hashing: &hasher, wrote: { _ in })
        if let weights = draft.weights {
            hasher.updateHeaderOfWeights()
            try blank.weights.appendAll(
                of: weights.bytes, blockByteCount: blockByteCount, to: db, hashing: &hasher, wrote: { _ in })
        }
        try insert(draft.annotations, of: blank, in: db)
        try db.execute(sql: "UPDATE dataset SET sha256 = ? WHERE id = ?", arguments: [hasher.finalize().bytes, blank.id])
        return try Self.dataset(named: draft.name, in: db)
    }

    /// Writes the dataset's record, with a digest that is not its own yet.
    private func insertRecord(of draft: DatasetDraft, in db: Database) throws -> DatasetRecord {
        try db.execute(
            sql: """
                INSERT INTO dataset (name, element_type, example_shape, divisor, row_count, row_bytes,
                    target_type, target_shape, target_row_bytes, has_weights, sha256, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, zeroblob(32), ?)
                """,
            arguments: [
                draft.name, draft.inputs.elementType.rawValue, ShapeText.encode(Array(draft.inputs.shape.dropFirst())),
                draft.divisor, draft.inputs.rowCount, draft.inputs.rowByteCount, draft.targets.elementType.rawValue,
                ShapeText.encode(Array(draft.targets.shape.dropFirst())), draft.targets.rowByteCount, draft.weights != nil,
                Self.now(),
            ])
        return try Self.dataset(named: draft.name, in: db)
    }

    private func insert(_ annotations: [ExampleAnnotation], of dataset: DatasetRecord, in db: Database) throws {
        let insertion = try db.cachedStatement(
            sql: "INSERT INTO example (dataset, position, example_id, metadata) VALUES (?, ?, ?, ?)")
        for annotation in annotations where annotation.id != nil || annotation.metadata != nil {
            if let metadata = annotation.metadata {
                try Self.requireJSON(metadata, "metadata of example \(annotation.index)", in: db)
            }
            try insertion.execute(arguments: [dataset.id, annotation.index, annotation.id, annotation.metadata])
        }
    }

    static func requireNoDataset(named name: String, in db: Database) throws {
        guard try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM dataset WHERE name = ?)", arguments: [name]) != true else {
            throw StoreError.alreadyExists(kind: .dataset, name: name, within: nil, change: "choose another name")
        }
    }

    /// - Throws: ``StoreError/invalid(what:reason:change:)`` unless `text` is one JSON value (RFC 8259).
    static func requireJSON(_ text: String, _ what: String, in db: Database) throws {
        let statement = try db.cachedStatement(sql: "SELECT json_valid(?)")
        guard !text.utf8.contains(0), try Bool.fetchOne(statement, arguments: [text]) == true else {
            throw StoreError.invalid(what: what, reason: "it is not valid JSON", change: "give one JSON value")
        }
    }

    /// Seconds since 1970.
    static func now() -> Int64 { Int64(Date().timeIntervalSince1970) }
}

extension ContentHasher {
    /// Adds what determines the examples besides the bytes of inputs and targets, which are to follow.
    mutating func updateHeader(of dataset: DatasetRecord) {
        update(text: dataset.elementType.rawValue)
        update(text: ShapeText.encode(dataset.exampleShape))
        update(text: "\(dataset.divisor)")
        update(text: dataset.targetType.rawValue)
        update(text: ShapeText.encode(dataset.targetShape))
        update(text: "\(dataset.rowCount)")
    }

    /// Adds what says that the bytes of weights are to follow. Without weights nothing is added, so that the digests of datasets
    /// from before there were any stay as they are.
    mutating func updateHeaderOfWeights() {
        update(text: "weights")
    }
}
