internal import LinearAlgebra

extension Solution {
    /// A residual up to this counts as converged.
    static let convergedResidual = 1e-3
}

extension DampedCurvature {
    /// Rounds of refinement at most; each costs a product over the data and a solve, and the first is nearly always enough.
    private static let refinements = 3
    /// A residual at which there is nothing left to gain in single precision.
    private static let attainable = 1e-6

    /// Solves for `count` stacked right-hand sides, each as if it were alone, by what solves the system but for rounding: what is left
    /// over on the full data is solved for again, as long as that gains (Golub & Van Loan 3.5.3).
    /// - Parameter solved: solutions of some stacked right-hand sides, of which no bit of one depends on the others.
    /// - Throws: `SolverError.notFinite`, `Interrupted`, and what `solved` throws.
    func refined(
        _ rightHandSides: [Float], count: Int, parallel: Parallel, interruption: Interruption,
        by solved: (_ sides: [Float], _ count: Int) throws -> [Float]
    ) throws -> Solution {
        let length = dimension
        precondition(rightHandSides.count == count * length, "right-hand sides are as long as the system's order")
        func measured(_ sides: [Float], _ solutions: [Float], count: Int) throws -> (remainders: [Float], residuals: [Double]) {
            let remainders = try remainder(
                of: sides, after: solutions, count: count, parallel: parallel, interruption: interruption)
            return (remainders, Self.relativeNorms(of: remainders, to: sides, count: count))
        }
        var solutions = try solved(rightHandSides, count)
        var (remainders, residuals) = try measured(rightHandSides, solutions, count: count)
        // Those that may still gain; they are refined together, and each drops out by itself.
        var open = residuals.indices.filter { residuals[$0] > Self.attainable }
        for _ in 0..<Self.refinements where !open.isEmpty {
            func gathered(_ vectors: [Float]) -> [Float] { open.flatMap { vectors[$0 * length..<($0 + 1) * length] } }
            let corrections = try solved(gathered(remainders), open.count)
            let refined = zip(gathered(solutions), corrections).map { $0 + $1 }
            let (newRemainders, newResiduals) = try measured(gathered(rightHandSides), refined, count: open.count)
            // Rounding decides once a round no longer improves a residual.
            let improved = open.indices.filter { newResiduals[$0] < residuals[open[$0]] }
            for position in improved {
                let (side, part) = (open[position], position * length..<(position + 1) * length)
                solutions.replaceSubrange(side * length..<(side + 1) * length, with: refined[part])
                remainders.replaceSubrange(side * length..<(side + 1) * length, with: newRemainders[part])
                residuals[side] = newResiduals[position]
            }
            open = improved.map { open[$0] }.filter { residuals[$0] > Self.attainable }
        }
        guard residuals.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
        return Solution(
            vectors: solutions, repeats: [], residuals: residuals, converged: residuals.map { $0 <= Solution.convergedResidual })
    }
}

extension PackedSymmetricMatrix {
    /// - Throws: `SolverError.notFinite` where an element is not finite; `Interrupted`.
    func checkFinite(_ parallel: Parallel, _ interruption: Interruption) throws {
        let pieces = Parallel.ranges(of: memory.count, pieces: 64)
        let memory = memory
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            guard memory.elements[pieces[piece]].allSatisfy({ $0.isFinite }) else { throw SolverError.notFinite }
        }
    }
}
