public import LinearAlgebra

extension SoftmaxCurvature {
    /// trace(D), and the largest ‖Aᵢ‖·‖x̃ᵢ‖² or a bound of it: tr(Aᵢ)·‖x̃ᵢ‖² is the trace of Cᵢ. 4·C flops an example, once the squared norms
    /// of the features are known.
    /// - Throws: `Interrupted`.
    public func measure(parallel: Parallel, interruption: Interruption) throws -> CurvatureSize {
        let norms = try features.squaredNorms(parallel: parallel, interruption: interruption)
        // As the pieces of a product, so that the sum has the same bits on any number of threads.
        let pieces = Parallel.ranges(of: exampleCount, pieces: 16)
        let sizes = AlignedMemory<SIMD2<Double>>(uninitialized: pieces.count)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            var (trace, largest) = (0.0, 0.0)
            var pace = PacedInterruption(interruption)
            for row in pieces[piece] {
                try pace.check(after: 4 * model.classCount)
                let squaredNorm = norms.start[row] + (model.hasBias ? 1 : 0)
                let (outputTrace, bound) = outputSize(of: row)
                trace += outputTrace * squaredNorm
                largest = max(largest, bound * squaredNorm)
            }
            sizes.start[piece] = [trace, largest]
        }
        let all = sizes.copy
        return CurvatureSize(
            trace: all.reduce(0) { $0 + $1.x } / Double(exampleCount),
            largestExampleNorm: all.reduce(0) { max($0, $1.y) })
    }

    /// tr(Aᵢ), and a bound of ‖Aᵢ‖.
    private func outputSize(of row: Int) -> (trace: Double, bound: Double) {
        outputFactors.withUnsafeBufferPointer { factors in
            var (trace, bound) = (0.0, 0.0)
            for c in row * model.classCount..<(row + 1) * model.classCount {
                let factor = Double(factors[c])
                switch kind {
                case .hessian:
                    trace += factor * (1 - factor)
                    // Gershgorin: row c of diag(p) − p pᵀ sums in magnitude to 2·p_c(1 − p_c).
                    bound = max(bound, 2 * factor * (1 - factor))
                case .empiricalFisher:
                    trace += factor * factor
                    bound += factor * factor
                }
            }
            return (trace, bound)
        }
    }
}
