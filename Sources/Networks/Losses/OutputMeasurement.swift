/// What influence is measured on: a number that outputs f and a label y make, p being the probabilities that f stand for.
///
/// |               | `cross_entropy`                    | `binary_cross_entropy`, s = ±1 for label 1 or 0 | `smooth_hinge`, y = ±1 |
/// |---------------|------------------------------------|-------------------------------------------------|------------------------|
/// | `logit`       | f_y                                | s·f                                             | y·f                    |
/// | `margin`      | f_y − log Σ_{j≠y} exp f_j          | s·f                                             | y·f                    |
/// | `probability` | p_y = exp f_y / Σ_j exp f_j        | p_y = σ(s·f)                                    | none                   |
///
/// `mean_squared_error` has no labels, and so nothing but its loss. Probabilities are softmax's also where labels were smoothed.
public enum OutputMeasurement: String, Sendable, CaseIterable {
    /// ℓ(f, y): what the model was trained to lower.
    case loss
    /// What the model puts out for the label.
    case logit
    /// log p_y/(1 − p_y), the log-odds of the label: TRAK's model output function (Park et al. 2023, section 3.3).
    case margin
    /// p_y.
    case probability
}

/// A measurement of some outputs, and how it changes with them.
public struct MeasuredOutputs: Sendable, Equatable {
    /// The measurement; where it is a contrast, the target's less the other label's.
    public let value: Double
    /// u: ∂value/∂f for the loss and −∂value/∂f for everything else, as if −value were the loss. In this way a score along the
    /// direction that u leads to is positive where the training example lowered the loss, or raised the logit, margin or probability.
    public let gradient: [Double]

    /// A measurement of some value and gradient.
    init(_ value: Double, _ gradient: [Double]) {
        self.value = value
        self.gradient = gradient
    }

    /// The target's measurement less the other's.
    static func - (a: MeasuredOutputs, b: MeasuredOutputs) -> MeasuredOutputs {
        MeasuredOutputs(a.value - b.value, zip(a.gradient, b.gradient).map { $0 - $1 })
    }
}
