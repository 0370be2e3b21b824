/// Why there is no TRAK kernel, or no score by it: what was wrong, and what to change.
public enum TRAKError: Error, Equatable, Sendable {
    /// There are no training examples.
    case noExamples
    /// λ is negative, or not a number.
    case invalidDamping(Double)
    /// The matrix would take more memory than there is for it.
    case tooLarge(dimension: Int, bytes: Int, limit: Int)
    /// ΦᵀΦ + λI has no inverse; with the λ that is suggested it has. Both are relative to the mean eigenvalue where `isRelative`.
    case singular(dimension: Int, exampleCount: Int, damping: Double, suggestion: Double, isRelative: Bool)
    /// Numbers are infinite or NaN: of a training example, or, nil, of what was solved for.
    case notFinite(example: Int?)
    /// Bytes are not a kernel that was kept, or not one of these sizes.
    case damaged(reason: String)
}

extension TRAKError: CustomStringConvertible {
    /// The error as a sentence for a user.
    public var description: String {
        switch self {
        case .noExamples: "TRAK takes the gradients of training examples, and there are none"
        case .invalidDamping(let damping): "\(damping) is no λ for TRAK's kernel; it takes 0 or a positive number"
        case .tooLarge(let dimension, let bytes, let limit):
            "TRAK's kernel of \(dimension) × \(dimension) numbers takes \(bytes) bytes, and \(limit) are allowed; use a cache of "
                + "fewer projected dimensions"
        case .singular(let dimension, let count, let damping, let suggestion, let isRelative):
            "the gradients of \(count) examples leave TRAK's kernel of \(dimension) dimensions singular with λ = \(damping); give "
                + (isRelative ? "a relative" : "an absolute")
                + " λ of \(suggestion) or more, or use a cache of fewer projected dimensions"
        case .notFinite(let example?): "training example \(example) has a gradient or a probability that is not finite"
        case .notFinite(nil): "the gradient of a test is not finite, or too large to be solved for"
        case .damaged(let reason): "these bytes are not a TRAK kernel: \(reason)"
        }
    }
}
