internal import Attribution
internal import Formats
internal import Foundation
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// A cache of one kind of a checkpoint's gradients: a row for each training example.
struct GradientCache: Sendable {
    /// What is measured when a cache is finished, and kept with it.
    struct Summary: Codable, Equatable, Sendable {
        /// ‖ŝ − s‖ / ‖s‖ of scores, on a sample; nil for exact gradients, and where nothing could be said.
        var relativeScoreError: Double?
        /// The mean rank correlation with exact scores, on the same sample.
        var rankCorrelation: Double?

        private enum CodingKeys: String, CodingKey {
            case relativeScoreError = "relative_score_error"
            case rankCorrelation = "rank_correlation"
        }

        /// What answers say of it, as the interface's document has it.
        static var fields: Schema.Members {
            [
                CodingKeys.relativeScoreError.rawValue: OpenAPIDocument.relativeScoreError,
                CodingKeys.rankCorrelation.rawValue: OpenAPIDocument.rankCorrelation,
            ]
        }

        /// What answers and the catalogue show of it.
        var members: [(name: String, value: JSON)] {
            [(CodingKeys.relativeScoreError, relativeScoreError), (.rankCorrelation, rankCorrelation)].compactMap { key, number in
                number.map { (key.rawValue, .double($0)) }
            }
        }
    }

    let kind: GradientCacheKind
    let model: ModelRecord
    let checkpoint: CheckpointRecord
    let dataset: DatasetRecord

    /// What the rows depend on: another checkpoint, dataset or spec makes a cache stale, and so does another way to compute it, for which
    /// the number in front is raised.
    var key: ContentDigest {
        let parts = [checkpoint.sha256.description, dataset.sha256.description, model.spec]
        return kind.form == .factored
            ? ContentDigest(ofParts: ["gradients 2"] + parts) : ContentDigest(ofParts: ["gradient rows 1"] + parts + [kind.name])
    }

    /// Numbers in a row.
    func width(of network: TrainedNetwork) -> Int {
        switch kind.form {
        case .factored: network.factorWidth
        case .dense: network.network.parameterCount
        case .projected: kind.projection?.dimension ?? 0
        }
    }

    /// What the store is to keep.
    /// - Throws: `EncodingError` for rows that are too large.
    func layout(of network: TrainedNetwork) throws -> CacheLayout {
        CacheLayout(
            elementType: kind.encoding.elementType, rowCount: dataset.rowCount,
            rowByteCount: try kind.encoding.rowByteCount(width: width(of: network)))
    }

    /// The cache, if it is there, complete, and of this checkpoint, dataset and spec.
    func find(in store: Store, _ network: TrainedNetwork) throws -> CacheRecord? {
        guard let cache = try store.cache(of: checkpoint, kind: kind.name, key: key), try cache.layout == layout(of: network)
        else { return nil }
        return cache
    }
}

extension RowEncoding {
    /// What the store takes the elements for. Scales lie behind those of `int8`.
    var elementType: ElementType {
        switch self {
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .int8: .int8
        }
    }
}

extension CacheRecord {
    /// What was measured of the cache; empty where it says nothing that we know.
    var accuracy: GradientCache.Summary {
        (try? JSONDecoder().decode(GradientCache.Summary.self, from: Data(summary.utf8))) ?? GradientCache.Summary()
    }
}

/// How much memory work on caches may take, out of what an engine has.
struct GradientCacheBudget: Sendable {
    /// Random numbers of projections that are kept.
    let projection: Int
    /// Gradients that are written out at a time.
    let gradients: Int
    /// Rows that are read in one go and stay in memory; caches that are larger stream.
    let resident: Int
    /// Blocks on their way past.
    let streaming: Int

    init(memoryBytes: Int) {
        projection = min(ProjectionType.memoryBudget, memoryBytes / 8)
        gradients = min(128 << 20, memoryBytes / 8)
        resident = memoryBytes / 4
        streaming = memoryBytes / 16
    }
}
