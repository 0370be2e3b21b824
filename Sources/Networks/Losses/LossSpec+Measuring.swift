extension LossSpec {
    /// Measures one example's outputs, in double precision: they may be as far apart as single precision allows, as nothing cancels
    /// or overflows where the model is sure.
    ///
    /// With `versus` it is a contrast, why this label and not that: value and gradient of the target's measurement less those of the
    /// other label's (RelatIF, appendix G, looks at the two one by one). The contrast of two cross entropies is that of their logits,
    /// as both subtract the same log-sum: ℓ(y) − ℓ(y′) = f_y′ − f_y.
    /// - Parameters:
    ///   - measurement: what of.
    ///   - outputs: what the network puts out, `outputWidth` numbers.
    ///   - target: y.
    ///   - versus: y′, another label; nil for no contrast.
    /// - Throws: what `check` throws, and where outputs are not finite.
    public func measure(
        _ measurement: OutputMeasurement, of outputs: [Double], target: Double, versus: Double? = nil
    ) throws(MeasurementError) -> MeasuredOutputs {
        try check(measurement, target: target, versus: versus, outputWidth: outputs.count)
        guard outputs.allSatisfy(\.isFinite) else { throw .notFinite(example: nil) }
        guard let versus else { return measured(measurement, outputs, target) }
        if measurement == .loss, let contrast = linearContrast(outputs, target, versus) { return contrast }
        return measured(measurement, outputs, target) - measured(measurement, outputs, versus)
    }

    /// The same of outputs in single precision.
    /// - Throws: `MeasurementError`.
    public func measure(
        _ measurement: OutputMeasurement, of outputs: [Float], target: Double, versus: Double? = nil
    ) throws(MeasurementError) -> MeasuredOutputs {
        try measure(measurement, of: outputs.map(Double.init), target: target, versus: versus)
    }

    /// Says whether outputs can be measured, before there are any.
    /// - Throws: `MeasurementError`: what can't be, and what would work.
    public func check(
        _ measurement: OutputMeasurement, target: Double, versus: Double? = nil, outputWidth: Int
    ) throws(MeasurementError) {
        guard measurements.contains(measurement) else { throw .unavailable(measurement, self) }
        if let flaw = flaw(of: measurement, target, outputWidth) { throw .target(flaw) }
        if let versus {
            if let flaw = flaw(of: measurement, versus, outputWidth) { throw .versus(flaw) }
            guard versus != target else { throw .nothingToContrast(target) }
        }
        if case .crossEntropy = self, measurement == .margin, outputWidth < 2 { throw .singleClass(measurement) }
    }

    private func flaw(of measurement: OutputMeasurement, _ target: Double, _ outputWidth: Int) -> String? {
        if let flaw = flaw(ofTarget: target, outputWidth: outputWidth) { return flaw }
        guard self == .binaryCrossEntropy, measurement != .loss, target != 0, target != 1 else { return nil }
        return "must be a label, 0 or 1, where the measurement is not the loss; got \(Self.text(target))"
    }

    /// ℓ(y) − ℓ(y′) where both have the same term that is not linear in the outputs, which then plays no part.
    private func linearContrast(_ outputs: [Double], _ target: Double, _ versus: Double) -> MeasuredOutputs? {
        switch self {
        case .crossEntropy(let smoothing):
            let (y, other, share) = (Int(target), Int(versus), 1 - smoothing)
            var gradient = [Double](repeating: 0, count: outputs.count)
            (gradient[y], gradient[other]) = (-share, share)
            return MeasuredOutputs(share * (outputs[other] - outputs[y]), gradient)
        case .binaryCrossEntropy: return MeasuredOutputs((versus - target) * outputs[0], [versus - target])
        case .meanSquaredError, .smoothHinge: return nil
        }
    }

    /// A measurement that the loss knows, of a target that it takes.
    private func measured(_ measurement: OutputMeasurement, _ outputs: [Double], _ target: Double) -> MeasuredOutputs {
        if measurement == .loss {
            let kernel = LossKernel(loss: self, width: outputs.count)
            var gradient = outputs
            var state = [Double](repeating: 0, count: kernel.stateWidth)
            kernel.differentiate(outputs, target: target, weight: 1, gradient: &gradient, state: &state)
            return MeasuredOutputs(kernel.value(outputs, target: target), gradient)
        }
        if case .crossEntropy = self { return Self.measured(measurement, ofClass: Int(target), outputs) }
        // One output, towards one label or the other.
        let side = target == 0 ? -1 : target
        guard measurement == .probability else { return MeasuredOutputs(side * outputs[0], [-side]) }
        let (probability, slope) = LossKernel.logistic(side * outputs[0])
        return MeasuredOutputs(probability, [-side * slope])
    }

    /// Of a class among several.
    private static func measured(_ measurement: OutputMeasurement, ofClass y: Int, _ outputs: [Double]) -> MeasuredOutputs {
        guard measurement != .logit else {
            var gradient = [Double](repeating: 0, count: outputs.count)
            gradient[y] = -1
            return MeasuredOutputs(outputs[y], gradient)
        }
        let others = OtherClasses(than: y, outputs, count: outputs.count)
        guard measurement == .probability else {
            // ∂margin/∂f: 1 for the class, and for the others minus their shares of all that is not its.
            return MeasuredOutputs(others.margin, outputs.indices.map { $0 == y ? -1 : others.share(outputs[$0]) })
        }
        // ∂p_y/∂f_j = −p_y·p_j, and p_y·(1 − p_y) for the class itself.
        let (probability, rest) = (LossKernel.logistic(others.margin).value, LossKernel.logistic(-others.margin).value)
        return MeasuredOutputs(
            probability,
            outputs.indices.map { $0 == y ? -probability * rest : probability * rest * others.share(outputs[$0]) })
    }
}
