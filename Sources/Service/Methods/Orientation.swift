internal import Networks

/// What the sign of a score means, and what is predicted of a removal.
enum Orientation: Sendable {
    /// Of what a request measures of its tests, or of their targets against other labels.
    case measurement(OutputMeasurement, isContrast: Bool)
    /// How much of an output an example accounts for.
    case output
    /// How alike two examples are.
    case similarity

    init(_ request: InfluenceRequest) {
        self = .measurement(request.measurement, isContrast: request.tests.contains { $0.versus != nil })
    }

    /// Whether a proponent raises what is measured: all but a loss.
    var isRising: Bool { if case .measurement(.loss, _) = self { false } else { true } }

    /// As answers say it.
    var text: String {
        switch self {
        case .measurement(.loss, isContrast: false):
            "score > 0: proponent (including it lowered the test loss); score < 0: opponent"
        case .measurement(.loss, isContrast: true):
            "score > 0: proponent (including it lowered the loss of the target against that of versus); score < 0: opponent"
        case .measurement(let measurement, let isContrast):
            "score > 0: proponent (including it raised the \(measurement.rawValue) of the target\(isContrast ? " against that of versus" : "")); "
                + "score < 0: opponent"
        case .output: "score > 0: proponent (it raises the output of the target); score < 0: opponent"
        case .similarity: "score > 0: proponent (it is like the test); score < 0: opponent (it is unlike it)"
        }
    }

    /// What a prediction is called.
    var nameOfChange: String {
        if case .measurement(.loss, isContrast: false) = self { return "predicted_loss_change_if_removed" }
        return "predicted_measurement_change_if_removed"
    }
}
