/// Some eigenpairs of a large symmetric matrix: θⱼ and qⱼ with A·qⱼ ≈ θⱼ·qⱼ, the qⱼ orthonormal.
public struct Eigenpairs: Sendable {
    /// p.
    public let dimension: Int
    /// θ, those of largest magnitude first.
    public let values: [Double]
    /// ‖A·qⱼ − θⱼ·qⱼ‖ for each, as the recursion knows it: about 1e-6 of the largest eigenvalue is rounding, which it does not know.
    public let residuals: [Double]
    /// Q [k, p], row after row.
    public let vectors: AlignedMemory<Float>
    /// Both ends of what the recursion saw, whether or not they are among the pairs.
    public let ends: SpectrumEnds

    /// k.
    public var count: Int { values.count }

    /// Pairs known from before.
    public init(dimension: Int, values: [Double], residuals: [Double], vectors: AlignedMemory<Float>, ends: SpectrumEnds) {
        precondition(
            residuals.count == values.count && vectors.count == values.count * dimension, "one residual and one vector a value")
        self.dimension = dimension
        self.values = values
        self.residuals = residuals
        self.vectors = vectors
        self.ends = ends
    }
}

extension Lanczos {
    /// The eigenpairs of largest magnitude, by one recursion without restarts.
    ///
    /// Takes memory for `steps` + `count` + 1 vectors, and besides the products 4·p·steps² flops to keep them orthogonal, 5·steps³ for the
    /// eigenvectors of T and 2·p·steps·count for the pairs.
    /// - Parameters:
    ///   - count: k, pairs at most: fewer where p is less.
    ///   - dimension: p.
    ///   - steps: products at most; at least `count` are spent, and never more than p, with which all pairs are exact to rounding.
    ///   - tolerance: stops before that once all k residuals are at most so much of the largest eigenvalue's magnitude; 0 never does.
    ///   - seed: of the start vector.
    ///   - parallel: the threads of what is done beside the products.
    ///   - interruption: when to stop.
    ///   - multiply: the matrix.
    /// - Throws: `LanczosError.notFinite`, `Interrupted`, and what `multiply` throws.
    public static func leadingPairs(
        _ count: Int, dimension: Int, steps: Int, tolerance: Double = 0, seed: UInt64 = 0, parallel: Parallel,
        interruption: Interruption = .never, multiply: Multiply
    ) throws -> Eigenpairs {
        precondition(count > 0, "no pairs are nothing to look for")
        let count = min(count, dimension)
        let recursion = LanczosRecursion(
            dimension: dimension, capacity: max(steps, count), parallel: parallel, interruption: interruption)
        try recursion.start(.normal(seed: seed))
        let stride = max(8, count / 4)
        while recursion.steps < recursion.capacity {
            try recursion.advance(multiply)
            if recursion.isInvariant {
                guard try recursion.startAnew() else { break }
            } else if tolerance > 0, recursion.steps > count, (recursion.steps - count) % stride == 0 {
                let leading = try recursion.ritzValues().sorted { abs($0.value) > abs($1.value) }
                if leading.prefix(count).allSatisfy({ $0.residual <= tolerance * abs(leading[0].value) }) { break }
            }
        }
        return try pairs(count, of: recursion, parallel: parallel, interruption: interruption)
    }

    private static func pairs(
        _ count: Int, of recursion: LanczosRecursion, parallel: Parallel, interruption: Interruption
    ) throws -> Eigenpairs {
        let steps = recursion.steps
        let (values, vectors) = try TridiagonalEigensystem.vectors(
            diagonal: recursion.diagonal, beside: recursion.beside, parallel: parallel, interruption: interruption)
        func ritzValue(_ i: Int) -> RitzValue {
            RitzValue(value: values[i], residual: recursion.remainder * abs(vectors[(i + 1) * steps - 1]))
        }
        let chosen = values.indices.sorted { abs(values[$0]) > abs(values[$1]) }.prefix(count)
        return Eigenpairs(
            dimension: recursion.dimension, values: chosen.map { values[$0] },
            residuals: chosen.map { ritzValue($0).residual },
            vectors: try recursion.ritzVectors(chosen.flatMap { vectors[$0 * steps..<($0 + 1) * steps] }),
            ends: SpectrumEnds(smallest: ritzValue(0), largest: ritzValue(steps - 1), steps: steps))
    }
}
