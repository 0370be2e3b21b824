public import LinearAlgebra

// Norms of training gradients.
extension TrainedNetwork {
    /// ‖gᵢ‖² of every example, gᵢ = wᵢ∇ℓᵢ: once forward and back, or from the gradient factors of all examples, [n, factorWidth].
    ///
    /// A linear layer on one position takes ‖δ‖²(‖x‖² + 1) (TracIn, appendix F). Other layers' gradients are written out, example by
    /// example, or multiplied position by position where that is less work. An example's norm has the same bits beside whichever
    /// others, on any number of threads.
    /// - Throws: `Interrupted`.
    public func squaredNorms(
        of examples: LabeledExamples, factors: UnsafePointer<Float>? = nil, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> [Double] {
        let norms = AlignedMemory<Double>(uninitialized: examples.count)
        let inputNorms = try inputNorms(of: examples, parallel, interruption)
        // Whole chunks; few enough pieces for the memory of gradients that are written out not to be set to zero too often.
        let size = network.rowsAtATime
        let pieces = Parallel.ranges(of: (examples.count + size - 1) / size, pieces: 64)
        // Only read, by every piece.
        nonisolated(unsafe) let factors = factors
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let rows = pieces[piece].lowerBound * size..<min(pieces[piece].upperBound * size, examples.count)
            try computation.squaredNorms(
                ofFactors: factors.map { $0 + rows.lowerBound * layout.width }, layout, of: rows, in: examples,
                inputNorms: inputNorms.map { UnsafePointer($0.start) }, into: norms.start + rows.lowerBound,
                interruption: interruption)
        }
        return norms.copy
    }

    /// The same of some neighbouring examples, whose factors lie one row behind the other, by one thread.
    /// - Throws: `Interrupted`.
    public func writeSquaredNorms(
        ofFactors factors: UnsafePointer<Float>, of rows: Range<Int>, in examples: LabeledExamples,
        into norms: UnsafeMutablePointer<Double>, interruption: Interruption
    ) throws {
        // Known already to all but the first who ask.
        let inputNorms = try inputNorms(of: examples, Parallel(threads: 1), interruption)
        try computation.squaredNorms(
            ofFactors: factors, layout, of: rows, in: examples, inputNorms: inputNorms.map { UnsafePointer($0.start) },
            into: norms, interruption: interruption)
    }

    /// ‖x‖² of the network's inputs where a layer asks for it.
    private func inputNorms(
        of examples: LabeledExamples, _ parallel: Parallel, _ interruption: Interruption
    ) throws -> AlignedMemory<Double>? {
        guard let first = layout.parts.first, first.x == nil, network.steps[first.step].outerOne != nil else { return nil }
        return try examples.features.squaredNorms(parallel: parallel, interruption: interruption)
    }
}
