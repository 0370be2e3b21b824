internal import LinearAlgebra

/// Between which bounds the remoteness of rows from some queries lies, as products in single precision tell.
///
/// ‖x − q‖² = ‖x‖² − 2 x·q + ‖q‖², of which x·q alone is to be computed for each pair, and sums of w products are off by at most
/// γ_w Σ|x||q| ≤ γ_w ‖x‖‖q‖ in whatever order they run, γ_w = wu / (1 − wu), u = 2⁻²⁴ (Higham 2002, "Accuracy and Stability of Numerical
/// Algorithms", section 3.1). Queries are scaled by powers of two to norms of 1/2 to 1, so that no product overflows that need not.
struct RemotenessBounds {
    private let metric: NeighborMetric
    private let multiplier: Double
    /// Of each query, ‖q‖² and ‖q‖, and what it was divided by.
    private let queries: [(square: Double, norm: Double, scale: Double)]
    /// The queries for the products, scaled.
    let vectors: AlignedMemory<Float>
    /// The most that a product is off by, relative to ‖x‖‖q‖; what values are off by that were rounded when they were multiplied, relative
    /// to the value; and what double precision adds to both, and to the reference.
    private let product, value, double: Double

    /// Norms of stored rows and of their values for which products neither overflow, nor underflow in a way that matters.
    private static let range = 1e-20...1e38
    /// What lets everything be possible.
    private static let unknown = (lower: -Double.infinity, upper: Double.infinity)

    init(_ queries: [[Float]], in features: FeatureRows, _ metric: NeighborMetric) {
        self.metric = metric
        multiplier = Double(features.multiplier)
        let (width, unit) = (Double(features.width), 0x1p-24)
        product = width * unit < 0.25 ? 1.01 * width * unit / (1 - width * unit) + 1e-15 : .infinity
        value = features.multiplier == 1 ? 0 : 1.05 * unit
        double = (4 * width + 64) * 0x1p-53
        vectors = AlignedMemory(uninitialized: queries.count * features.width)
        var known: [(square: Double, norm: Double, scale: Double)] = []
        for (index, query) in queries.enumerated() {
            let square = Vectors.dot(query, query)
            let norm = square.squareRoot()
            let scale = norm > 0 && norm.isFinite ? 2 * norm.binade : 1
            for j in 0..<features.width { vectors.start[index * features.width + j] = Float(Double(query[j]) / scale) }
            known.append((square, norm, scale))
        }
        self.queries = known
    }

    /// The bounds for a row and a query whose remoteness is not infinite.
    /// - Parameters:
    ///   - product: of the stored row and the scaled query.
    ///   - square: ‖x‖², x being the values of the row.
    ///   - norm: its root.
    @inline(__always)
    func bounds(product: Float, square: Double, norm: Double, query: Int) -> (lower: Double, upper: Double) {
        let other = queries[query]
        let stored = norm / abs(multiplier)
        guard norm == 0 || Self.range.contains(stored) && Self.range.contains(norm), other.norm.isFinite,
            self.product.isFinite
        else { return Self.unknown }
        // A multiplier of zero makes zeros of what may overflow in the product.
        let inner = norm == 0 ? 0 : multiplier * Double(product) * other.scale
        switch metric {
        case .l2:
            let estimate = square - 2 * inner + other.square
            let sum = norm + other.norm
            let error = 2 * self.product * norm * other.norm + 2.1 * value * norm * sum + double * sum * sum
            return (estimate - error, estimate + error)
        case .cosine:
            guard norm > 0, other.norm > 0 else { return (0, 0) }
            let estimate = -inner / (norm * other.norm)
            let error = self.product + 4 * value + double
            return (estimate - error, estimate + error)
        }
    }
}
