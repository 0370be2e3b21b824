public import LinearAlgebra

extension WoodburySolver {
    /// Of the rows that the curvature is of, by the push-through identity: (AᵀA/n + λI)⁻¹Aᵀ = n·Aᵀ(AAᵀ + nλI)⁻¹, so that
    ///
    ///     (AᵀA/n + λI)⁻¹aᵢ = n·AᵀK⁻¹eᵢ
    ///
    /// at 2·n² flops and one way through the examples, in which nothing cancels. Whether rows are those is looked at. Others are solved for.
    public func inverseNorms(
        of rows: any FisherRows, _ quantity: InverseNorms.Quantity, in system: DampedCurvature, memoryLimit: Int,
        parallel: Parallel, interruption: Interruption
    ) throws -> InverseNorms {
        guard try self.rows.isEqual(to: rows, memoryLimit: memoryLimit / 2, parallel: parallel, interruption: interruption) else {
            return try normsBySolving(
                of: rows, quantity, in: system, memoryLimit: memoryLimit, parallel: parallel, interruption: interruption)
        }
        let count = rows.exampleCount
        return try system.norms(
            of: rows, quantity, memoryLimit: memoryLimit, most: min(64, rows.vectorsTogether), parallel, interruption
        ) { _, examples in
            let weights = AlignedMemory<Float>(repeating: 0, count: examples.count * count)
            for (place, example) in examples.enumerated() { weights.start[place * count + example] = Float(count) }
            try factor.solve(weights.start, count: examples.count, parallel: parallel, interruption: interruption)
            return try self.rows.sums(
                along: nil, vectorCount: examples.count, needsNorms: false, parallel: parallel, interruption: interruption
            ) { part in
                for vector in 0..<examples.count {
                    (part.values + vector * part.stride).update(
                        from: weights.start + vector * count + part.rows.lowerBound, count: part.rows.count)
                }
            }.copy
        }
    }
}

extension FisherRows {
    /// Whether others are made of the same numbers, to the last bit.
    fileprivate func isEqual(
        to others: any FisherRows, memoryLimit: Int, parallel: Parallel, interruption: Interruption
    ) throws -> Bool {
        guard factors == others.factors, exampleCount == others.exampleCount else { return false }
        var areEqual = true
        try forEachStripe(memoryLimit: memoryLimit / 2, parallel: parallel, interruption: interruption) { stripe in
            guard areEqual else { return }
            let other = RowStripe(stripe.rows, factors: factors)
            try others.write(other, parallel: parallel, interruption: interruption)
            areEqual = try stripe.isEqual(to: other, interruption)
        }
        return areEqual
    }
}

extension RowStripe {
    /// Whether the same rows of another stripe, of the same factors, have the same numbers.
    fileprivate func isEqual(to other: RowStripe, _ interruption: Interruption) throws -> Bool {
        func areEqual(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Bool {
            (0..<count).allSatisfy { a[$0].bitPattern == b[$0].bitPattern }
        }
        var pace = PacedInterruption(interruption)
        for row in rows {
            for (index, factor) in factors.enumerated() {
                try pace.check(after: 4 * factor.width)
                switch factor {
                case .plain(let width):
                    guard areEqual(inputs(index, row: row), other.inputs(index, row: row), width) else { return false }
                case .outer(let width, let outputs, _):
                    guard areEqual(inputs(index, row: row), other.inputs(index, row: row), width),
                        areEqual(self.outputs(index, row: row), other.outputs(index, row: row), outputs)
                    else { return false }
                }
            }
        }
        return true
    }
}
