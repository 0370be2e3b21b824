public import LinearAlgebra

extension IdentitySolver {
    /// ‖gᵢ‖², twice: no gradient is written out.
    public func inverseNorms(
        of rows: any FisherRows, _ quantity: InverseNorms.Quantity, in system: DampedCurvature, memoryLimit: Int,
        parallel: Parallel, interruption: Interruption
    ) throws -> InverseNorms {
        let sums = NormSums(count: rows.exampleCount, quantity)
        let pieces = Parallel.ranges(of: rows.exampleCount, pieces: 64)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            try rows.visit(
                pieces[piece], along: nil, addingTo: nil, vectorCount: 1, needsNorms: true, interruption: interruption
            ) { part in
                guard let norms = part.squaredNorms else { return }
                for (place, example) in part.rows.enumerated() {
                    sums.add(example, influence: norms[place], squaredStep: norms[place])
                }
            }
        }
        return try sums.finished()
    }
}
