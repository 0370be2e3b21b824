internal import LinearAlgebra

// Gradients that are no outer products: of convolutions, of layers on several positions, of what has no bases.
extension EKFACNorms {
    /// Σ g̃²·R of gradients that are written out: T = G·Q_Aᵀ of all at once, and Q_G·T one by one.
    func addWritten(
        _ block: KroneckerBlock, _ examples: Range<Int>, of stripe: RowStripe, to sums: NormSums, _ interruption: Interruption
    ) throws {
        let (inputs, order, outputs) = (block.inputs, block.order, block.outputs)
        let size = outputs * order
        let gradients = AlignedMemory<Float>(uninitialized: examples.count * size)
        let rotated = AlignedMemory<Float>(uninitialized: examples.count * size)
        let layer = AlignedMemory<Float>(uninitialized: layers[factor].dimension)
        var lengths = [Double](repeating: 0, count: examples.count)
        var pace = PacedInterruption(interruption)
        for (place, example) in examples.enumerated() {
            let gradient = gradients.start + place * size
            stripe.write(example, factor: factor, into: layer.start)
            for output in 0..<outputs {
                let row = gradient + output * order
                row.update(from: layer.start + block.weights - start + output * inputs, count: inputs)
                if let biases = block.biases { row[inputs] = layer.start[biases - start + output] }
            }
            lengths[place] = Self.normalize(gradient, size)
            try pace.check(after: 4 * (size + layer.count))
        }
        try multiply(
            .transposed, m: examples.count * outputs, n: order, k: order, gradients.start, block.inputVectors.start, order,
            into: rotated.start, interruption)
        for (place, example) in examples.enumerated() {
            let image = gradients.start + place * size
            try multiply(
                .none, m: outputs, n: order, k: outputs, block.outputVectors.start, rotated.start + place * size, order,
                into: image, interruption)
            add(image, size, length: lengths[place], of: example, to: sums)
            try pace.check(after: 6 * size)
        }
        withExtendedLifetime((gradients, rotated, layer)) {}
    }

    /// Σ g²·R of elements that stand for themselves.
    func addElements(
        _ examples: Range<Int>, of stripe: RowStripe, _ part: Range<Int>, to sums: NormSums, _ interruption: Interruption
    ) throws {
        let layer = AlignedMemory<Float>(uninitialized: layers[factor].dimension)
        var pace = PacedInterruption(interruption)
        for example in examples {
            stripe.write(example, factor: factor, into: layer.start)
            let elements = layer.start + part.lowerBound - start
            let length = Self.normalize(elements, part.count)
            add(elements, part.count, length: length, of: example, to: sums)
            try pace.check(after: 12 * layer.count)
        }
        withExtendedLifetime(layer) {}
    }

    /// Adds Σ g²·R, for both powers, of coordinates g of length 1.
    private func add(_ g: UnsafePointer<Float>, _ count: Int, length: Double, of example: Int, to sums: NormSums) {
        var (influence, step) = (0.0, 0.0)
        for i in 0..<count {
            let square = Double(g[i]) * Double(g[i])
            influence += square * Double(reciprocals.start[i])
            if sums.needsSteps { step += square * Double(squares.start[i]) }
        }
        let size = length * length * scale
        sums.add(example, influence: size * influence, squaredStep: size * scale * step)
    }
}
