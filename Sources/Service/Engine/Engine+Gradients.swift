internal import Attribution
internal import LinearAlgebra
internal import Networks
internal import Store

/// The training gradients that a request scores with.
struct ChosenGradients: Sendable {
    /// Which gradients. Equal ones serve a scan together.
    enum Source: Hashable, Sendable {
        /// Those that a model has itself at a checkpoint.
        case model(ContentDigest)
        case cache(CacheRecord)
        /// A projected cache's rows as they are: directions are in its space.
        case projected(CacheRecord)
        /// Vectors that a method makes of a checkpoint: what, and all that determines them.
        case derived(String, ContentDigest)

        /// Different for different ones. What determines them comes first: exact gradients lie in one order among those of other checkpoints,
        /// whether a cache holds them or not.
        var name: String {
            switch self {
            case .model(let identity): "\(identity) model"
            case .cache(let record): "\(record.key) cache \(record.kind)"
            case .projected(let record): "\(record.key) projected \(record.kind)"
            case .derived(let kind, let digest): "\(digest) \(kind)"
            }
        }
    }

    /// What answers call them: "exact", or a cache's kind.
    let name: String
    let source: Source
    let gradients: any TrainingGradients
    /// How near their scores come to exact ones; empty for exact gradients.
    let accuracy: GradientCache.Summary

    /// What requests call exact gradients.
    static let exact = "exact"
}

/// A cache, ready to be scored with.
struct CachedGradients: Sendable {
    let gradients: any TrainingGradients
    /// Bytes in memory.
    let byteCount: Int
}

extension Engine {
    /// The caches of a checkpoint, and whether each is stale: made of another checkpoint, dataset or spec, or in another way.
    func caches(of checkpoint: CheckpointRecord, _ model: ModelRecord) throws -> [(record: CacheRecord, isStale: Bool)] {
        let records = try store.caches(of: checkpoint)
        guard !records.isEmpty else { return [] }
        let dataset = try store.dataset(named: model.dataset)
        switch try model.form() {
        case .gradients:
            let key = GradientModel.key(checkpoint: checkpoint, dataset: dataset, spec: model.spec)
            return records.map { ($0, $0.key != key) }
        case .network:
            return records.map { record in
                // What is no kind of ours is somebody else's to judge.
                guard let kind = GradientCacheKind(name: record.kind) else { return (record, false) }
                let cache = GradientCache(kind: kind, model: model, checkpoint: checkpoint, dataset: dataset)
                return (record, record.key != cache.key)
            }
        }
    }

    /// The gradients that a request names: those of a cache by its kind, or exact ones, from the cache of their factors where there is one.
    /// - Throws: `Problem` naming what there is; `StoreError`, `Interrupted`.
    func gradients(of model: LoadedModel, named name: String?, interruption: Interruption) throws -> ChosenGradients {
        let found = try found(name, of: model)
        return ChosenGradients(
            name: found.name, source: found.source, gradients: try load(found, of: model, interruption), accuracy: found.accuracy)
    }

    /// The same, but what a cache holds comes into memory whenever it is read, and may leave it in between: of many checkpoints not all fit.
    /// - Throws: as `gradients`.
    func gradientsOnDemand(
        of model: LoadedModel, named name: String?, interruption: Interruption
    ) throws -> ChosenGradients {
        let found = try found(name, of: model)
        return ChosenGradients(
            name: found.name, source: found.source, gradients: CheckpointGradients(self, model, named: name),
            accuracy: found.accuracy)
    }

    /// What a name stands for, before it is read.
    private struct Found {
        let name: String
        let source: ChosenGradients.Source
        var accuracy = GradientCache.Summary()
        var cache: (record: CacheRecord, kind: GradientCache)?
    }

    private func found(_ name: String?, of model: LoadedModel) throws -> Found {
        let exact = Found(name: ChosenGradients.exact, source: .model(model.identity))
        guard let name, name != ChosenGradients.exact else {
            // A model's own may be all there is, or as good.
            guard model.foreign == nil, let (record, cache) = try find(.factored, of: model) else { return exact }
            return try found(ChosenGradients.exact, cache, record, model)
        }
        if model.foreign != nil {
            // Those that were computed elsewhere, by the name of what holds them.
            let own = try store.cache(of: model.checkpoint, kind: name, key: model.identity)
            guard own != nil else { throw try unknown(name, model) }
            return Found(name: name, source: exact.source)
        }
        guard let kind = GradientCacheKind(name: name), let (record, cache) = try find(kind, of: model)
        else { throw try unknown(name, model) }
        return try found(name, cache, record, model)
    }

    private func found(
        _ name: String, _ cache: GradientCache, _ record: CacheRecord, _ model: LoadedModel
    ) throws -> Found {
        // A softmax regression has its factors in memory already, and kernels of its own for them.
        if cache.kind.form == .factored, try model.network(at: "/gradients").softmax != nil {
            return Found(name: name, source: .model(model.identity), accuracy: record.accuracy)
        }
        return Found(name: name, source: .cache(record), accuracy: record.accuracy, cache: (record, cache))
    }

    private func load(
        _ found: Found, of model: LoadedModel, _ interruption: Interruption
    ) throws -> any TrainingGradients {
        guard let (record, cache) = found.cache else { return model.gradients }
        return try cachedGradients.value(for: record, cost: \.byteCount) {
            try load(record, cache, model.network(at: "/gradients"), interruption)
        }.gradients
    }

    private func find(_ kind: GradientCacheKind, of model: LoadedModel) throws -> (CacheRecord, GradientCache)? {
        let cache = GradientCache(
            kind: kind, model: model.record, checkpoint: model.checkpoint, dataset: model.training.record)
        return try cache.find(in: store, model.network(at: "/gradients").trained).map { ($0, cache) }
    }

    private func unknown(_ name: String, _ model: LoadedModel) throws -> Problem {
        let known = try caches(of: model.checkpoint, model.record).map { record, isStale in
            record.kind + (isStale ? " (stale)" : record.state == .building ? " (building)" : "")
        }
        let list = ([ChosenGradients.exact] + known).joined(separator: ", ")
        return Problem(
            at: "/gradients",
            "must be gradients that checkpoint '\(model.checkpoint.name)' of model '\(model.record.name)' has: \(list); got "
                + "\"\(name)\". Caches that are building or stale are not used; `influenced cache` builds them")
    }

    /// Takes a cache into memory if it fits, and otherwise prepares to stream it.
    private func load(
        _ record: CacheRecord, _ cache: GradientCache, _ network: NetworkModel, _ interruption: Interruption
    ) throws -> CachedGradients {
        let budget = GradientCacheBudget(memoryBytes: memoryBytes)
        let source = StreamedCache(store: store, cache: record, budget: budget.streaming)
        let isResident = record.layout.byteCount <= budget.resident
        let residentBytes = isResident ? record.layout.byteCount : 0
        let kind = cache.kind
        if kind.form == .factored {
            guard isResident else {
                let rows = StreamedRows(source: source, width: network.trained.factorWidth, encoding: kind.encoding)
                return CachedGradients(
                    gradients: FactorRowGradients(model: network.trained, examples: network.examples, rows: rows),
                    byteCount: 1)
            }
            let factors = AlignedMemory<Float>(uninitialized: residentBytes / MemoryLayout<Float>.stride)
            try store.load(record, into: UnsafeMutableRawBufferPointer(factors.elements)) { try interruption.check() }
            return CachedGradients(
                gradients: NetworkGradients(model: network.trained, examples: network.examples, factors: factors),
                byteCount: residentBytes)
        }
        let projection = try kind.projection?.directions(
            of: network.trained.network, memoryBudget: budget.projection, parallel: parallel, interruption: interruption)
        let projectionBytes =
            kind.projection?.byteCount(of: network.trained.network, memoryBudget: budget.projection) ?? 0
        let width = cache.width(of: network.trained)
        let rows: any GradientRows =
            isResident
            ? try source.resident(width: width, encoding: kind.encoding, interruption: interruption)
            : StreamedRows(source: source, width: width, encoding: kind.encoding)
        return CachedGradients(
            gradients: RowGradients(rows: rows, projection: projection), byteCount: max(1, residentBytes + projectionBytes))
    }
}
