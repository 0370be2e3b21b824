public import LinearAlgebra

extension ExactSolver {
    /// With A = C + λI = LLᵀ the norms are those of u = L⁻¹g, as gᵀA⁻¹g = ‖u‖², and of L⁻ᵀu = A⁻¹g: p² flops an example for the first,
    /// and as many for the second, in products of matrices. ‖u‖² is never negative.
    ///
    /// Single precision, and double for the sums: relative errors of up to about 10⁻⁸ times the condition of A. Double precision throughout
    /// would not lessen them, at any condition: they are those of A itself, which is summed and kept in single precision.
    public func inverseNorms(
        of rows: any FisherRows, _ quantity: InverseNorms.Quantity, in system: DampedCurvature, memoryLimit: Int,
        parallel: Parallel, interruption: Interruption
    ) throws -> InverseNorms {
        precondition(rows.dimension == factor.order, "gradients are as long as the system's order")
        let substitution = try CoupledSubstitution(
            factor, memoryLimit: memoryLimit / 2, parallel: parallel, interruption: interruption)
        let sums = NormSums(count: rows.exampleCount, quantity)
        let bytesPerExample = MemoryLayout<Float>.stride * (substitution.order + CholeskyBatches.scratchCount(1))
        let together = max(1, min(CholeskyBatches.usualCount, memoryLimit / 4 / parallel.threads / bytesPerExample))
        try rows.forEachStripe(memoryLimit: memoryLimit / 4, parallel: parallel, interruption: interruption) { stripe in
            let pieces = stride(from: stripe.rows.lowerBound, to: stripe.rows.upperBound, by: together).map {
                $0..<min($0 + together, stripe.rows.upperBound)
            }
            try parallel.forEach(pieces.count, interruption: interruption) { piece in
                try substitution.add(pieces[piece], of: stripe, to: sums, interruption)
            }
        }
        return try sums.finished()
    }
}

/// Substitution through what is coupled of a factor, the rest being numbers.
private struct CoupledSubstitution: Sendable {
    private let factor: CholeskyFactor
    private let batches: CholeskyBatches
    /// Which elements of θ the batches' are; nil for all.
    private let coupled: [Int]?
    /// The elements of θ that are numbers of their own.
    private let single: [Int]

    var order: Int { batches.factor.order }

    /// Copies what is coupled where it is less than all, and fits.
    init(_ factor: CholeskyFactor, memoryLimit: Int, parallel: Parallel, interruption: Interruption) throws {
        let rows = try factor.coupledRows(interruption: interruption)
        let elements = PackedSymmetricMatrix.elementCount(order: rows.count) ?? .max
        let pays = rows.count < factor.order && !rows.isEmpty && elements <= memoryLimit / MemoryLayout<Float>.stride
        self.factor = factor
        coupled = pays ? rows : nil
        single = pays ? Array(Set(0..<factor.order).subtracting(rows)).sorted() : []
        batches = try CholeskyBatches(
            pays ? factor.part(of: rows, interruption: interruption) : factor, parallel: parallel, interruption: interruption)
    }

    /// Adds the norms of some rows.
    func add(_ examples: Range<Int>, of stripe: RowStripe, to sums: NormSums, _ interruption: Interruption) throws {
        let (count, length) = (examples.count, order)
        let vectors = AlignedMemory<Float>(uninitialized: count * length)
        let scratch = AlignedMemory<Float>(uninitialized: CholeskyBatches.scratchCount(count))
        let gradient = AlignedMemory<Float>(uninitialized: coupled == nil ? 0 : factor.order)
        var pace = PacedInterruption(interruption)
        for (place, example) in examples.enumerated() {
            let vector = vectors.start + place * length
            try pace.check(after: 4 * factor.order)
            guard let coupled else {
                stripe.write(example, into: vector)
                continue
            }
            stripe.write(example, into: gradient.start)
            for (i, element) in coupled.enumerated() { vector[i] = gradient.start[element] }
            for element in single where gradient.start[element] != 0 {
                let (g, divisor) = (Double(gradient.start[element]), Double(factor.packed[element, element]))
                let u = g / divisor
                let step = u / divisor
                sums.add(example, influence: u * u, squaredStep: step * step)
            }
        }
        func lengths() throws -> [Double] {
            try (0..<count).map { place in
                try pace.check(after: 2 * length)
                let vector = vectors.start + place * length
                return Vectors.dot(vector, vector, length)
            }
        }
        try batches.substituteForward(vectors.start, count: count, scratch: scratch.start, interruption: interruption)
        let influence = try lengths()
        var steps = [Double](repeating: 0, count: count)
        if sums.needsSteps {
            try batches.substituteBackward(vectors.start, count: count, scratch: scratch.start, interruption: interruption)
            steps = try lengths()
        }
        for (place, example) in examples.enumerated() {
            sums.add(example, influence: influence[place], squaredStep: steps[place])
        }
        withExtendedLifetime((vectors, scratch, gradient)) {}
    }
}
