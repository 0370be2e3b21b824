internal import ArgumentParser
internal import Foundation
internal import LinearAlgebra
internal import Service
internal import Store

struct Cache: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Builds gradient caches, or goes on with ones that were interrupted.")

    @OptionGroup var store: StoreOption
    @OptionGroup var checkpoints: CheckpointOption
    @Option(
        help: ArgumentHelp(
            "How gradients are kept: factored (exact), dense (written out), or projected.", valueName: Self.words(\.forms)))
    var kind: String = "factored"
    @Option(help: "Numbers that a gradient is projected to; for rank1 a square.")
    var projectionDim: Int?
    @Option(help: ArgumentHelp("The projection; normal by default.", valueName: Self.words(\.projections)))
    var projType: String?
    @Option(help: "The seed of the projection's random numbers; 0 by default.")
    var projSeed: Int?
    @Option(help: ArgumentHelp("How numbers are kept; float32 by default.", valueName: Self.words(\.encodings)))
    var dtype: String?

    func run() async throws {
        let kind: GradientCacheKind
        do {
            kind = try GradientCacheKind(
                form: self.kind, encoding: dtype, projection: projType, dimension: projectionDim, seed: projSeed)
        } catch {
            throw ValidationError(error.description)
        }
        // Blocks that are stored stay: whoever is stopped goes on there.
        let stopper = Stopper()
        let engine = try await Engine.forCommand(on: store.openForWriting(createIfMissing: false))
        let model = checkpoints.model
        for name in try checkpoints.names(in: engine) {
            let progress = ProgressLine("caching gradients of \(name ?? "the latest checkpoint")")
            let built: BuiltCache
            do {
                built = try engine.buildCache(
                    model: model, checkpoint: name, kind: kind, interruption: stopper.interruption, progress: progress.update)
            } catch is Interrupted {
                progress.finish()
                throw StoppedBuild(checkpoint: name)
            }
            progress.finish()
            print("cached the gradients of checkpoint '\(built.checkpoint)' of model '\(model)' as \(built.description)")
        }
    }

    private static func words(_ names: KeyPath<(forms: [String], encodings: [String], projections: [String]), [String]>) -> String
    {
        GradientCacheKind.names[keyPath: names].joined(separator: "|")
    }
}

/// A build that was told to stop.
private struct StoppedBuild: Error, CustomStringConvertible {
    let checkpoint: String?

    var description: String {
        "stopped while caching the gradients of \(checkpoint.map { "checkpoint '\($0)'" } ?? "the latest checkpoint"); the same command "
            + "goes on where this one stopped"
    }
}

extension BuiltCache {
    /// What it is, what it takes, and how near its scores come to exact ones.
    fileprivate var description: String {
        var text = "\(name): \(byteCount) bytes"
        if let relativeScoreError { text += String(format: ", relative score error %.3g", relativeScoreError) }
        if let rankCorrelation { text += String(format: ", rank correlation %.6g", rankCorrelation) }
        return text
    }
}
