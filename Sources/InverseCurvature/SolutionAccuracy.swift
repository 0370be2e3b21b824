/// How good a solution is, by what its solver has seen of it: estimates, relative to ‖s_test‖.
public struct SolutionAccuracy: Sendable, Equatable {
    /// Rounds of refinement that the solution is made of.
    public let rounds: Int
    /// The standard error that mini-batches leave, which the repeats measure; nil for a single repeat.
    public let noise: Double?
    /// What the expectation of the solution lacks of the exact one, estimated from above; nil where that can't be known. After several
    /// rounds of a single repeat it holds their noise as well.
    public let bias: Double?

    init(rounds: Int, noise: Double?, bias: Double?) {
        self.rounds = rounds
        self.noise = noise
        self.bias = bias
    }

    /// ‖s − s_exact‖/‖s_exact‖ as far as it can be estimated; nil where it can't: after too few rounds of a single repeat, or where λ is
    /// too small for its directions to be seen.
    public var relativeError: Double? {
        guard let bias, noise != nil || rounds > 1 else { return nil }
        let noise = noise ?? 0
        return (bias * bias + noise * noise).squareRoot()
    }

    /// Whether the spread of the repeats covers the error: standard errors mean what they say only then.
    public var isBiasBelowNoise: Bool {
        guard let bias, let noise else { return false }
        return bias <= noise
    }
}
