internal import LinearAlgebra

extension Network {
    /// Parameters to begin training with: what PyTorch's layers draw when they are made (`reset_parameters` of each in `torch.nn`).
    ///
    /// | layer | weight | bias |
    /// |---|---|---|
    /// | linear, conv2d | U(−1/√fan_in, 1/√fan_in), Kaiming's uniform distribution for a = √5 | the same |
    /// | batch_norm1d, batch_norm2d, layer_norm | 1 | 0 |
    /// | embedding, mean_embedding | N(0, 1), zeros in the row of the padding id | |
    ///
    /// fan_in is the number of inputs that an output is made of: in_features, or in_channels / groups × the kernel's extents. Running
    /// statistics are those of numbers that are normalised already: mean 0, variance 1.
    ///
    /// Where the objective is convex in θ, θ is zero instead, as scikit-learn's linear models begin: the minimum is the same from
    /// everywhere, and no run to it depends on a seed. What is fixed is drawn all the same.
    /// - Parameter seed: names the numbers; each tensor has a stream of its own, whatever the others are.
    /// - Returns: θ, `parameterCount` numbers, and the tensors that are not trained, `fixedCount` numbers.
    /// - Complexity: O(p).
    public func initialParameters(seed: UInt64) -> (trained: [Float], fixed: [Float]) {
        var trained = [Float](repeating: 0, count: parameterCount)
        var fixed = [Float](repeating: 0, count: fixedCount)
        var origins: [(slot: TensorSlot, origin: TensorOrigin)] = []
        for step in steps { origins += step.operation.tensorOrigins(in: self) }
        for (place, entry) in origins.enumerated() {
            guard !(entry.slot.isTrained && isConvex) else { continue }
            // Counted from the last stream downwards: a run's orders of examples are drawn from the first ones upwards.
            var stream = RandomStream(seed: seed, index: ~UInt64(place))
            let range = entry.slot.offset..<entry.slot.offset + entry.slot.count
            if entry.slot.isTrained {
                entry.origin.fill(&trained[range], from: &stream)
            } else {
                entry.origin.fill(&fixed[range], from: &stream)
            }
        }
        return (trained, fixed)
    }

    /// Whether layers normalise by statistics that are stored, and that training leaves as they are.
    public var hasRunningStatistics: Bool {
        steps.contains { if case .batchNorm = $0.operation { true } else { false } }
    }

    /// Layers whose weights are not trained, in order.
    public var frozenLayers: [String] {
        steps.filter { step in
            step.operation.tensorOrigins(in: self).contains { !$0.slot.isTrained && !$0.origin.isStatistic }
        }.map(\.name)
    }

    /// The extents of a tensor.
    fileprivate func shape(of slot: TensorSlot) -> [Int] { tensors.first { $0.slot == slot }?.shape ?? [] }
}

/// What a tensor holds before any training.
private enum TensorOrigin {
    /// One number everywhere.
    case constant(Float)
    /// U(−bound, bound).
    case uniform(bound: Double)
    /// N(0, 1), but zeros in one row.
    case normal(zeros: Range<Int>?)
    /// One number everywhere, which describes data rather than being a weight.
    case statistic(Float)

    var isStatistic: Bool { if case .statistic = self { true } else { false } }

    func fill(_ numbers: inout ArraySlice<Float>, from stream: inout RandomStream) {
        switch self {
        case .constant(let number), .statistic(let number):
            for i in numbers.indices { numbers[i] = number }
        case .uniform(let bound):
            for i in numbers.indices {
                let unit = (Double(stream.next() >> 11) + 0.5) * 0x1p-53
                numbers[i] = Float(bound * (2 * unit - 1))
            }
        case .normal(let zeros):
            for i in numbers.indices { numbers[i] = Float(stream.nextNormal()) }
            for i in zeros ?? 0..<0 { numbers[numbers.startIndex + i] = 0 }
        }
    }
}

extension Operation {
    /// How each of its tensors begins, weight before bias.
    fileprivate func tensorOrigins(in network: Network) -> [(slot: TensorSlot, origin: TensorOrigin)] {
        func uniform(_ weight: TensorSlot, _ bias: TensorSlot?) -> [(slot: TensorSlot, origin: TensorOrigin)] {
            let inputs = network.shape(of: weight).dropFirst().reduce(1, *)
            let origin = TensorOrigin.uniform(bound: 1 / Double(inputs).squareRoot())
            return [(weight, origin)] + (bias.map { [($0, origin)] } ?? [])
        }
        func scale(_ weight: TensorSlot?, _ bias: TensorSlot?) -> [(slot: TensorSlot, origin: TensorOrigin)] {
            (weight.map { [($0, .constant(1))] } ?? []) + (bias.map { [($0, .constant(0))] } ?? [])
        }
        switch self {
        case .linear(let step): return uniform(step.weight, step.bias)
        case .convolution(let step): return uniform(step.weight, step.bias)
        case .layerNorm(let step): return scale(step.weight, step.bias)
        case .batchNorm(let step):
            return scale(step.weight, step.bias) + [(step.mean, .statistic(0)), (step.variance, .statistic(1))]
        case .embedding(let step):
            let zeros = step.padding.map { $0 * step.width..<($0 + 1) * step.width }
            return [(step.weight, .normal(zeros: zeros))]
        case .elementwise, .maxPool, .meanPool, .addition: return []
        }
    }
}
