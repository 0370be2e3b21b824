internal import Formats
internal import LinearAlgebra
internal import Networks
public import Store

/// A model's checkpoint on its way into the store: everything about it is checked before anything is written.
public struct ModelImport: Sendable {
    let name: String
    let spec: String
    let network: Network
    let dataset: DatasetRecord
    let tensors: [(name: String, tensor: Tensor)]
    /// Tensors that the file has and the model does not.
    public let extraTensors: [String]

    /// Reads a spec and parameters, and checks that they fit each other and the dataset.
    /// - Throws: `FormatError` naming the file, the tensor and what is wrong; `StoreError` for an unknown dataset.
    public init(name: String, specFile: String, parametersFile: String, dataset: String, store: Store) throws {
        let spec = try SpecFile.text(path: specFile)
        let file = try SafetensorsFile(path: parametersFile)
        try self.init(
            name: name, spec: spec, specFile: specFile,
            tensors: try file.names.map { ($0, try file.tensor(named: $0)) }, parametersFile: parametersFile,
            dataset: store.dataset(named: dataset), store: store)
    }

    /// Checks parts that are in memory.
    init(
        name: String, spec: String, specFile: String, tensors: [(name: String, tensor: Tensor)], parametersFile: String,
        dataset: DatasetRecord, store: Store
    ) throws {
        self.name = name
        self.spec = spec
        self.dataset = dataset
        guard dataset.hasInputs else {
            throw FormatError(
                file: specFile,
                reason:
                    "examples of dataset '\(dataset.name)' have no inputs, only gradients that were computed elsewhere; a network "
                    + "needs the dataset it was trained on")
        }
        network = try Network(specText: spec, exampleShape: dataset.exampleShape, file: specFile)
        let given = Dictionary(tensors.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
        self.tensors = try network.tensors.map { wanted in
            guard let tensor = given[wanted.name] else {
                throw FormatError(
                    file: parametersFile, part: wanted.name, reason: "is missing; the file has: \(Self.list(tensors.map(\.name)))"
                )
            }
            guard tensor.shape == wanted.shape else {
                throw FormatError(
                    file: parametersFile, part: wanted.name,
                    reason: "has shape \(tensor.shape); the spec needs \(wanted.shape)")
            }
            do throws(TensorError) { try Self.check(tensor.floats(), of: wanted) } catch {
                throw FormatError(file: parametersFile, part: wanted.name, error)
            }
            return (wanted.name, tensor)
        }
        let wanted = Set(network.tensors.map(\.name))
        extraTensors = tensors.map(\.name).filter { !wanted.contains($0) }
        try checkDataset(specFile: specFile, store: store)
    }

    /// Some of the names, and how many more there are.
    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(20).joined(separator: ", ")
        return names.count > 20 ? "\(shown) and \(names.count - 20) more" : shown
    }

    /// A variance has a square root.
    private static func check(_ values: [Float], of tensor: NetworkTensor) throws(TensorError) {
        guard tensor.name.hasSuffix(".running_var"), !tensor.isTrained, let element = values.firstIndex(where: { $0 < 0 })
        else { return }
        throw TensorError("element \(element) is \(values[element]); a variance is 0 or more")
    }

    /// The model must be able to take the dataset's inputs, and its loss the dataset's targets.
    private func checkDataset(specFile: String, store: Store) throws {
        guard dataset.width == network.inputWidth else {
            throw FormatError(
                file: specFile,
                reason:
                    "the model takes examples of shape \(network.inputShape), but those of dataset '\(dataset.name)' have shape "
                    + "\(dataset.exampleShape)")
        }
        let targets = try dataset.targets(rows: 0..<dataset.rowCount, from: store)
        if case (.crossEntropy, .values) = (network.loss, targets) {
            throw FormatError(
                file: specFile,
                reason: "cross_entropy needs labels, but targets of dataset '\(dataset.name)' are not whole numbers")
        }
        for row in 0..<targets.count {
            guard let flaw = network.loss.flaw(ofTarget: targets.number(row), outputWidth: network.outputWidth) else { continue }
            throw FormatError(
                file: specFile,
                reason: "the target of row \(row) of dataset '\(dataset.name)' does not suit the model: it \(flaw)")
        }
        guard network.tokenCount != nil else { return }
        // Rows at a time: a dataset may be large.
        for start in stride(from: 0, to: dataset.rowCount, by: 4096) {
            let rows = start..<min(start + 4096, dataset.rowCount)
            let features = try dataset.features(rows: rows, from: store)
            for row in 0..<rows.count {
                guard let flaw = network.tokenFlaw(in: features.values(of: row)) else { continue }
                throw FormatError(file: specFile, reason: "row \(start + row) of dataset '\(dataset.name)' \(flaw)")
            }
        }
    }

    /// Writes the checkpoint, and the model with it where it is new, in one transaction.
    @discardableResult
    public func write(
        checkpoint: String, training: TrainingState, to store: Store,
        progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> CheckpointRecord {
        try store.importCheckpoint(
            named: checkpoint, ofModel: name, spec: spec, trainedOn: dataset.name, tensors: tensors, training: training,
            progress: progress)
    }
}
