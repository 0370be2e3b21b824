public import LinearAlgebra

extension SystemSolver {
    /// Solves for every gradient, some of them written out at a time: one right-hand side an example, and all that the solver takes
    /// for each.
    public func inverseNorms(
        of rows: any FisherRows, _ quantity: InverseNorms.Quantity, in system: DampedCurvature, memoryLimit: Int,
        parallel: Parallel, interruption: Interruption
    ) throws -> InverseNorms {
        try normsBySolving(
            of: rows, quantity, in: system, memoryLimit: memoryLimit, parallel: parallel, interruption: interruption)
    }

    /// What solvers do that know no better.
    func normsBySolving(
        of rows: any FisherRows, _ quantity: InverseNorms.Quantity, in system: DampedCurvature, memoryLimit: Int,
        parallel: Parallel, interruption: Interruption
    ) throws -> InverseNorms {
        try system.norms(of: rows, quantity, memoryLimit: memoryLimit, parallel, interruption) { sides, examples in
            try solveUnmeasured(sides, count: examples.count, in: system, parallel: parallel, interruption: interruption).vectors
        }
    }
}

extension DampedCurvature {
    /// Gradients that are solved for together at most, and vectors of their length that a solver takes for each.
    private static let (most, vectorsPerSide) = (256, 16)

    /// The norms by what solves the system for stacked right-hand sides, the gradients of neighbouring examples, each as if it were alone.
    /// - Throws: `SolverError.indefinite`, `NegativeSelfInfluence`, `SolverError.notFinite`, `Interrupted`, and what `solve` and reading
    ///   gradients may throw.
    func norms(
        of rows: any FisherRows, _ quantity: InverseNorms.Quantity, memoryLimit: Int, most: Int = Self.most, _ parallel: Parallel,
        _ interruption: Interruption, by solve: (_ sides: [Float], _ examples: Range<Int>) throws -> [Float]
    ) throws -> InverseNorms {
        let length = dimension
        precondition(rows.dimension == length, "gradients are as long as the system's order")
        let sums = NormSums(count: rows.exampleCount, quantity)
        let together = max(1, min(most, memoryLimit / 2 / Self.vectorsPerSide / max(1, length * MemoryLayout<Float>.stride)))
        try rows.forEachStripe(memoryLimit: memoryLimit / 2, parallel: parallel, interruption: interruption) { stripe in
            for first in stride(from: stripe.rows.lowerBound, to: stripe.rows.upperBound, by: together) {
                let examples = first..<min(first + together, stripe.rows.upperBound)
                let sides = try stripe.gradients(of: examples, interruption)
                let solutions = try solve(sides, examples)
                for (place, example) in examples.enumerated() {
                    try interruption.check()
                    let (influence, squared) = Self.products(sides, solutions, place, length)
                    if influence < 0 {
                        let part = place * length..<(place + 1) * length
                        try refuse(example, influence, Array(solutions[part]), parallel, interruption)
                    }
                    sums.add(example, influence: influence, squaredStep: squared)
                }
            }
        }
        return try sums.finished()
    }

    /// g·s and s·s.
    private static func products(_ g: [Float], _ s: [Float], _ place: Int, _ length: Int) -> (Double, Double) {
        g.withUnsafeBufferPointer { g in
            s.withUnsafeBufferPointer { s in
                guard let g = g.baseAddress, let s = s.baseAddress else { return (0, 0) }
                let start = place * length
                return (Vectors.dot(g + start, s + start, length), Vectors.dot(s + start, s + start, length))
            }
        }
    }

    /// Says why an example's self-influence is negative: the curvature falls along s, as s·(C + λI)s says, or the solver is no inverse.
    private func refuse(
        _ example: Int, _ value: Double, _ s: [Float], _ parallel: Parallel, _ interruption: Interruption
    ) throws {
        let remainder = try remainder(
            of: [Float](repeating: 0, count: s.count), after: s, count: 1, parallel: parallel, interruption: interruption)
        let quotient = -Vectors.dot(remainder, s) / Vectors.dot(s, s)
        guard quotient.isFinite else { throw SolverError.notFinite }
        guard quotient > 0 else { throw SolverError.indefinite(shift: shift, curvature: quotient) }
        throw NegativeSelfInfluence(example: example, value: value, shift: shift)
    }
}

extension RowStripe {
    /// Some rows, written out one after the other.
    func gradients(of examples: Range<Int>, _ interruption: Interruption) throws -> [Float] {
        let length = dimension
        return try [Float](unsafeUninitializedCapacity: examples.count * length) { buffer, initialized in
            if let start = buffer.baseAddress {
                for example in examples {
                    try interruption.check()
                    write(example, into: start + (example - examples.lowerBound) * length)
                }
            }
            initialized = examples.count * length
        }
    }
}
