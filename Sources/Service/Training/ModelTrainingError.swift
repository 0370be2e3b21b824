/// Why the training of a model can't begin or go on, besides what is wrong with its settings, its files or its store.
public enum ModelTrainingError: Error, Equatable, Sendable {
    /// The store holds a model of this name, and there is no run of it to go on with. `checkpoints` are its own.
    case modelExists(name: String, dataset: String, checkpoints: [String])
    /// A run was to be discarded that has stored checkpoints, which are not.
    case keepsCheckpoints(path: String, checkpoints: [String])
    /// The run that was begun is another one. `checkpoints` are those it has stored.
    case otherRun(path: String, differences: [TrainingDifference], checkpoints: [String])
    /// What was saved of the run can't be used. `checkpoints` are those it has stored.
    case unusable(path: String, reason: String, checkpoints: [String])
    /// Another process trains the model.
    case inUse(path: String)
    /// The file beside the store can't be read or written.
    case file(path: String, reason: String)
}

/// A setting in which two training runs differ.
public struct TrainingDifference: Equatable, Sendable {
    /// Its name, as in `TrainingError.invalid`; beside those `spec`, `dataset` and `from`, for the initial parameters.
    public let setting: String
    /// Its value in the run that was begun, and in the one asked for; nil where they are too long to say, or are files.
    public let begun, asked: String?

    init(setting: String, begun: String? = nil, asked: String? = nil) {
        self.setting = setting
        self.begun = begun
        self.asked = asked
    }
}
