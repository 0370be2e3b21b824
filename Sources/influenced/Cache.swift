internal import ArgumentParser
internal import Foundation
internal import Service
internal import Store

struct Cache: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Builds gradient caches, or goes on with ones that were interrupted.")

    enum Kind: String, ExpressibleByArgument, CaseIterable { case factored }

    @OptionGroup var store: StoreOption
    @Option(help: "The model.")
    var model: String
    @Option(help: "The checkpoint; the latest by default.")
    var checkpoint: String?
    @Flag(help: "Every checkpoint of the model.")
    var allCheckpoints = false
    @Option(help: "How gradients are kept.")
    var kind: Kind = .factored

    func run() throws {
        guard checkpoint == nil || !allCheckpoints else {
            throw ValidationError("--checkpoint and --all-checkpoints exclude each other")
        }
        let engine = Engine.forCommand(on: try store.openForWriting(createIfMissing: false))
        let names: [String?] = allCheckpoints ? try engine.checkpointNames(ofModel: model) : [checkpoint]
        for name in names {
            let progress = ProgressLine("caching gradients of \(name ?? "the latest checkpoint")")
            try engine.buildCache(model: model, checkpoint: name, progress: progress.update)
            progress.finish()
            print("cached the gradients of \(name.map { "checkpoint '\($0)'" } ?? "the latest checkpoint") of model '\(model)'")
        }
    }
}
