internal import Attribution
internal import Foundation
internal import HTTPTypes
internal import InverseCurvature
internal import JSON
public import LinearAlgebra
internal import Networks
public import Store

/// Answers questions from a store: what the HTTP routes, the command line and tests all call. It knows nothing of HTTP.
///
/// Datasets, models and derived quantities are loaded on first use, once however many ask, and kept within the configured memory.
public final class Engine: Sendable {
    /// Where everything comes from.
    public let store: Store
    /// How many threads one computation uses.
    public let parallel: Parallel
    /// Bytes that what is kept in memory may take.
    let memoryBytes: Int

    private let datasets: OnceCache<DatasetRecord, LoadedDataset>
    private let models: OnceCache<CheckpointRecord, LoadedModel>
    let curvatures: OnceCache<CurvatureKey, CurvatureOfModel>
    let preparations: OnceCache<PreparedKey, any Prepared>
    let diagonals: OnceCache<CurvatureKey, [Float]>
    let preconditionedSpectra: OnceCache<PreconditionedKey, PreconditionedSpectrum>
    let softmaxRows: OnceCache<ContentDigest, SoftmaxFisherRows>
    let spectra: OnceCache<CurvatureKey, CheckpointSpectrum>
    let cachedGradients: OnceCache<CacheRecord, CachedGradients>
    let filtered: OnceCache<FilteredKey, [UInt32]>
    let marginWeightsOfModels: OnceCache<ContentDigest, [Double]>
    let representers: OnceCache<PreparedKey, RepresenterPoints>
    let gradientNorms: OnceCache<ChosenGradients.Source, GradientNorms>
    let layerFeatures: OnceCache<LayerKey, FeatureRows>
    let solutions: SolutionCache
    let counters = EngineCounters()

    /// An engine on a store; half of `memoryBytes` is for datasets, a quarter for gradient caches, a quarter for models and what is
    /// derived of them. s_test vectors are kept beside that, in `solutionCacheBytes`.
    public init(store: Store, parallel: Parallel, memoryBytes: Int, solutionCacheBytes: Int = 0) {
        solutions = SolutionCache(capacity: solutionCacheBytes)
        self.store = store
        self.parallel = parallel
        self.memoryBytes = memoryBytes
        layerFeatures = OnceCache(capacity: memoryBytes / 32)
        filtered = OnceCache(capacity: memoryBytes / 256)
        marginWeightsOfModels = OnceCache(capacity: memoryBytes / 128)
        let representers = OnceCache<PreparedKey, RepresenterPoints>(capacity: memoryBytes / 64)
        self.representers = representers
        gradientNorms = OnceCache(capacity: memoryBytes / 128)
        let preparations = OnceCache<PreparedKey, any Prepared>(capacity: memoryBytes / 32 * 3)
        self.preparations = preparations
        diagonals = OnceCache(capacity: memoryBytes / 64)
        preconditionedSpectra = OnceCache(capacity: memoryBytes / 1024)
        let softmaxRows = OnceCache<ContentDigest, SoftmaxFisherRows>(capacity: memoryBytes / 64)
        self.softmaxRows = softmaxRows
        spectra = OnceCache(capacity: memoryBytes / 1024)
        // What goes takes with it what holds it, or its memory would stay, and nobody would count it.
        let curvatures = OnceCache<CurvatureKey, CurvatureOfModel>(capacity: memoryBytes / 16)
        let cachedGradients = OnceCache<CacheRecord, CachedGradients>(
            capacity: GradientCacheBudget(memoryBytes: memoryBytes).resident
        ) { record, _ in curvatures.remove { key, _ in key.identity == record.key } }
        let models = OnceCache<CheckpointRecord, LoadedModel>(capacity: memoryBytes / 16) { checkpoint, model in
            curvatures.remove { key, _ in key.identity == model.identity }
            softmaxRows.remove { identity, _ in identity == model.identity }
            preparations.remove { key, _ in key.identity == model.identity }
            representers.remove { key, _ in key.identity == model.identity }
            cachedGradients.remove { record, _ in
                (record.model, record.checkpoint, record.kind)
                    == (checkpoint.model, checkpoint.name, GradientCacheKind.factored.name)
            }
        }
        datasets = OnceCache(capacity: memoryBytes / 2) { record, _ in
            models.remove { _, model in model.training.features != nil && model.training.record == record }
        }
        (self.models, self.curvatures, self.cachedGradients) = (models, curvatures, cachedGradients)
    }

    /// Bytes of what is held in memory: data, models, curvatures, prepared solvers and s_test vectors.
    public var heldBytes: Int {
        datasets.totalCost + models.totalCost + curvatures.totalCost + preparations.totalCost + diagonals.totalCost
            + softmaxRows.totalCost + spectra.totalCost + gradientNorms.totalCost + marginWeightsOfModels.totalCost
            + filtered.totalCost
            + representers.totalCost + layerFeatures.totalCost + cachedGradients.totalCost
            + solutions.size.byteCount
    }

    /// A dataset's examples, in memory.
    func dataset(_ record: DatasetRecord, interruption: Interruption = .never) throws -> LoadedDataset {
        try datasets.value(for: record, cost: \.byteCount) {
            try LoadedDataset(record, from: store, interruption: interruption)
        }
    }

    /// A model at a checkpoint, in memory. `pointer`s say where in the request the names stand.
    /// - Parameter isForNetwork: whether it is of no use without a network, and its gradients need not be read to say so.
    /// - Throws: `Problem`, also for one that is larger than the memory for it; `StoreError`, `Interrupted`.
    func model(
        _ name: String, checkpoint: String?, isForNetwork: Bool = false, interruption: Interruption = .never
    ) throws -> LoadedModel {
        let (record, checkpoint) = try records(name, checkpoint: checkpoint)
        let budget = MemoryBudget(bytes: memoryBytes)
        let model = try models.value(for: checkpoint, cost: \.byteCount) {
            let dataset = try store.dataset(named: record.dataset)
            switch try record.form() {
            case .network(let spec):
                try budget.require(dataset.loadedByteCount, of: .half, for: "the examples of dataset '\(dataset.name)'")
                return try LoadedModel(
                    record, checkpoint, spec, training: self.dataset(dataset, interruption: interruption), store: store,
                    budget: budget, parallel: parallel, interruption: interruption)
            case .gradients where isForNetwork: throw Problem.noNetwork(name, at: "/model", "can't be evaluated")
            case .gradients(let spec):
                return try LoadedModel(
                    record, checkpoint, spec, dataset: dataset, store: store, budget: budget, interruption: interruption)
            }
        }
        // Its examples are in use as long as it is.
        datasets.touch(model.training.record)
        return model
    }

    /// The records of a model and of the checkpoint asked for, the latest by default.
    /// - Throws: 404 naming what there is.
    func records(_ name: String, checkpoint: String?, at pointer: String = "/model") throws -> (ModelRecord, CheckpointRecord) {
        let record = try lookUp(pointer, "unknown-model") { try store.model(named: name) }
        let checkpoints = try store.checkpoints(of: record)
        guard let checkpoint else {
            guard let latest = checkpoints.max(by: { $0.sequence < $1.sequence }) else {
                throw Problem(.notFound, "unknown-checkpoint", at: "/model", "model '\(name)' has no checkpoints")
            }
            return (record, latest)
        }
        guard let found = checkpoints.first(where: { $0.name == checkpoint }) else {
            throw Problem(
                .notFound, "unknown-checkpoint", at: "/checkpoint",
                "model '\(name)' has no checkpoint '\(checkpoint)'; there are: \(checkpoints.map(\.name).joined(separator: ", "))"
            )
        }
        return (record, found)
    }

    /// The record of the dataset that a request names.
    func datasetRecord(_ name: String, at pointer: String) throws -> DatasetRecord {
        try lookUp(pointer, "unknown-dataset") { try store.dataset(named: name) }
    }

    private func lookUp<Record>(_ pointer: String, _ kind: String, _ body: () throws -> Record) throws -> Record {
        do {
            return try body()
        } catch let error as StoreError {
            guard case .notFound = error else { throw error }
            // Without a place there is no body: the name was in the path, or on the command line.
            throw pointer.isEmpty
                ? Problem(.notFound, kind, error.description) : Problem(.notFound, kind, at: pointer, error.description)
        }
    }
}
