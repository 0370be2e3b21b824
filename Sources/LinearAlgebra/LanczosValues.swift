/// What a recursion shows of a spectrum, without the vectors.
public struct RitzSpectrum: Sendable, Equatable, Codable {
    /// p.
    public let dimension: Int
    /// Every Ritz value, ascending: those at the ends are close to eigenvalues as a rule, those between stand for many. Not empty.
    public let values: [RitzValue]

    /// A spectrum known from before.
    public init(dimension: Int, values: [RitzValue]) {
        self.dimension = dimension
        self.values = values
    }

    /// Whether there is a value for each eigenvalue, repeated ones included.
    public var isComplete: Bool { values.count >= dimension }

    /// The smallest and the largest.
    public var ends: SpectrumEnds {
        let nothing = RitzValue(value: 0, residual: 0)
        return SpectrumEnds(smallest: values.first ?? nothing, largest: values.last ?? nothing, steps: values.count)
    }
}

extension Lanczos {
    /// The largest eigenvalues, and the smallest where it is asked for, by one recursion without restarts.
    ///
    /// Takes memory for `steps` + 1 vectors. With as many steps as dimensions all eigenvalues are exact to rounding.
    /// - Parameters:
    ///   - count: how many of the largest.
    ///   - findsSmallest: whether the recursion also goes on for the sake of the smallest, which lies close to many others as a rule.
    ///   - dimension: p.
    ///   - steps: products at most.
    ///   - tolerance: stops before that once the residuals of all that is looked for are at most so much of the largest magnitude.
    ///   - seed: of the start vector.
    ///   - parallel: the threads of what is done beside the products.
    ///   - interruption: when to stop.
    ///   - multiply: the matrix.
    /// - Throws: `LanczosError.notFinite`, `Interrupted`, and what `multiply` throws.
    public static func values(
        largest count: Int, findsSmallest: Bool, dimension: Int, steps: Int, tolerance: Double, seed: UInt64 = 0,
        parallel: Parallel, interruption: Interruption = .never, multiply: Multiply
    ) throws -> RitzSpectrum {
        let recursion = LanczosRecursion(dimension: dimension, capacity: steps, parallel: parallel, interruption: interruption)
        try recursion.start(.normal(seed: seed))
        while recursion.steps < recursion.capacity {
            try recursion.advance(multiply)
            if recursion.isInvariant {
                guard try recursion.startAnew() else { break }
            } else if recursion.steps > count, recursion.steps % 8 == 0, recursion.capacity < dimension {
                let found = try recursion.ritzValues()
                let limit = tolerance * max(abs(found[0].value), abs(found[found.count - 1].value))
                let wanted = found.suffix(count) + (findsSmallest ? found.prefix(1) : [])
                if wanted.allSatisfy({ $0.residual <= limit }) { break }
            }
        }
        return RitzSpectrum(dimension: dimension, values: try recursion.ritzValues())
    }
}
