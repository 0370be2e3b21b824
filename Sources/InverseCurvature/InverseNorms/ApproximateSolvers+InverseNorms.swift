public import LinearAlgebra

extension DataInf {
    /// By its closed form for every gradient, without residuals: 4·p flops for each two examples.
    public func inverseNorms(
        of rows: any FisherRows, _ quantity: InverseNorms.Quantity, in system: DampedCurvature, memoryLimit: Int,
        parallel: Parallel, interruption: Interruption
    ) throws -> InverseNorms {
        try system.norms(of: rows, quantity, memoryLimit: memoryLimit, parallel, interruption) { sides, examples in
            try approximations(
                for: sides, count: examples.count, shift: system.shift, parallel: parallel, interruption: interruption)
        }
    }
}

extension SketchSolver {
    /// Where it is fitted, as `ArnoldiSolver`'s; otherwise by S(Gg) for every gradient, without residuals, 4·p·d flops an example.
    ///
    /// SᵀG is no symmetric matrix, and gᵀS(Gg) is negative for about as many gradients as its variance is larger than the number itself.
    public func inverseNorms(
        of rows: any FisherRows, _ quantity: InverseNorms.Quantity, in system: DampedCurvature, memoryLimit: Int,
        parallel: Parallel, interruption: Interruption
    ) throws -> InverseNorms {
        switch substance {
        case .pairs(let solver):
            return try solver.inverseNorms(
                of: rows, quantity, in: system, memoryLimit: memoryLimit, parallel: parallel, interruption: interruption)
        case .columns(let columns, let shift, let projection):
            precondition(columns.dimension == system.dimension && shift == system.shift, "a sketch is of the system's λ")
            // The mean of the groups' estimates, each of which has the variance of all rows.
            let groups = Parallel.ranges(of: columns.count, pieces: Self.groups)
            let factors = groups.flatMap { group in
                group.map { _ in Float(Double(columns.count) / Double(group.count) / Double(groups.count)) }
            }
            return try system.norms(
                of: rows, quantity, memoryLimit: memoryLimit, most: columns.mostTogether, parallel, interruption
            ) { sides, examples in
                var coefficients = try projection.coefficients(
                    of: sides, count: examples.count, parallel: parallel, interruption: interruption)
                for i in coefficients.indices { coefficients[i] *= factors[i % factors.count] }
                var estimates = [Float](repeating: 0, count: sides.count)
                try columns.add(
                    coefficients, beta: 0, to: &estimates, count: examples.count, parallel: parallel, interruption: interruption)
                return estimates
            }
        }
    }
}

extension StackedRows {
    /// Vectors that are multiplied with the rows at once at most: a piece of work takes milliseconds.
    var mostTogether: Int { max(1, min(256, 60_000 / max(1, count))) }
}
