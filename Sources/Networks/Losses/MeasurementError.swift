/// Why outputs can't be measured.
public enum MeasurementError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The loss knows no such measurement.
    case unavailable(OutputMeasurement, LossSpec)
    /// The measurement needs two classes at least.
    case singleClass(OutputMeasurement)
    /// The loss can't take the target; in words that follow its name.
    case target(String)
    /// The loss can't take the label that the target is contrasted with; in words that follow its name.
    case versus(String)
    /// Target and contrast are the same.
    case nothingToContrast(Double)
    /// Labels have no margin, of which training examples' weights are to be made: the loss knows none, or there is one class alone.
    case noMargin(LossSpec)
    /// A training example's target, between the labels, is no label.
    case noLabel(Double, example: Int)
    /// Outputs are infinite or no numbers; of which example, where there are several.
    case notFinite(example: Int?)

    /// What is wrong, and what would work.
    public var description: String {
        switch self {
        case .unavailable(let measurement, let loss):
            "\(loss.name) has no \(loss.missing(measurement)): measurement must be \(Self.list(loss.measurements))"
        case .singleClass(let measurement):
            "one class alone has no \(measurement.rawValue): measurement must be loss, logit or probability"
        case .target(let flaw): "target \(flaw)"
        case .versus(let flaw): "versus \(flaw)"
        case .nothingToContrast(let target):
            "versus is the target itself, \(LossSpec.text(target)): name another label to contrast it with"
        case .noMargin(let loss):
            "examples are weighted by the margin of their label against others, and \(loss.name) has no others here: "
                + "a model of several classes, binary_cross_entropy or smooth_hinge has"
        case .noLabel(let target, let example):
            "training example \(example) has the target \(LossSpec.text(target)), which is no label: a margin needs 0 or 1"
        case .notFinite(let example):
            "the model's outputs\(example.map { " for training example \($0)" } ?? "") are not finite"
        }
    }

    private static func list(_ measurements: [OutputMeasurement]) -> String {
        let names = measurements.map(\.rawValue)
        guard let last = names.last, names.count > 1 else { return names.joined() }
        return names.dropLast().joined(separator: ", ") + " or " + last
    }
}

extension LossSpec {
    /// Its name in a spec.
    public var name: String {
        switch self {
        case .crossEntropy: "cross_entropy"
        case .binaryCrossEntropy: "binary_cross_entropy"
        case .meanSquaredError: "mean_squared_error"
        case .smoothHinge: "smooth_hinge"
        }
    }

    /// What influence can be measured on.
    public var measurements: [OutputMeasurement] {
        switch self {
        case .crossEntropy, .binaryCrossEntropy: OutputMeasurement.allCases
        case .smoothHinge: [.loss, .logit, .margin]
        case .meanSquaredError: [.loss]
        }
    }

    /// What a loss must have for a measurement and this one has not.
    fileprivate func missing(_ measurement: OutputMeasurement) -> String {
        self == .meanSquaredError ? "labels" : measurement == .probability ? "probabilities" : measurement.rawValue
    }
}
