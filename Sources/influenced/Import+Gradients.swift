internal import ArgumentParser
internal import Formats
internal import Service
internal import Store

extension Import {
    struct Gradients: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Imports the gradients of all training examples, computed elsewhere.",
            discussion: """
                Row i is the gradient of example i's loss, in θ or in whatever space they were projected to, with the example's \
                weight, if it has one, multiplied in. Several checkpoints may be imported under one model.
                """)

        /// What a file may hold that does not say it.
        enum NumberType: String, ExpressibleByArgument, CaseIterable {
            case float32, float16, bfloat16, float64
        }

        @OptionGroup var store: StoreOption
        @Option(help: "What the model is called.")
        var name: String
        @Option(help: "The gradients: .npy, .npz or safetensors, or a file of bare numbers; one row each.")
        var gradients: String
        @Option(help: "Which array of the gradients' file is meant.")
        var gradientsPart: String?
        @Option(help: "n,d: rows and numbers in a row, of a file of bare numbers as numpy.memmap leaves it.")
        var shape: String?
        @Option(help: "How the numbers of such a file are stored.")
        var dtype: NumberType?
        @Option(help: "The dataset that the rows are of; without it one is made, of the model's name, that has no inputs.")
        var dataset: String?
        @Option(help: "The examples' targets, for a new dataset: one number each.")
        var targets: String?
        @Option(help: "Which array or column of the targets' file is meant.")
        var targetsPart: String?
        @Option(help: "What the model put out for each example, for a new dataset: shown as its metadata.")
        var outputs: String?
        @Option(help: "Each example's loss, for a new dataset: shown as its metadata.")
        var losses: String?
        @Option(help: "A file with a JSON object a line and example, for a new dataset: its id and metadata.")
        var metadata: String?
        @Option(help: "What the checkpoint is called.")
        var checkpoint: String = "final"
        @OptionGroup var training: TrainingStateOptions
        @Option(help: "The objective's L2 factor; 0 unless the model is there already.")
        var weightDecay: Double?

        func run() throws {
            let layout = try layout()
            guard weightDecay.map((0...1e6).contains) ?? true else {
                throw ValidationError("--weight-decay must be a number from 0 to 1000000")
            }
            guard layout == nil || gradientsPart == nil else {
                throw ValidationError("a file of bare numbers has no parts; leave --gradients-part out")
            }
            guard targets != nil || targetsPart == nil else { throw ValidationError("--targets-part goes with --targets") }
            let data = try GradientImport(
                gradients: .init(path: gradients, part: gradientsPart), layout: layout,
                examples: .init(
                    targets: targets.map { .init(path: $0, part: targetsPart) }, outputs: outputs.map { .init(path: $0) },
                    losses: losses.map { .init(path: $0) }, metadata: metadata))
            let store = try store.openForWriting(createIfMissing: true)
            let progress = ProgressLine("importing gradients of \(name)")
            try data.write(
                .init(
                    model: name, dataset: dataset, checkpoint: checkpoint, training: training.state, weightDecay: weightDecay),
                to: store, progress: progress.update)
            progress.finish()
            let conversion = data.fileType == data.storedType ? "" : ", rounded from \(data.fileType.rawValue)"
            print(
                "imported gradients as checkpoint '\(checkpoint)' of model '\(name)': \(data.count) rows of \(data.width) numbers, "
                    + data.storedType.rawValue + conversion)
        }

        /// `--shape` and `--dtype`, which go together.
        private func layout() throws -> GradientImport.FlatLayout? {
            switch (shape, dtype) {
            case (nil, nil): return nil
            case (let shape?, let dtype?):
                let extents = shape.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
                guard extents.count == 2, let count = extents[0], let width = extents[1], count > 0, width > 0,
                    let type = ElementType(rawValue: dtype.rawValue)
                else { throw ValidationError("--shape must be n,d with both above 0, such as 50000,4096; got \"\(shape)\"") }
                return .init(shape: [count, width], elementType: type)
            default: throw ValidationError("--shape and --dtype go together: of a file that says neither, give both")
            }
        }
    }
}
