internal import HTTPTypes
internal import Service

extension ModelTrainingError {
    /// What the command says: what is in the way, and what to do.
    func problem(name: String) -> Problem {
        switch self {
        case .modelExists(_, let dataset, let checkpoints):
            refusal(
                "the store already holds a model '\(name)', trained on '\(dataset)', with the checkpoints "
                    + "\(checkpoints.joined(separator: ", ")), and there is no unfinished training of it; choose another --name")
        case .keepsCheckpoints(let path, let checkpoints):
            refusal(
                "the training of '\(name)' can't be discarded: leave --restart out to go on with it, or "
                    + Self.advice(path, checkpoints))
        case .otherRun(let path, let differences, let checkpoints):
            refusal(
                "a training of '\(name)' was begun with other settings: "
                    + differences.map(Self.sentence).joined(separator: ", ")
                    + "; give the settings it was begun with to go on, or "
                    + Self.advice(path, checkpoints))
        case .unusable(let path, let reason, let checkpoints):
            Problem(
                .internalServerError, "damaged-training",
                "the unfinished training in \(path) can't go on, as \(reason); " + Self.advice(path, checkpoints))
        case .inUse(let path): refusal("'\(name)' is being trained by another process, which holds \(path)")
        case .file(let path, let reason): Problem(.internalServerError, "io", "\(path): \(reason)")
        }
    }

    private func refusal(_ detail: String) -> Problem { Problem(.conflict, "training-refused", detail) }

    private static func sentence(_ difference: TrainingDifference) -> String {
        let subject =
            difference.setting == "checkpoints" ? "the checkpoints to keep" : TrainingOptions.option(of: difference.setting)
        guard let begun = difference.begun, let asked = difference.asked else {
            return difference.setting == "dataset"
                ? "\(subject) held other examples" : "\(subject) gave something else"
        }
        return "\(subject) was \(begun), not \(asked)"
    }

    /// How to begin again. What was stored is never replaced: it needs another name then.
    private static func advice(_ path: String, _ checkpoints: [String]) -> String {
        checkpoints.isEmpty
            ? "give --restart to discard it and begin again"
            : "begin again under another --name: its checkpoints \(checkpoints.joined(separator: ", ")) are in the store and stay "
                + "there (then remove \(path))"
    }
}
