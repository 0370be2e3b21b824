internal import Attribution
internal import Formats
internal import HTTPTypes
internal import LinearAlgebra
internal import Store

/// A checkpoint that is known by the gradients of its training examples alone, which were computed elsewhere.
struct GradientModel: Sendable {
    /// gᵢ, in memory.
    let rows: ResidentRows
    /// What all derived quantities of this checkpoint depend on.
    let identity: ContentDigest

    /// How many bytes the rows take.
    let byteCount: Int

    /// How rows may be stored.
    private static let encodings: [RowEncoding] = [.float32, .float16, .bfloat16]

    /// The kind of the cache that holds rows of a type.
    static func cacheKind(_ type: ElementType) -> String { "dense-\(type.rawValue)" }

    /// The key of the cache that holds the rows.
    static func key(checkpoint: CheckpointRecord, dataset: DatasetRecord, spec: String) -> ContentDigest {
        ContentDigest(ofParts: ["foreign gradients 1", checkpoint.sha256.description, dataset.sha256.description, spec])
    }

    /// Reads the rows.
    /// - Throws: `StoreError`, `Interrupted`; 422 where they are more than the budget allows; 500 where the store has lost them.
    init(
        _ model: ModelRecord, _ checkpoint: CheckpointRecord, _ dataset: DatasetRecord, _ spec: GradientSpec, store: Store,
        budget: MemoryBudget, interruption: Interruption
    ) throws {
        let key = Self.key(checkpoint: checkpoint, dataset: dataset, spec: model.spec)
        identity = key
        for encoding in Self.encodings {
            guard let cache = try store.cache(of: checkpoint, kind: "dense-\(encoding.rawValue)", key: key) else { continue }
            let layout = cache.layout
            guard layout.rowCount == dataset.rowCount, try layout.rowByteCount == encoding.rowByteCount(width: spec.width) else {
                break
            }
            byteCount = layout.byteCount
            try budget.require(
                byteCount, of: .quarter, for: "the gradients of checkpoint '\(checkpoint.name)' of model '\(model.name)'")
            rows = try StreamedCache(store: store, cache: cache, budget: 64 << 20).resident(
                width: spec.width, encoding: encoding, interruption: interruption)
            return
        }
        throw Problem(
            .internalServerError, "damaged-store",
            "the gradients of checkpoint '\(checkpoint.name)' of model '\(model.name)' are not in the store; import them into another, or restore "
                + "this one from a copy")
    }

    /// gᵢ of one example.
    func gradient(of row: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: rows.width) { buffer, initialized in
            if let start = buffer.baseAddress { rows.rows.decode(row..<row + 1, into: start) }
            initialized = rows.width
        }
    }
}
