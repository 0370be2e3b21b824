public import Formats
internal import Foundation
internal import JSON
internal import LinearAlgebra
public import Store

/// The gradients of all training examples that were computed elsewhere, on their way from a file into the store.
public struct GradientImport: Sendable {
    /// How a file is laid out that does not say it itself.
    public struct FlatLayout: Sendable {
        /// [n, d].
        public let shape: [Int]
        /// How each number is stored.
        public let elementType: ElementType

        /// A layout.
        public init(shape: [Int], elementType: ElementType) {
            self.shape = shape
            self.elementType = elementType
        }
    }

    /// Files with what is known of the examples beside their gradients.
    public struct Examples: Sendable {
        /// One label or value each.
        public var targets: DatasetImport.Source?
        /// What the model put out for each: one number, or several.
        public var outputs: DatasetImport.Source?
        /// The loss of each.
        public var losses: DatasetImport.Source?
        /// A JSON object a line.
        public var metadata: String?

        /// Files, each of which may be missing.
        public init(
            targets: DatasetImport.Source? = nil, outputs: DatasetImport.Source? = nil, losses: DatasetImport.Source? = nil,
            metadata: String? = nil
        ) {
            (self.targets, self.outputs, self.losses, self.metadata) = (targets, outputs, losses, metadata)
        }

        var isEmpty: Bool { targets == nil && outputs == nil && losses == nil && metadata == nil }
    }

    /// Where the gradients are to go, and what belongs to them.
    public struct Destination: Sendable {
        /// The model, which is made where it is new.
        public var model: String
        /// The dataset that the rows are of; nil for the model's own, or a new one of the model's name.
        public var dataset: String?
        /// What the checkpoint is called.
        public var checkpoint: String
        /// What is known of the training at that point.
        public var training: TrainingState
        /// The objective's L2 factor; nil for the model's, or 0.
        public var weightDecay: Double?

        /// A destination.
        public init(
            model: String, dataset: String? = nil, checkpoint: String, training: TrainingState = TrainingState(),
            weightDecay: Double? = nil
        ) {
            (self.model, self.dataset, self.checkpoint) = (model, dataset, checkpoint)
            (self.training, self.weightDecay) = (training, weightDecay)
        }
    }

    let file: String
    /// [n, d].
    let gradients: Tensor
    let targets: Tensor?
    let annotations: [ExampleAnnotation]
    private let hasExamples: Bool

    /// n.
    public var count: Int { gradients.rowCount }
    /// d.
    public var width: Int { gradients.rowWidth }
    /// How the numbers are stored in the file.
    public var fileType: ElementType { gradients.elementType }
    /// How they will be stored: as in the file where scans can read that, and in single precision otherwise.
    public var storedType: ElementType { gradients.elementType == .float64 ? .float32 : gradients.elementType }

    /// Reads the files; the gradients themselves stay on the disk until they are written.
    /// - Throws: `FormatError` naming the file and what is wrong with it.
    public init(gradients: DatasetImport.Source, layout: FlatLayout? = nil, examples: Examples = Examples()) throws {
        file = gradients.path
        let rows = try Self.read(gradients, layout)
        self.gradients = rows
        let files = ExampleFiles(count: rows.rowCount, kept: 0..<rows.rowCount, countedIn: file)
        targets = try examples.targets.map(files.targets)
        var notes = try examples.metadata.map(files.notes) ?? []
        for (key, unit, source) in [("output", "an output", examples.outputs), ("loss", "a loss", examples.losses)] {
            guard let source else { continue }
            if notes.isEmpty { notes = Array(repeating: ExampleNote(metadata: [:]), count: rows.rowCount) }
            for (row, value) in try files.values(source, unit, isSingle: key == "loss").enumerated() {
                guard notes[row].metadata[key] == nil else {
                    throw FormatError(
                        file: examples.metadata ?? "", part: "line \(row + 1)",
                        reason: "has \"\(key)\", which \(source.path) gives too; leave one of them out")
                }
                notes[row].metadata[key] = value
            }
        }
        annotations = notes.annotations
        hasExamples = !examples.isEmpty
    }

    private static func read(_ source: DatasetImport.Source, _ layout: FlatLayout?) throws -> Tensor {
        let tensor: Tensor
        if let layout {
            tensor = try FlatFile.read(path: source.path, shape: layout.shape, elementType: layout.elementType)
        } else {
            do throws(FormatError) {
                tensor = try TensorFile.read(path: source.path, part: source.part)
            } catch {
                let known = ["npy", "npz", "csv", "safetensors", "gz"]
                guard !known.contains(URL(fileURLWithPath: source.path).pathExtension.lowercased()) else { throw error }
                throw FormatError(
                    file: error.file, part: error.part,
                    reason: error.reason + "; of a file of bare numbers, as numpy.memmap leaves it, give the shape and the type")
            }
        }
        guard tensor.shape.count == 2, tensor.rowCount > 0, tensor.rowWidth > 0 else {
            throw FormatError(
                file: source.path,
                reason: "has shape \(tensor.shape); gradients are [examples, numbers], one row for each example")
        }
        guard tensor.elementType.isFloatingPoint else {
            throw FormatError(
                file: source.path,
                reason: "holds \(tensor.elementType.rawValue); gradients are float32, float16, bfloat16 or float64")
        }
        return tensor
    }

    /// Writes everything, or nothing at all: the checkpoint with its gradients, and the model and the dataset where they are new.
    /// - Parameter progress: told the rows that are written, and how many there will be.
    /// - Throws: `FormatError` naming the row of a value that is NaN or infinite; `StoreError`; `Problem` where the model that is there
    ///   is another one.
    @discardableResult
    public func write(
        _ destination: Destination, to store: Store, progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> CheckpointRecord {
        let known = try store.models().first { $0.name == destination.model }
        let spec = try spec(for: destination, known)
        let examples = try examples(for: destination, known, store)
        return try store.importGradients(
            ForeignGradients(
                of: examples, model: destination.model, spec: known?.spec ?? spec.text, checkpoint: destination.checkpoint,
                training: destination.training, kind: GradientModel.cacheKind(storedType),
                layout: CacheLayout(
                    elementType: storedType, rowCount: count, rowByteCount: width * storedType.byteCount),
                key: { GradientModel.key(checkpoint: $0, dataset: $1, spec: known?.spec ?? spec.text) }, rows: bytes),
            progress: progress)
    }

    /// What the model is, which one that is there must agree with.
    private func spec(for destination: Destination, _ known: ModelRecord?) throws -> GradientSpec {
        let given = GradientSpec(width: width, weightDecay: destination.weightDecay ?? 0)
        guard let known else { return given }
        func refusal(_ reason: String) -> FormatError {
            FormatError(file: file, reason: "model '\(known.name)' is there already, and \(reason); choose another model name")
        }
        guard case .gradients(let spec) = try known.form() else { throw refusal("has a network, not gradients") }
        guard spec.width == width else {
            throw refusal("its gradients have \(spec.width) numbers, where these have \(width)")
        }
        guard destination.weightDecay ?? spec.weightDecay == spec.weightDecay else {
            throw refusal("its weight decay is \(spec.weightDecay), not \(given.weightDecay)")
        }
        return spec
    }

    private func examples(
        for destination: Destination, _ known: ModelRecord?, _ store: Store
    ) throws -> ForeignGradients.Examples {
        if let dataset = destination.dataset ?? known?.dataset {
            guard !hasExamples else {
                throw FormatError(
                    file: file,
                    reason:
                        "the rows are of dataset '\(dataset)', which is there already with what is known of its examples: leave "
                        + "targets, outputs, losses and metadata out")
            }
            return .existing(dataset: dataset)
        }
        guard try !store.datasets().contains(where: { $0.name == destination.model }) else {
            throw StoreError.alreadyExists(
                kind: .dataset, name: destination.model, within: nil,
                change: "name it as the dataset if the gradients are of its examples, or choose another model name")
        }
        return .new(dataset: destination.model, targets: targets, annotations: annotations)
    }

    /// Some rows as they will be stored.
    private func bytes(of rows: Range<Int>) throws -> Data {
        let part = try gradients.rows(rows)
        try ValueScan().check(part, firstRow: rows.lowerBound, file: file)
        guard fileType != storedType else { return part.bytes }
        return try part.floats().withUnsafeBytes { Data($0) }
    }
}
