internal import ArgumentParser
internal import Service

/// `--model`, and which of its checkpoints.
struct CheckpointOption: ParsableArguments {
    @Option(help: "The model.")
    var model: String
    @Option(help: "The checkpoint; the latest by default.")
    var checkpoint: String?
    @Flag(help: "Every checkpoint of the model.")
    var allCheckpoints = false

    func validate() throws {
        guard checkpoint == nil || !allCheckpoints else {
            throw ValidationError("--checkpoint and --all-checkpoints exclude each other")
        }
    }

    /// The checkpoints' names; nil for the latest.
    func names(in engine: Engine) throws -> [String?] {
        allCheckpoints ? try engine.checkpointNames(ofModel: model) : [checkpoint]
    }
}
