public import LinearAlgebra
internal import Networks

extension NetworkGradients {
    /// See `TrainingGradients` and `TrainedNetwork.squaredNorms`.
    /// - Throws: `Interrupted`.
    public func squaredNorms(parallel: Parallel, interruption: Interruption) throws -> [Double] {
        try model.squaredNorms(
            of: examples, factors: factors.map { UnsafePointer($0.start) }, parallel: parallel, interruption: interruption)
    }
}

extension FactorRowGradients {
    /// See `TrainingGradients`. What `NetworkGradients` makes of factors in memory, to the last bit.
    /// - Throws: `Interrupted`, and what reading the rows may throw.
    public func squaredNorms(parallel: Parallel, interruption: Interruption) throws -> [Double] {
        let norms = AlignedMemory<Double>(uninitialized: count)
        try rows.forEachStretch(parallel: parallel, interruption: interruption) { [model, examples] stretch, view in
            try model.writeSquaredNorms(
                ofFactors: Self.floats(view), of: stretch, in: examples, into: norms.start + stretch.lowerBound,
                interruption: interruption)
        }
        return norms.copy
    }
}

extension FactoredGradients {
    /// See `TrainingGradients`: ‖rᵢ‖²(‖xᵢ‖² + 1), the one being for the biases (TracIn, appendix F).
    /// - Throws: `Interrupted`.
    public func squaredNorms(parallel: Parallel, interruption: Interruption) throws -> [Double] {
        let inputs = try features.squaredNorms(parallel: parallel, interruption: interruption)
        let classes = model.classCount
        let norms = AlignedMemory<Double>(uninitialized: count)
        let pieces = Parallel.ranges(of: count, pieces: 64)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            residuals.withUnsafeBufferPointer { residuals in
                for row in pieces[piece] {
                    let r = residuals.baseAddress! + row * classes
                    norms.start[row] = Vectors.dot(r, r, classes) * (inputs.start[row] + (model.hasBias ? 1 : 0))
                }
            }
        }
        return norms.copy
    }
}

extension RowGradients {
    /// See `TrainingGradients`. Of rows as they are kept: of projected ones, unbiased estimates.
    /// - Throws: `Interrupted`, and what reading the rows may throw.
    public func squaredNorms(parallel: Parallel, interruption: Interruption) throws -> [Double] {
        let norms = AlignedMemory<Double>(uninitialized: count)
        try rows.forEachStretch(parallel: parallel, interruption: interruption) { stretch, view in
            var pace = PacedInterruption(interruption)
            let row = AlignedMemory<Float>(uninitialized: view.width)
            for place in 0..<stretch.count {
                view.decode(place..<place + 1, into: row.start)
                norms.start[stretch.lowerBound + place] = Vectors.dot(row.start, row.start, view.width)
                try pace.check(after: 4 * view.width)
            }
        }
        return norms.copy
    }
}
