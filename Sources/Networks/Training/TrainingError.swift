/// Why training can't begin or go on: what was wrong, and what to change.
public enum TrainingError: Error, Equatable, Sendable {
    /// A setting has no meaning: its name, and what is wrong with it.
    case invalid(setting: String, reason: String)
    /// The numbers of a run are no longer finite. `learningRate` is that of its last step; nil for optimisers without one, whose
    /// steps never go where F is not finite, so that it already was not at the initial parameters.
    case diverged(epoch: Int, step: Int, learningRate: Double?)
    /// The optimiser needs products with the Hessian, which the network does not have.
    case noHessianProducts
    /// The run belongs to another model or other data.
    case mismatch(reason: String)
    /// Bytes are not a training run.
    case damaged(reason: String)
    /// The bytes are of a version of the format that is not known here.
    case unknownVersion(found: UInt32, known: UInt32)
}

extension TrainingError: CustomStringConvertible {
    /// The error as a sentence for a user.
    public var description: String {
        switch self {
        case .invalid(let setting, let reason):
            "\(setting): \(reason)"
        case .diverged(let epoch, let step, let rate?):
            "training diverged: its numbers were no longer finite in epoch \(epoch), after \(step) steps; lower the "
                + "learning_rate (\(rate)), to a tenth say"
        case .diverged(let epoch, let step, nil):
            "the objective is not finite (epoch \(epoch), step \(step)); lower the scale of the inputs or of the initial "
                + "parameters"
        case .noHessianProducts:
            "newton_cg needs products with the Hessian, which this network does not have; use lbfgs"
        case .mismatch(let reason):
            "this training run can't go on here: \(reason)"
        case .damaged(let reason):
            "these bytes are not a training run: \(reason)"
        case .unknownVersion(let found, let known):
            "this training run was saved in version \(found) of its format, and \(known) is the newest known here; use the "
                + "program that saved it, or begin again"
        }
    }
}
