public import LinearAlgebra

extension SketchSolver: SystemSolver {
    /// A residual up to this counts as converged, as for `ArnoldiSolver`.
    private static let convergedResidual = ArnoldiSolver.convergedResidual

    /// Solves for `count` stacked right-hand sides, each as if it were alone, to the last bit, on any number of threads.
    ///
    /// 4·p·d flops and a product with the data for the residual, or 6·p·d and two where it is fitted. Where it is unbiased the repeats are
    /// the estimates of groups of columns, which are independent.
    /// - Throws: `SolverError.notPositiveDefinite` where it is fitted and D + λI falls along a direction of the span; `.notFinite`;
    ///   `Interrupted`.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        let length = system.dimension
        precondition(rightHandSides.count == count * length, "right-hand sides are as long as the system's order")
        switch substance {
        case .pairs(let solver):
            return try solver.solve(rightHandSides, count: count, in: system, parallel: parallel, interruption: interruption)
        case .columns(let columns, let shift, let projection):
            precondition(columns.dimension == length && shift == system.shift, "a sketch is of the system's curvature and λ")
            let groups = Parallel.ranges(of: columns.count, pieces: Self.groups)
            let repeats = try groups.map { group in
                let coefficients = try projection[group].coefficients(
                    of: rightHandSides, count: count, parallel: parallel, interruption: interruption)
                // G has the variance of all d rows.
                let factor = Float(columns.count) / Float(group.count)
                var estimate = [Float](repeating: 0, count: rightHandSides.count)
                try columns[group].add(
                    coefficients.map { factor * $0 }, beta: 0, to: &estimate, count: count, parallel: parallel,
                    interruption: interruption)
                return estimate
            }
            return try solution(of: rightHandSides, count, repeats, in: system, parallel, interruption)
        }
    }

    /// The mean of independent estimates, and how far it is from a solution and they from each other.
    private func solution(
        of rightHandSides: [Float], _ count: Int, _ repeats: [[Float]], in system: DampedCurvature, _ parallel: Parallel,
        _ interruption: Interruption
    ) throws -> Solution {
        let (length, number) = (system.dimension, Double(repeats.count))
        var (sums, squares) = ([Double](repeating: 0, count: rightHandSides.count), [Double](repeating: 0, count: count))
        for estimate in repeats {
            try interruption.check()
            for i in sums.indices { sums[i] += Double(estimate[i]) / number }
        }
        for estimate in repeats {
            try interruption.check()
            for i in sums.indices {
                let distance = Double(estimate[i]) - sums[i]
                squares[i / length] += distance * distance
            }
        }
        let vectors = sums.map { Float($0) }
        let residuals = try system.residuals(
            of: vectors, for: rightHandSides, count: count, parallel: parallel, interruption: interruption)
        let accuracies = (0..<count).map { side in
            let size = Vectors.norm(Array(vectors[side * length..<(side + 1) * length]))
            let error = (squares[side] / number / (number - 1)).squareRoot()
            return SolutionAccuracy(
                rounds: 1, noise: size > 0 && number > 1 ? error / size : nil, bias: nil)
        }
        return Solution(
            vectors: vectors, repeats: repeats, residuals: residuals,
            converged: residuals.map { $0 <= Self.convergedResidual }, accuracies: accuracies)
    }
}
