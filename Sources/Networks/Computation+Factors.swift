internal import LinearAlgebra

/// Where an example's gradient factors lie in a row of them: for each trained step its input x, unless that is the network's own,
/// and δ of its output.
///
/// A step's gradient is the derivative of its output along θ, transposed, times δ: for a linear layer δ ⊗ x (TracIn, appendix F). So the
/// product with a direction v is δ · (∂y/∂θ)v, which needs x and δ and no gradient.
struct FactorLayout: Sendable, Equatable {
    /// One trained step's part of a row.
    struct Part: Sendable, Equatable {
        let step: Int
        /// nil where x is the network's input.
        let x: Range<Int>?
        let dy: Range<Int>
    }

    let parts: [Part]
    /// Numbers in a row.
    let width: Int

    init(_ network: Network) {
        var parts: [Part] = []
        var next = 0
        for (index, step) in network.steps.enumerated() where step.isTrained {
            let x = index == 0 ? nil : next..<next + step.inputWidth
            next += x?.count ?? 0
            parts.append(Part(step: index, x: x, dy: next..<next + step.outputWidth))
            next += step.outputWidth
        }
        (self.parts, width) = (parts, next)
    }
}

extension Computation {
    /// The gradient factors of each example of a batch, row by row: [count, layout.width]. One way forward and back.
    func factors(
        of batch: ExampleBatch, _ examples: LabeledExamples, _ layout: FactorLayout, into rows: UnsafeMutablePointer<Number>,
        interruption: Interruption
    ) throws {
        try forEachBackward(of: batch, examples, interruption: interruption) { chunk, pass in
            pass.writeFactors(layout, into: rows + chunk.lowerBound * layout.width)
        }
    }

    /// Takes a batch forward and back, a chunk at a time, and shows `body` the pass that holds x and δ of every step. Given gradients of
    /// the outputs begin with those of the place `first`.
    func forEachBackward(
        of batch: ExampleBatch, _ examples: LabeledExamples, from outputs: OutputGradients = .ofLoss, _ first: Int = 0,
        interruption: Interruption, _ body: (Range<Int>, Pass<Number>) throws -> Void
    ) throws {
        try withPass(.first, interruption: interruption) { pass in
            let state = AlignedMemory<Number>(uninitialized: pass.capacity * loss.stateWidth)
            try forEachChunk(of: batch, examples.features, in: pass) { chunk in
                switch outputs {
                case .ofLoss: differentiateLoss(chunk, of: batch, examples, factor: 1, in: pass, state: state.start)
                case .given(let gradients):
                    let start = (first + chunk.lowerBound) * network.outputWidth
                    for i in 0..<chunk.count * network.outputWidth { pass.outputGradients[i] = Number(gradients[start + i]) }
                }
                try pass.backward(parameters)
                try body(chunk, pass)
            }
        }
    }

    /// direction · gᵢ from the factors of examples: those of place k of the batch are the k-th row behind `rows`, or the row of the
    /// example itself where `byExample`. Each direction costs half of a way forward along it.
    func scores(
        ofFactors rows: UnsafePointer<Number>, byExample: Bool, _ layout: FactorLayout, of batch: ExampleBatch,
        _ features: FeatureRows, along directions: UnsafePointer<Number>, count: Int, into scores: UnsafeMutablePointer<Number>,
        stride: Int, interruption: Interruption
    ) throws {
        try withPass(.first, interruption: interruption) { pass in
            for start in Swift.stride(from: 0, to: batch.count, by: pass.capacity) {
                let chunk = start..<min(start + pass.capacity, batch.count)
                for d in 0..<count { (scores + d * stride + start).update(repeating: 0, count: chunk.count) }
                for part in layout.parts {
                    if part.x == nil { load(chunk, of: batch, features, into: pass) }
                    for row in 0..<chunk.count {
                        let place = start + row
                        pass.setFactors(
                            of: part, row: row, from: rows + (byExample ? batch.example(place) : place) * layout.width)
                    }
                    pass.prepare(part.step, rows: chunk.count, parameters)
                    for d in 0..<count {
                        pass.addScores(
                            of: part.step, along: directions + d * network.parameterCount, parameters,
                            to: scores + d * stride + start)
                        try pass.check(afterForEachRow: network.steps[part.step].operations)
                    }
                }
            }
        }
    }
}

extension Pass {
    /// Writes the factors of all rows, row after row, as `forward` and `backward` have left them.
    func writeFactors(_ layout: FactorLayout, into factors: UnsafeMutablePointer<Number>) {
        for part in layout.parts {
            let (x, dy) = self.factors(of: part.step)
            for row in 0..<rows {
                let destination = factors + row * layout.width
                if let range = part.x {
                    (destination + range.lowerBound).update(from: x + row * range.count, count: range.count)
                }
                (destination + part.dy.lowerBound).update(from: dy + row * part.dy.count, count: part.dy.count)
            }
        }
    }

    /// Puts an example's factors where `forward` and `backward` would have left them.
    func setFactors(of part: FactorLayout.Part, row: Int, from factors: UnsafePointer<Number>) {
        let (x, dy) = factorMemory(of: part.step)
        if let range = part.x { (x + row * range.count).update(from: factors + range.lowerBound, count: range.count) }
        (dy + row * part.dy.count).update(from: factors + part.dy.lowerBound, count: part.dy.count)
    }

    /// scores[row] ← scores[row] + δ · (∂y/∂θ)v of a step, whose factors are in place.
    func addScores(
        of index: Int, along v: UnsafePointer<Number>, _ parameters: Parameters<Number>,
        to scores: UnsafeMutablePointer<Number>
    ) {
        let step = network.steps[index]
        let (tangent, dy) = (tangentMemory(of: index).y, factors(of: index).dy)
        step.operation.tangent(frame(index, parameters), step, x: nil, v: v, into: tangent)
        for row in 0..<rows {
            var sum: Number = 0
            for c in row * step.outputWidth..<(row + 1) * step.outputWidth { sum += tangent[c] * dy[c] }
            scores[row] += sum
        }
    }
}
