internal import Dispatch
internal import Foundation
internal import Glibc
internal import Networks
internal import Service

/// What the command says while it trains: results on standard output, and on a terminal a line that says how far it has come.
final class TrainReport {
    private let name: String
    private let settings: TrainingSettings
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shownWidth = 0
    private var nextShow: UInt64 = 0
    private var place = ""
    private var measured = ""

    init(_ training: ModelTraining) {
        name = training.request.name
        settings = training.request.settings
    }

    /// Says what is trained.
    func begin(_ training: ModelTraining) {
        let network = training.network
        if !training.extraTensors.isEmpty {
            say("passed over tensors that the spec does not name: \(training.extraTensors.legibleList)")
        }
        if training.isResumed {
            say("going on with the training of '\(name)' after epoch \(training.epoch)")
            return
        }
        say(
            "training '\(name)' by \(settings.optimizer.name): \(network.parameterCount) parameters, \(training.exampleCount) examples"
        )
        guard training.request.startFile == nil else { return }
        if !network.frozenLayers.isEmpty {
            say(
                "layers that are not trained stay as they are drawn: \(network.frozenLayers.joined(separator: ", ")); "
                    + "--from brings trained ones")
        }
        if network.hasRunningStatistics { say("batch_norm layers normalise by mean 0 and variance 1; --from brings others") }
    }

    /// Shows an event.
    func show(_ event: ModelTraining.Event) {
        switch event {
        case .moment(let moment):
            place = "epoch \(moment.epoch) of \(settings.epochs)"
            measured = ", loss \(Self.loss(moment.trainLoss))"
            if let norm = moment.gradientNorm { measured += ", gradient norm \(Self.norm(norm))" }
        case .within(let epoch, let part): place = "epoch \(epoch) of \(settings.epochs) and \(Int(100 * part)) %"
        case .kept(let checkpoint, let state):
            leaveLine()
            say("kept checkpoint '\(checkpoint)': epoch \(state.epoch), train loss \(Self.loss(state.trainLoss))")
            return
        case .waiting: place = "waiting for another process that writes to the store"
        }
        showLine()
    }

    /// Says what it came to.
    func end(_ summary: TrainingSummary) {
        leaveLine()
        let reason =
            switch summary.stop {
            case .gradientNorm: "the gradient norm is at most \(settings.gradientNorm), as asked"
            case .precisionFloor: "single precision lets neither the objective nor its gradient become smaller"
            case .epochs, .paused: "all epochs are done"
            }
        say("trained '\(name)' in \(summary.epoch) epochs (\(summary.step) steps): \(reason)")
        say(
            "train loss \(Self.loss(summary.trainLoss)), objective \(Self.loss(summary.objective)), "
                + "gradient norm \(Self.norm(summary.gradientNorm))")
    }

    /// Removes the line.
    func leaveLine() {
        guard shownWidth > 0 else { return }
        write("\r" + String(repeating: " ", count: shownWidth) + "\r")
        shownWidth = 0
    }

    private func showLine() {
        let now = DispatchTime.now().uptimeNanoseconds
        guard isTerminal, now >= nextShow else { return }
        nextShow = now + 100_000_000
        let line = "training '\(name)': \(place)\(measured)"
        write("\r" + line + String(repeating: " ", count: max(0, shownWidth - line.count)))
        shownWidth = line.count
    }

    /// Writes a line at once, for whoever reads along.
    private func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    private static func loss(_ value: Double) -> String { String(format: "%.6g", value) }
    private static func norm(_ value: Double) -> String { String(format: "%.2e", value) }
}
