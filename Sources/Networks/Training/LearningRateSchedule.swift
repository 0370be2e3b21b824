internal import Foundation

/// How a learning rate changes from epoch to epoch.
public enum LearningRateSchedule: Sendable, Hashable {
    /// It doesn't.
    case constant
    /// Multiplied by `factor` after every `epochs` epochs (PyTorch's `StepLR`).
    case step(epochs: Int, factor: Double)
    /// Half a cosine from the rate down to `floor` within `epochs` epochs (Loshchilov & Hutter 2017, equation 5, without
    /// restarts), and `floor` from there on.
    case cosine(epochs: Int, floor: Double = 0)

    /// The rate of an epoch's steps, the first epoch being 0.
    public func rate(_ initial: Double, inEpoch epoch: Int) -> Double {
        switch self {
        case .constant: initial
        case .step(let epochs, let factor): initial * pow(factor, Double(epoch / epochs))
        case .cosine(let epochs, let floor):
            epoch >= epochs ? floor : floor + (initial - floor) * (1 + cos(.pi * Double(epoch) / Double(epochs))) / 2
        }
    }

    func validate(for initial: Double) throws(TrainingError) {
        switch self {
        case .constant: return
        case .step(let epochs, let factor):
            try TrainingError.require(epochs >= 1, "schedule.epochs", "\(epochs) epochs are not a period; it takes 1 or more")
            try TrainingError.require(factor > 0 && factor <= 1, "schedule.factor", "\(factor) is not above 0 and at most 1")
        case .cosine(let epochs, let floor):
            try TrainingError.require(epochs >= 1, "schedule.epochs", "\(epochs) epochs are not a period; it takes 1 or more")
            try TrainingError.require(
                floor >= 0 && floor <= initial, "schedule.floor", "\(floor) is not between 0 and the learning rate, \(initial)")
        }
    }
}
