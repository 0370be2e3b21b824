/// By what examples are near to a test: of their features, which may be the inputs or what a layer puts out.
public enum NeighborMetric: String, Sendable, CaseIterable {
    /// The distance ‖x − q‖₂.
    case l2
    /// The cosine x·q / (‖x‖‖q‖), larger for what is nearer; 0 where a vector is zero, which has no direction.
    case cosine

    /// What the method `nearest_neighbor` scores an example by: the cosine itself, or 1 / (1 + ‖x − q‖₂), so that whatever is nearer is a
    /// stronger proponent, and 1 is the test itself. 0, neither proponent nor opponent, where features are not finite.
    public func score(of measure: Double) -> Float {
        let score = self == .l2 ? 1 / (1 + measure) : measure
        return score.isNaN ? 0 : Float(score)
    }

    /// Something that grows with how far apart things are, and is never NaN: what neighbours are sorted by. ‖x − q‖² or −cosine; what is not
    /// finite is farther than all that is.
    /// - Parameters:
    ///   - sum: ‖x − q‖² or x·q.
    ///   - square: ‖x‖², of which l2 asks nothing.
    ///   - querySquare: ‖q‖², likewise.
    func remoteness(_ sum: Double, square: Double, querySquare: Double) -> Double {
        switch self {
        case .l2: return sum.isNaN ? .infinity : sum
        case .cosine:
            // Neither overflows nor underflows, squares being of floats; and the root of a square is exact, so that x is at 1 from itself.
            let product = square * querySquare
            guard product.isFinite, !sum.isNaN else { return .infinity }
            return product == 0 ? 0 : 0 - min(1, max(-1, sum / product.squareRoot()))
        }
    }

    /// The distance or the cosine of a remoteness; NaN of a cosine that there is none of.
    func measure(ofRemoteness remoteness: Double) -> Double {
        switch self {
        case .l2: remoteness.squareRoot()
        case .cosine: remoteness == .infinity ? .nan : 0 - remoteness
        }
    }
}
