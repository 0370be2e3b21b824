/// A spectrum seen from one vector v of length 1: Σᵢ (v·qᵢ)²·δ(λ − λᵢ), as nodes and weights of Gauss's quadrature for it (Golub & Welsch
/// 1969). Exact for polynomials of degree up to 2·steps − 1.
public struct SpectralQuadrature: Sendable, Hashable, Codable {
    /// Ritz values, ascending.
    public let nodes: [Double]
    /// Squared first components of T's eigenvectors: they sum to 1.
    public let weights: [Double]

    /// A quadrature known from before.
    public init(nodes: [Double], weights: [Double]) {
        precondition(nodes.count == weights.count, "one weight a node")
        self.nodes = nodes
        self.weights = weights
    }
}

extension Lanczos {
    /// The quadrature of one probe, a vector of random signs over √p (Ubaru, Chen & Saad 2017, algorithm 1).
    /// - Parameters:
    ///   - probe: which of the seed's probes.
    ///   - dimension: p.
    ///   - steps: nodes, and products; fewer where a space is exhausted before, and the quadrature exact.
    ///   - seed: of the probes.
    ///   - parallel: the threads of what is done beside the products.
    ///   - interruption: when to stop.
    ///   - multiply: the matrix.
    /// - Throws: `LanczosError.notFinite`, `Interrupted`, and what `multiply` throws.
    public static func quadrature(
        probe: Int, dimension: Int, steps: Int, seed: UInt64 = 0, parallel: Parallel, interruption: Interruption = .never,
        multiply: Multiply
    ) throws -> SpectralQuadrature {
        let recursion = LanczosRecursion(
            dimension: dimension, capacity: steps, parallel: parallel, interruption: interruption)
        try recursion.start(.signs(seed: seed, index: probe))
        while recursion.steps < recursion.capacity {
            try recursion.advance(multiply)
            if recursion.isInvariant { break }
        }
        var first = [Double](repeating: 0, count: recursion.steps)
        first[0] = 1
        let (nodes, components) = try TridiagonalEigensystem.values(
            diagonal: recursion.diagonal, beside: recursion.beside, following: first, interruption: interruption)
        return SpectralQuadrature(nodes: nodes, weights: components.map { $0 * $0 })
    }
}
