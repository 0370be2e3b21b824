public import LinearAlgebra

extension ArnoldiSolver: SystemSolver {
    /// A residual up to this counts as converged: the method is an approximation, and scores along such a solution rank as the exact ones do
    /// at their ends.
    static let convergedResidual = 0.1
    /// What rounding leaves, of |v|², of a vector inside the pairs' span.
    private static let negligible = 1e-12

    /// Solves for `count` stacked right-hand sides, each as if it were alone, to the last bit, on any number of threads.
    /// - Throws: `SolverError.notPositiveDefinite` where the search saw an eigenvalue of at most −λ, or nothing stands for the rest but 0 and
    ///   λ is 0 as well; `.notFinite`; `Interrupted`.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        let length = pairs.dimension
        precondition(length == system.dimension, "pairs are of the system's curvature")
        precondition(rightHandSides.count == count * length, "right-hand sides are as long as the system's order")
        try checkDefinite(shift: system.shift)
        let coefficients = try pairs.rows.coefficients(
            of: rightHandSides, count: count, parallel: parallel, interruption: interruption)
        var rest = rightHandSides
        try pairs.rows.add(
            coefficients.map { -$0 }, beta: 1, to: &rest, count: count, parallel: parallel, interruption: interruption)
        let factors = try restFactors(of: rest, beside: rightHandSides, in: system, count, parallel, interruption)
        for i in 0..<count {
            try interruption.check()
            let factor = Float(factors[i])
            for j in i * length..<(i + 1) * length { rest[j] *= factor }
        }
        let weights = pairs.values.map { 1 / ($0 + system.shift) }
        let weighted = coefficients.indices.map { Float(Double(coefficients[$0]) * weights[$0 % pairs.count]) }
        var solutions = rest
        try pairs.rows.add(weighted, beta: 1, to: &solutions, count: count, parallel: parallel, interruption: interruption)
        let residuals = try system.residuals(
            of: solutions, for: rightHandSides, count: count, parallel: parallel, interruption: interruption)
        return Solution(
            vectors: solutions, repeats: [], residuals: residuals, converged: residuals.map { $0 <= Self.convergedResidual })
    }

    /// - Throws: `SolverError.notPositiveDefinite` where the search saw an eigenvalue of at most −λ.
    func checkDefinite(shift: Double) throws {
        let smallest = min(pairs.ends.smallest.value, pairs.values.min() ?? 0)
        let rounding = 1e-6 * abs(pairs.values[0])
        // A singular curvature's smallest Ritz value is rounding on either side of zero.
        guard smallest + shift > 0 || (abs(smallest) <= rounding && shift > 0) else {
            throw SolverError.notPositiveDefinite(shift: shift)
        }
    }

    /// 1/(τ + λ) for each right-hand side; 0 where nothing stands for the rest.
    private func restFactors(
        of rest: [Float], beside rightHandSides: [Float], in system: DampedCurvature, _ count: Int, _ parallel: Parallel,
        _ interruption: Interruption
    ) throws -> [Double] {
        let length = pairs.dimension
        guard pairs.count < length, complement != .dropped else { return [Double](repeating: 0, count: count) }
        guard complement == .fitted else {
            let divisor = complementValue + system.shift
            guard divisor > 0 else { throw SolverError.notPositiveDefinite(shift: system.shift) }
            return [Double](repeating: 1 / divisor, count: count)
        }
        var images = [Float](repeating: 0, count: rest.count)
        try rest.withUnsafeBufferPointer { rest in
            try images.withUnsafeMutableBufferPointer { images in
                guard let rest = rest.baseAddress, let images = images.baseAddress else { return }
                try system.data.product(
                    of: rest, to: images, vectorCount: count, parallel: parallel, interruption: interruption)
            }
        }
        return try (0..<count).map { i in
            try interruption.check()
            func dot(_ x: [Float], _ y: [Float]) -> Double {
                x.withUnsafeBufferPointer { x in
                    y.withUnsafeBufferPointer { y in
                        guard let x = x.baseAddress, let y = y.baseAddress else { return 0 }
                        return Vectors.dot(x + i * length, y + i * length, length)
                    }
                }
            }
            let size = dot(rest, rest)
            guard size > Self.negligible * dot(rightHandSides, rightHandSides) else { return 0 }
            let divisor = dot(rest, images) / size + system.shift
            guard !divisor.isNaN else { throw SolverError.notFinite }
            guard divisor > 0 else { throw SolverError.notPositiveDefinite(shift: system.shift) }
            return 1 / divisor
        }
    }

    /// τ, where it is one number for all v: a fitted one is the mean before it is fitted.
    var complementValue: Double {
        switch complement {
        case .dropped: .infinity
        case .zero: 0
        case .smallestKept: abs(pairs.values[pairs.count - 1])
        case .mean, .fitted:
            pairs.count < pairs.dimension
                ? max(0, (trace - pairs.values.reduce(0, +)) / Double(pairs.dimension - pairs.count)) : 0
        }
    }
}

extension Eigenpairs {
    /// Q, for products with it.
    var rows: StackedRows { StackedRows(vectors, count: count, dimension: dimension) }
}
