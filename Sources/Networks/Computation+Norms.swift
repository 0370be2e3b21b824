internal import LinearAlgebra

// Norms of examples' gradients: see `Pass.addSquaredNorms`.
extension Computation where Number == Float {
    /// norms[k] ← ‖g‖² of the example in place k of some neighbouring ones, whose factors lie one row behind the other, or which go forward
    /// and back where no factors are given.
    /// - Parameter inputNorms: ‖x‖² of all examples' inputs, where a linear layer on one position takes these.
    func squaredNorms(
        ofFactors rows: UnsafePointer<Float>?, _ layout: FactorLayout, of range: Range<Int>, in examples: LabeledExamples,
        inputNorms: UnsafePointer<Double>?, into norms: UnsafeMutablePointer<Double>, interruption: Interruption
    ) throws {
        let batch = ExampleBatch.range(range)
        // Of the layers whose gradients are written out, one after the other, in the same place.
        let written = AlignedMemory<Float>(repeating: 0, count: layout.parts.map { writtenCount($0.step) }.max() ?? 0)
        func add(_ part: FactorLayout.Part, _ chunk: Range<Int>, _ pass: Pass<Float>) throws {
            if part.x == nil, let inputNorms, let one = network.steps[part.step].outerOne {
                let (dy, count) = (pass.factors(of: part.step).dy, part.dy.count)
                for place in chunk {
                    let dy = dy + (place - chunk.lowerBound) * count
                    norms[place] += Vectors.dot(dy, dy, count) * (inputNorms[batch.example(place)] + one)
                }
                return
            }
            try pass.addSquaredNorms(
                of: part.step, parameters, to: norms + chunk.lowerBound,
                gradient: written.start - network.steps[part.step].trained.lowerBound)
        }
        norms.update(repeating: 0, count: range.count)
        guard let rows else {
            return try forEachBackward(of: batch, examples, interruption: interruption) { chunk, pass in
                for part in layout.parts { try add(part, chunk, pass) }
            }
        }
        try withPass(.first, interruption: interruption) { pass in
            for start in stride(from: 0, to: range.count, by: pass.capacity) {
                try interruption.check()
                let chunk = start..<min(start + pass.capacity, range.count)
                for part in layout.parts {
                    let needsInputs = part.x == nil && network.steps[part.step].outerOne == nil
                    if needsInputs { load(chunk, of: batch, examples.features, into: pass) }
                    for place in chunk {
                        pass.setFactors(of: part, row: place - start, from: rows + place * layout.width)
                    }
                    pass.prepare(part.step, rows: chunk.count, parameters)
                    try add(part, chunk, pass)
                }
            }
        }
    }

    /// Numbers of a step's gradient where it is written out.
    private func writtenCount(_ step: Int) -> Int {
        network.steps[step].outerOne == nil ? network.steps[step].trained.count : 0
    }
}

extension Step {
    /// Of a linear layer on one position what the bias adds to ‖x‖²; nil for all else.
    var outerOne: Double? {
        guard case .linear(let linear) = operation, linear.positions == 1 else { return nil }
        return linear.bias == nil ? 0 : 1
    }
}
