/// Eigenvalues of a large symmetric matrix that is known by its products alone, by the Lanczos recursion with full reorthogonalisation
/// (Golub & Van Loan, Matrix Computations, 10.1 and 10.3): one product a step.
///
/// Vectors are of single precision and scalars of double precision: values are good to about 1e-6 of the largest. All are deterministic,
/// and their bits do not depend on the number of threads. A recursion sees a repeated eigenvalue once until its space is exhausted, and
/// rounding, or a start anew, then shows it again.
public enum Lanczos {
    /// y ← A·x for vectors of the dimension, which do not overlap.
    public typealias Multiply = (_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) throws -> Void

    /// Both ends of the spectrum.
    /// - Parameters:
    ///   - dimension: p.
    ///   - steps: products to spend; 16 give the largest eigenvalue of the curvatures met here to well under 1 %. A smallest one close
    ///     to many others takes more. The recursion takes memory for so many vectors and one.
    ///   - seed: of the start vector.
    ///   - parallel: the threads of what is done beside the products.
    ///   - interruption: when to stop.
    ///   - multiply: the matrix.
    /// - Throws: `LanczosError.notFinite`, `Interrupted`, and what `multiply` throws.
    public static func ends(
        dimension: Int, steps: Int = 16, seed: UInt64 = 0, parallel: Parallel, interruption: Interruption = .never,
        multiply: Multiply
    ) throws -> SpectrumEnds {
        let recursion = LanczosRecursion(
            dimension: dimension, capacity: steps, parallel: parallel, interruption: interruption)
        try recursion.start(.normal(seed: seed))
        while recursion.steps < recursion.capacity {
            try recursion.advance(multiply)
            if recursion.isInvariant { break }
        }
        let values = try recursion.ritzValues()
        return SpectrumEnds(smallest: values[0], largest: values[values.count - 1], steps: recursion.steps)
    }
}

/// What a recursion takes for an eigenvalue.
public struct RitzValue: Sendable, Hashable, Codable {
    /// θ = qᵀAq for some q of length 1: never outside the spectrum but for rounding.
    public let value: Double
    /// ‖Aq − θq‖: an eigenvalue lies at most so far away (Golub & Van Loan, theorem 8.1.13), rounding apart.
    public let residual: Double

    /// A value known from before.
    public init(value: Double, residual: Double) {
        self.value = value
        self.residual = residual
    }
}

/// Both ends of a spectrum, as far as a recursion came.
public struct SpectrumEnds: Sendable, Hashable, Codable {
    /// At least the smallest eigenvalue, and as a rule close to it.
    public let smallest: RitzValue
    /// At most the largest eigenvalue, and as a rule close to it.
    public let largest: RitzValue
    /// Products spent.
    public let steps: Int

    /// Ends known from before.
    public init(smallest: RitzValue, largest: RitzValue, steps: Int) {
        self.smallest = smallest
        self.largest = largest
        self.steps = steps
    }

    /// Whether there certainly is a negative eigenvalue: the Ritz value is below zero by more than rounding makes it.
    public var isIndefinite: Bool {
        smallest.value < -LanczosRecursion.rounding * max(abs(largest.value), abs(smallest.value))
    }

    /// A μ with A + μI positive semi-definite, as far as the recursion saw: minus the lower end of the interval around the smallest Ritz
    /// value that holds an eigenvalue; 0 where that is not negative.
    public var shiftNeeded: Double { isIndefinite ? smallest.residual - smallest.value : 0 }
}

/// Why there are no eigenvalues.
public enum LanczosError: Error, Equatable, Sendable {
    /// A product was NaN or infinite.
    case notFinite
}
