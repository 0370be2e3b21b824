public import LinearAlgebra

extension LossSpec {
    /// −∂ℓ/∂margin of an example: 1 − p_y for the two cross entropies, TRAK's weight of a training example (the diagonal of Q; Park et
    /// al. 2023, section 3). By it the gradients of loss and margin are the same up to a number: ∇ℓ = −(1 − p_y)·∇margin.
    ///
    /// Computed as σ(−margin): 1 less a probability near 1 would have few digits or none. For `smooth_hinge` it is σ((1 − y·f)/t), with
    /// which the same holds. Where labels are smoothed the loss is no function of the margin; 1 − p_y is given then too, but the gradients
    /// are not parallel.
    /// - Throws: `MeasurementError` where the loss has no margin, or the target is no label, or outputs are not finite.
    public func marginWeight(of outputs: [Double], target: Double) throws(MeasurementError) -> Double {
        try requireMargin(outputWidth: outputs.count)
        try check(.margin, target: target, outputWidth: outputs.count)
        guard outputs.allSatisfy(\.isFinite) else { throw .notFinite(example: nil) }
        return marginWeight(outputs, count: outputs.count, target: target)
    }

    /// The weights of all of some examples, from their outputs [n, width]: O(n·width). The same bits on any number of threads.
    /// - Throws: `MeasurementError`, `Interrupted`.
    public func marginWeights(
        of outputs: AlignedMemory<Float>, width: Int, targets: Targets, parallel: Parallel, interruption: Interruption = .never
    ) throws -> [Double] {
        let count = targets.count
        precondition(outputs.count == count * width, "outputs are [n, width]")
        try requireMargin(outputWidth: width)
        let weights = AlignedMemory<Double>(uninitialized: count)
        let pieces = Parallel.ranges(of: count, pieces: count / Self.examplesTogether + 1)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            var paced = PacedInterruption(interruption)
            for example in pieces[piece] {
                try paced.check(after: 64 * width)
                let target = targets.number(example)
                if let flaw = flaw(ofTarget: target, outputWidth: width) { throw MeasurementError.target(flaw) }
                guard self != .binaryCrossEntropy || target == 0 || target == 1 else {
                    throw MeasurementError.noLabel(target, example: example)
                }
                let row = outputs.start + example * width
                guard (0..<width).allSatisfy({ row[$0].isFinite }) else { throw MeasurementError.notFinite(example: example) }
                weights.start[example] = marginWeight(row, count: width, target: target)
            }
        }
        return weights.copy
    }

    /// Examples of a piece.
    private static let examplesTogether = 4096

    /// Refuses a loss that knows no margin of a label, and a single class.
    /// - Throws: `MeasurementError.noMargin`.
    public func requireMargin(outputWidth: Int) throws(MeasurementError) {
        let isKnown = if case .crossEntropy = self { outputWidth > 1 } else { measurements.contains(.margin) }
        guard isKnown else { throw .noMargin(self) }
    }

    @inline(__always)
    private func marginWeight<Number: Real>(_ outputs: UnsafePointer<Number>, count: Int, target: Double) -> Double {
        switch self {
        case .crossEntropy: LossKernel.logistic(-OtherClasses(than: Int(target), outputs, count: count).margin).value
        case .binaryCrossEntropy: LossKernel.logistic(target == 1 ? -Double(outputs[0]) : Double(outputs[0])).value
        case .smoothHinge(let temperature): LossKernel.logistic((1 - target * Double(outputs[0])) / temperature).value
        // Has no margin: refused before.
        case .meanSquaredError: .nan
        }
    }
}
