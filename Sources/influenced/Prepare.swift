internal import ArgumentParser
internal import Dispatch
internal import Foundation
internal import LinearAlgebra
internal import Service
internal import Store
internal import Synchronization

struct Prepare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes what solvers need for a checkpoint ahead of the first request, and keeps it in the store.")

    @OptionGroup var store: StoreOption
    @OptionGroup var checkpoints: CheckpointOption
    @Option(
        help: ArgumentHelp(
            "What to prepare: a solver's name, or an object as requests have it; may be repeated. lissa by default.",
            valueName: InfluenceRequest.solvers.joined(separator: "|")))
    var solver: [String] = []
    @Flag(help: "Also what relatif divides by and self-influence is made of, for all training examples.")
    var denominators = false
    @Option(
        help: ArgumentHelp(
            "C; the model's default where it is not given.",
            valueName: InfluenceRequest.Curvature.allCases.map(\.rawValue).joined(separator: "|")))
    var curvature: String?
    @Option(help: "Damping, for what depends on it: exact's factor.")
    var damping: Double = 0
    @Option(
        help: ArgumentHelp(
            "The unit of --damping.", valueName: InfluenceRequest.DampingMode.allCases.map(\.rawValue).joined(separator: "|")))
    var dampingMode: String = InfluenceRequest.DampingMode.absolute.rawValue

    func run() async throws {
        guard damping >= 0, damping <= 1e9 else { throw ValidationError("--damping must be 0 to 1e9; got \(damping)") }
        var preparation = Preparation(model: checkpoints.model)
        preparation.solvers = solver
        preparation.denominators = denominators
        preparation.curvature.damping = damping
        preparation.curvature.kind = try curvature.map { try Self.choice($0, "--curvature") }
        preparation.curvature.dampingMode = try Self.choice(dampingMode, "--damping-mode")
        let engine = try await Engine.forCommand(on: store.openForWriting(createIfMissing: false))
        let stopper = Stopper()
        for name in try checkpoints.names(in: engine) {
            preparation.checkpoint = name
            let stages = StageLines()
            do {
                let kept = try engine.prepare(
                    preparation,
                    interruption: Interruption {
                        stages.tick(); return stopper.interruption.isRaised
                    },
                    report: stages.begin)
                stages.end()
                let title = name.map { "checkpoint '\($0)'" } ?? "the latest checkpoint"
                print("the store holds of \(title) of model '\(checkpoints.model)':")
                for (kind, byteCount) in kept { print("  \(kind): \(byteCount) bytes") }
            } catch is Interrupted {
                stages.end()
                throw StoppedPreparation()
            }
        }
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(_ word: String, _ option: String) throws -> Choice
    {
        guard let choice = Choice(rawValue: word) else {
            throw ValidationError(
                "\(option) must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")); got '\(word)'")
        }
        return choice
    }
}

/// A preparation that was told to stop.
private struct StoppedPreparation: Error, CustomStringConvertible {
    let description = "stopped; what was complete is kept, and the same command goes on from there"
}

/// What is being done, and for how long already: lines on the terminal, silent where standard error is none.
private final class StageLines: Sendable {
    private struct Stage {
        var title: String
        let start: DispatchTime
        var shownSeconds = 0
    }

    private let isShown = isatty(STDERR_FILENO) == 1
    private let stage = Mutex<Stage?>(nil)

    /// Begins another.
    func begin(_ title: String) {
        end()
        stage.withLock { $0 = Stage(title: title, start: .now()) }
        write(title)
    }

    /// Shows the seconds as they pass; to be called often, from any thread.
    func tick() {
        guard isShown else { return }
        let text = stage.withLock { stage -> String? in
            guard let current = stage else { return nil }
            let seconds = Int((DispatchTime.now().uptimeNanoseconds - current.start.uptimeNanoseconds) / 1_000_000_000)
            guard seconds > current.shownSeconds else { return nil }
            stage?.shownSeconds = seconds
            return "\r\(current.title): \(seconds) s"
        }
        if let text { write(text) }
    }

    /// Leaves the line.
    func end() {
        let wasOpen = stage.withLock { stage in
            defer { stage = nil }
            return stage != nil
        }
        if wasOpen { write("\n") }
    }

    private func write(_ text: String) { if isShown { FileHandle.standardError.write(Data(text.utf8)) } }
}
