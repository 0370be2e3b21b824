internal import ArgumentParser
internal import Formats
internal import Foundation
internal import Service
internal import Store

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings datasets, models and gradients into a store.", subcommands: [Dataset.self, Model.self, Gradients.self])

    func run() throws { throw MissingSubcommand(help: Influenced.helpMessage(for: Self.self)) }

    struct Dataset: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Imports examples from .npy, .npz, idx or .csv files, gzipped or not.")

        @OptionGroup var store: StoreOption
        @Option(help: "What the dataset is called.")
        var name: String
        @Option(help: "The examples' features: one row each.")
        var inputs: String
        @Option(help: "Which array or column of the inputs' file is meant.")
        var inputsPart: String?
        @Option(help: "The examples' targets: one number each.")
        var targets: String
        @Option(help: "Which array or column of the targets' file is meant.")
        var targetsPart: String?
        @Option(help: "How much each example counts: one number from 0 up each, which multiplies its loss.")
        var weights: String?
        @Option(help: "Which array or column of the weights' file is meant.")
        var weightsPart: String?
        @Option(help: "A file with a JSON object a line and example: its id and metadata.")
        var metadata: String?
        @Option(help: "Rows to keep, as A:B; B is not among them.")
        var rows: String?
        @Option(help: "What the numbers are divided by when they are read; they are stored as they are.")
        var divideBy: Double = 1

        func run() throws {
            let range = try rows.map(RowRange.parse)
            guard divideBy.isFinite, divideBy > 0 else { throw ValidationError("--divide-by must be a number above 0") }
            guard weights != nil || weightsPart == nil else { throw ValidationError("--weights-part goes with --weights") }
            let data = try DatasetImport(
                inputs: .init(path: inputs, part: inputsPart), targets: .init(path: targets, part: targetsPart),
                weights: weights.map { .init(path: $0, part: weightsPart) }, metadata: metadata, rows: range, divisor: divideBy)
            let store = try store.openForWriting(createIfMissing: true)
            let progress = ProgressLine("importing \(name)")
            let record = try store.importDataset(
                named: name, inputs: data.inputs, divisor: divideBy, targets: data.targets, weights: data.weights,
                annotations: data.annotations, progress: progress.update)
            progress.finish()
            print(
                "imported dataset '\(name)': \(record.rowCount) examples of shape \(record.exampleShape), "
                    + record.elementType.rawValue + (record.hasWeights ? ", with weights" : ""))
        }
    }

    struct Model: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Imports a model's checkpoint from a safetensors file.")

        @OptionGroup var store: StoreOption
        @Option(help: "What the model is called.")
        var name: String
        @Option(help: "The model's spec: a JSON file.")
        var spec: String
        @Option(help: "The dataset it was trained on, which must be in the store.")
        var dataset: String
        @Option(help: "The parameters: a safetensors file.")
        var parameters: String
        @Option(help: "What the checkpoint is called.")
        var checkpoint: String = "final"
        @OptionGroup var training: TrainingStateOptions

        func run() throws {
            let store = try store.openForWriting(createIfMissing: false)
            let model = try ModelImport(
                name: name, specFile: spec, parametersFile: parameters, dataset: dataset, store: store)
            try model.write(checkpoint: checkpoint, training: training.state, to: store)
            if !model.extraTensors.isEmpty {
                print("passed over tensors that the spec does not name: \(model.extraTensors.legibleList)")
            }
            print("imported checkpoint '\(checkpoint)' of model '\(name)'")
        }
    }
}

/// What is known of the training at a checkpoint.
struct TrainingStateOptions: ParsableArguments {
    @Option(help: "The training step it was taken at.")
    var step: Int?
    @Option(help: "The epoch it was taken at.")
    var epoch: Int?
    @Option(help: "The learning rate at that time.")
    var learningRate: Double?
    @Option(help: "The training loss at that time.")
    var trainLoss: Double?

    var state: TrainingState {
        TrainingState(step: step, epoch: epoch, learningRate: learningRate, trainLoss: trainLoss)
    }
}

/// `A:B`, either of which may be left out only as far as the interface says: both are given.
enum RowRange {
    static func parse(_ text: String) throws -> Range<Int> {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let from = Int(parts[0]), let to = Int(parts[1]), from >= 0, from < to else {
            throw ValidationError("--rows must be A:B with 0 <= A < B, such as 5000:60000; got \"\(text)\"")
        }
        return from..<to
    }
}
