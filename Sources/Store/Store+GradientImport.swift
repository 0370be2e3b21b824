public import Formats
public import Foundation
import GRDB

/// The gradients of all training examples at one checkpoint, computed elsewhere: what ``Store/importGradients(_:progress:)`` takes.
public struct ForeignGradients {
    /// The examples whose gradients they are.
    public enum Examples {
        /// Those of a dataset that is there.
        case existing(dataset: String)
        /// A dataset without inputs that is made of them.
        case new(dataset: String, targets: Tensor?, annotations: [ExampleAnnotation])

        /// The dataset's name.
        public var dataset: String {
            switch self {
            case .existing(let dataset), .new(let dataset, _, _): dataset
            }
        }
    }

    /// The examples.
    public var examples: Examples
    /// The model's name, and its spec: one JSON value. A model that is there must have the same.
    public var model, spec: String
    /// The checkpoint's name, and what is known of the training at it.
    public var checkpoint: String, training: TrainingState
    /// The cache that the rows become: its kind, and what rows are.
    public var kind: String, layout: CacheLayout
    /// Makes the cache's key of the records that it depends on.
    public var key: (CheckpointRecord, DatasetRecord) -> ContentDigest
    /// The bytes of some rows, each asked for once and in order.
    public var rows: (Range<Int>) throws -> Data

    /// Gradients with all that belongs to them.
    public init(
        of examples: Examples, model: String, spec: String, checkpoint: String, training: TrainingState, kind: String,
        layout: CacheLayout, key: @escaping (CheckpointRecord, DatasetRecord) -> ContentDigest,
        rows: @escaping (Range<Int>) throws -> Data
    ) {
        (self.examples, self.model, self.spec) = (examples, model, spec)
        (self.checkpoint, self.training) = (checkpoint, training)
        (self.kind, self.layout) = (kind, layout)
        (self.key, self.rows) = (key, rows)
    }
}

extension Store {
    /// Stores gradients that were computed elsewhere: a checkpoint that is known by nothing else, its complete cache, and where they
    /// are new the model and the dataset, all in one transaction, so that an import that fails or is killed leaves no trace.
    ///
    /// The checkpoint's identity is the digest of the rows. While the import runs, the disk must have room for the rows twice.
    ///
    /// - Parameters:
    ///   - gradients: What to store.
    ///   - progress: Told the rows written so far and their number, after each block. If it throws, nothing is stored.
    /// - Returns: The checkpoint's record, without tensors; it is now the model's latest.
    /// - Throws: ``StoreError``: `alreadyExists`, `notFound` for the dataset, `invalid` (with the row of a NaN), `readOnly`, `busy`,
    ///   `diskFull`; and what `gradients.rows` and `progress` throw.
    /// - Complexity: O(bytes), with memory for a few blocks.
    @discardableResult
    public func importGradients(
        _ gradients: ForeignGradients, progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> CheckpointRecord {
        guard isWritable else { throw StoreError.readOnly(path: path) }
        try Names.require(gradients.model, for: .model)
        try Names.require(gradients.checkpoint, for: .checkpoint)
        try Names.require(gradients.kind, for: .cache)
        try Self.check(gradients.training)
        try Self.check(gradients.layout, gradients.kind)
        var draft: DatasetDraft?
        if case .new(let dataset, let targets, let annotations) = gradients.examples {
            try reading { db in try Self.requireNoDataset(named: dataset, in: db) }
            draft = try DatasetDraft(
                name: dataset, count: gradients.layout.rowCount, targets: targets, weights: nil, annotations: annotations)
        }
        return try writing { db in
            let dataset = try dataset(of: gradients, draft, in: db)
            let model = try Self.modelForCheckpoint(
                named: gradients.model, spec: gradients.spec, dataset: dataset.name, in: db)
            let blank = try Self.insertRecord(named: gradients.checkpoint, of: model, gradients.training, in: db)
            // The keys of both are known when all rows have been seen.
            let cache = try Self.insertRecord(
                ofCache: gradients.kind, of: blank, key: blank.sha256, gradients.layout, summary: "{}", state: .complete, in: db)
            let identity = try write(gradients, as: cache.blocks, in: db, progress: progress)
            let checkpoint = try Self.declareWithoutTensors(blank, identity: identity, in: db)
            try db.execute(
                sql: "UPDATE cache SET key = ? WHERE id = ?", arguments: [gradients.key(checkpoint, dataset).bytes, cache.id])
            return checkpoint
        }
    }

    private func dataset(of gradients: ForeignGradients, _ draft: DatasetDraft?, in db: Database) throws -> DatasetRecord {
        if let draft { return try write(draft, in: db, progress: { _, _ in }) }
        let dataset = try Self.dataset(named: gradients.examples.dataset, in: db)
        guard dataset.rowCount == gradients.layout.rowCount else {
            throw StoreError.invalid(
                what: "gradients",
                reason: "there are \(gradients.layout.rowCount), but dataset '\(dataset.name)' has \(dataset.rowCount) examples",
                change: "give one row for each example, in the dataset's order")
        }
        return dataset
    }

    /// Writes the rows.
    ///
    /// - Returns: The digest of them all.
    private func write(
        _ gradients: ForeignGradients, as blocks: BlockSequence, in db: Database, progress: (Int, Int) throws -> Void
    ) throws -> ContentDigest {
        let layout = gradients.layout
        var hasher = ContentHasher()
        for part in ["gradients", layout.elementType.rawValue, "\(layout.rowCount)", "\(layout.rowByteCount)"] {
            hasher.update(text: part)
        }
        let step = blocks.rowsPerBlock(ofAbout: blockByteCount)
        for first in stride(from: 0, to: layout.rowCount, by: step) {
            let rows = first..<min(first + step, layout.rowCount)
            let bytes = try gradients.rows(rows)
            guard bytes.count == rows.count * layout.rowByteCount else {
                throw StoreError.invalid(
                    what: "gradients",
                    reason: "\(bytes.count) bytes are not \(rows.count) rows of \(layout.rowByteCount) bytes",
                    change: "give whole rows")
            }
            if let flaw = bytes.withUnsafeBytes({ FiniteScan.firstNonFinite(in: $0, layout.elementType) }) {
                let width = layout.rowByteCount / layout.elementType.byteCount
                throw StoreError.invalid(
                    what: "gradients, row \(first + flaw / width), column \(flaw % width)",
                    reason: "the value is NaN or infinite",
                    change: "compute that example's gradient anew, or leave the example out")
            }
            hasher.update(bytes: bytes)
            try blocks.append(rows, bytes, sha256: ContentDigest(of: bytes), to: db)
            try progress(rows.upperBound, layout.rowCount)
        }
        return hasher.finalize()
    }
}
