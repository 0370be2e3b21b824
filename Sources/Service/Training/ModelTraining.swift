internal import Formats
internal import Foundation
internal import JSON
internal import LinearAlgebra
public import Networks
internal import Store

/// A model's training in a store: begun, or taken up where it was interrupted.
///
/// Checkpoints are stored as they settle, and nothing that was stored is ever replaced. The run is kept in a file beside the store
/// (`STORE.MODEL.training`) until it is complete, so that the same call goes on after an interruption, to the same bits as if there had
/// been none.
public struct ModelTraining {
    /// What to train, and how.
    public struct Request: Sendable {
        /// What the model is called.
        public var name: String
        /// The model's spec: a JSON file.
        public var specFile: String
        /// The dataset's name in the store.
        public var dataset: String
        /// How it is trained. The seed also names the initial parameters.
        public var settings: TrainingSettings
        /// A safetensors file with the parameters to begin with; nil for those of `Network.initialParameters(seed:)`.
        public var startFile: String?
        /// Whether a run that was begun is discarded. Checkpoints that it has stored are not.
        public var restarts = false
        /// Seconds from one save of the run to the next, at least.
        public var saveInterval = 5.0
        /// The part of the time that saving may take.
        var savingShare = 0.05
        /// Seconds that an epoch is never broken off before, in order to be saved; it grows where nothing comes to an end in them.
        var patience = 1.0

        /// What to train, and how.
        public init(name: String, specFile: String, dataset: String, settings: TrainingSettings) {
            self.name = name
            self.specFile = specFile
            self.dataset = dataset
            self.settings = settings
        }
    }

    /// What is asked.
    public let request: Request
    /// What is trained.
    public let network: Network
    /// Whether a run goes on that was begun before.
    public let isResumed: Bool
    /// Tensors of the file to begin with that the model does not have.
    public let extraTensors: [String]

    let engine: Engine
    let file: TrainingFile
    let record: DatasetRecord
    let start: (trained: [Float], fixed: [Float])
    var saved: SavedTraining

    /// n.
    public var exampleCount: Int { record.rowCount }
    /// Epochs that are done.
    public var epoch: Int { saved.run.epoch }

    /// Checks everything that can be checked before the first step, and takes up the run that was begun, if there is one.
    /// - Throws: `TrainingError.invalid`, `FormatError`, `StoreError`, `ModelTrainingError`.
    public init(_ request: Request, in engine: Engine) throws {
        try request.settings.validate()
        let store = engine.store
        record = try store.dataset(named: request.dataset)
        let given = try Self.model(request, record, store)
        network = given.network
        start = try network.split(given.tensors)
        extraTensors = given.extraTensors
        let objective = NetworkObjective(network, fixed: start.fixed, on: try engine.dataset(record).labeled)
        let run = try TrainingRun(request.settings, of: objective, from: start.trained)
        let fresh = SavedTraining(
            spec: given.spec, dataset: record.name, datasetDigest: record.sha256.description,
            startDigest: Self.digest(of: start), run: run)

        // The name becomes part of a path: the store's rules for names come first.
        try Self.rehearse(given, in: store)
        file = try TrainingFile(path: TrainingFile.path(model: request.name, store: store))
        let begun = try Self.begun(request, fresh, file, store)
        isResumed = begun != nil
        saved = begun ?? fresh
        self.request = request
        self.engine = engine
    }

    /// The model with its initial parameters, which are found fit for each other and for the dataset.
    private static func model(_ request: Request, _ record: DatasetRecord, _ store: Store) throws -> ModelImport {
        if let startFile = request.startFile {
            return try ModelImport(
                name: request.name, specFile: request.specFile, parametersFile: startFile, dataset: record.name, store: store)
        }
        let spec = try SpecFile.text(path: request.specFile)
        let network = try Network(specText: spec, exampleShape: record.exampleShape, file: request.specFile)
        let start = network.initialParameters(seed: request.settings.seed)
        return try ModelImport(
            name: request.name, spec: spec, specFile: request.specFile, tensors: network.named(start.trained, start.fixed),
            parametersFile: request.specFile, dataset: record, store: store)
    }

    /// Has the store refuse now what it would refuse at the first checkpoint, and takes it back.
    private static func rehearse(_ model: ModelImport, in store: Store) throws {
        struct Rehearsed: Error {}
        do {
            try model.write(checkpoint: "rehearsal-\(UUID())", training: TrainingState(), to: store) { _, _ in throw Rehearsed() }
        } catch is Rehearsed {}
    }

    /// The run that was begun; nil where there is none, or it is to be discarded.
    private static func begun(
        _ request: Request, _ fresh: SavedTraining, _ file: TrainingFile, _ store: Store
    ) throws -> SavedTraining? {
        let model = try store.models().first { $0.name == request.name }
        let checkpoints = try model.map { try store.checkpoints(of: $0).map(\.name) } ?? []
        guard let bytes = try file.read() else {
            guard let model else { return nil }
            throw ModelTrainingError.modelExists(name: model.name, dataset: model.dataset, checkpoints: checkpoints)
        }
        if request.restarts {
            guard model != nil else { return nil }
            throw ModelTrainingError.keepsCheckpoints(path: file.path, checkpoints: checkpoints)
        }
        let begun: SavedTraining
        do throws(SavedTraining.Unusable) {
            begun = try SavedTraining(decoding: bytes)
        } catch {
            throw ModelTrainingError.unusable(path: file.path, reason: error.reason, checkpoints: checkpoints)
        }
        let differences = fresh.differences(from: begun)
        guard differences.isEmpty else {
            throw ModelTrainingError.otherRun(path: file.path, differences: differences, checkpoints: checkpoints)
        }
        return begun
    }

    private static func digest(of start: (trained: [Float], fixed: [Float])) -> String {
        let numbers = start.trained + start.fixed
        return numbers.withUnsafeBytes { ContentDigest(of: Data($0)).description }
    }
}

extension SavedTraining {
    /// Where a run that was begun differs from this one, which is asked for.
    fileprivate func differences(from begun: SavedTraining) -> [TrainingDifference] {
        var differences: [TrainingDifference] = []
        if begun.dataset != dataset {
            differences.append(TrainingDifference(setting: "dataset", begun: begun.dataset, asked: dataset))
        } else if begun.datasetDigest != datasetDigest {
            differences.append(TrainingDifference(setting: "dataset"))
        }
        if (try? JSON(parsing: begun.spec)) != (try? JSON(parsing: spec)) {
            differences.append(TrainingDifference(setting: "spec"))
        }
        differences += run.settings.differences(from: begun.run.settings)
        // Other initial parameters follow from another spec or another seed, too.
        if differences.isEmpty, begun.startDigest != startDigest { differences.append(TrainingDifference(setting: "from")) }
        return differences
    }
}
