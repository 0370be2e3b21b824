internal import LinearAlgebra

extension Network {
    /// The network in two: what lies before the first trained layer, whose outputs never change and can be computed once, and the rest,
    /// which takes them as inputs. nil where the first layer is trained already.
    ///
    /// Both go by the parameters and the fixed tensors of the whole. Layers of a residual block stay together.
    public var frozenAndTrained: (frozen: Network, trained: Network)? {
        guard let first = steps.firstIndex(where: \.isTrained) else { return nil }
        var cut = first
        // A block that is entered before the cut and left behind it moves the cut to its entrance.
        while let origin = additionOrigins(behind: cut).min(), origin < cut { cut = origin }
        guard cut > 0 else { return nil }
        let width = steps[cut - 1].outputWidth
        let moved = steps[cut...].map { step in
            guard case .addition(let addition) = step.operation else { return step }
            return Step(
                operation: .addition(AdditionStep(origin: addition.origin - cut)), inputWidth: step.inputWidth,
                outputWidth: step.outputWidth, trained: step.trained, pointer: step.pointer, name: step.name)
        }
        let frozen = prefix(steps: cut)
        let trained = Network(
            inputShape: [width], tokenCount: nil, outputWidth: outputWidth, loss: loss, weightDecay: weightDecay,
            tensors: tensors, parameterCount: parameterCount, fixedCount: fixedCount,
            layers: layers.filter { $0.activation >= cut }.map { $0.moved(back: cut) }, steps: moved,
            skips: skips[cut...].map { $0.map { $0 - cut } })
        return (frozen, trained)
    }

    private func additionOrigins(behind cut: Int) -> [Int] {
        steps[cut...].compactMap { step in
            guard case .addition(let addition) = step.operation else { return nil }
            return addition.origin
        }
    }
}
