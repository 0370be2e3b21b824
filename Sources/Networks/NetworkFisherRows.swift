public import LinearAlgebra

/// The gradients aᵢ = √wᵢ∇ℓᵢ of a network, whose outer products are its empirical Fisher matrix: see `FisherRows`. Blocks are layers.
///
/// No gradient is written out for products and sums, whatever the layer: with x and δ of an example a product is δ·(∂y/∂θ)v, and a sum
/// is the layer's own way from c·δ to its parameters. Norms are ‖δ‖²·‖x̃‖² of linear layers on one position; other layers' are of
/// gradients written out one by one.
public struct NetworkFisherRows: FisherRows {
    private let curvature: NetworkCurvature
    private let layers: [TrainedLayer]
    /// One for each layer, in order.
    public let factors: [RowFactor]

    /// The gradients of some examples.
    public init(of model: TrainedNetwork, over examples: LabeledExamples) {
        curvature = NetworkCurvature(.empiricalFisher, of: model, over: examples)
        layers = model.network.trainedLayers
        factors = layers.map { layer in
            guard let linear = layer.linear, linear.positions == 1 else { return .plain(layer.parameters.count) }
            return .outer(inputs: linear.inputs, outputs: linear.outputs, hasOne: linear.hasBias)
        }
    }

    /// p.
    public var dimension: Int { curvature.dimension }
    /// n.
    public var exampleCount: Int { curvature.exampleCount }
    /// A layer's parameters each.
    public var blocks: [Range<Int>] { layers.map(\.parameters) }

    /// See `FisherRows`. Once forward and back, and for each vector about as much again for its products, and for its sum.
    /// - Throws: `Interrupted`, and what `body` throws.
    public func visit(
        _ rows: Range<Int>, along x: UnsafePointer<Float>?, addingTo y: UnsafeMutablePointer<Float>?, vectorCount: Int,
        needsNorms: Bool, interruption: Interruption, _ body: (RowProducts) throws -> Void
    ) throws {
        let computation = curvature.model.computation
        let (length, parameters) = (dimension, computation.parameters)
        let writesGradients = needsNorms && factors.contains { if case .plain = $0 { true } else { false } }
        let gradient = AlignedMemory<Float>(repeating: 0, count: writesGradients ? length : 0)
        try computation.withPass(.first, interruption: interruption) { pass in
            let capacity = pass.capacity
            let values = AlignedMemory<Float>(repeating: 0, count: vectorCount * capacity)
            let norms = AlignedMemory<Double>(uninitialized: capacity)
            try curvature.forEachRoot(.gradient, of: .range(rows), in: pass) { chunk in
                for (block, layer) in layers.enumerated() {
                    let operations = curvature.model.network.steps[layer.step].operations
                    if needsNorms {
                        norms.elements.update(repeating: 0)
                        try pass.addSquaredNorms(of: layer.step, parameters, to: norms.start, gradient: gradient.start)
                    }
                    if let x {
                        values.elements.update(repeating: 0)
                        for vector in 0..<vectorCount {
                            pass.addScores(
                                of: layer.step, along: x + vector * length, parameters, to: values.start + vector * capacity)
                            try pass.check(afterForEachRow: operations)
                        }
                    }
                    try body(
                        RowProducts(
                            block: block, rows: rows.lowerBound + chunk.lowerBound..<rows.lowerBound + chunk.upperBound,
                            squaredNorms: needsNorms ? UnsafePointer(norms.start) : nil, values: values.start, stride: capacity))
                    guard let y else { continue }
                    for vector in 0..<vectorCount {
                        pass.addGradients(
                            of: layer.step, times: values.start + vector * capacity, parameters, to: y + vector * length)
                        try pass.check(afterForEachRow: operations)
                    }
                }
            }
        }
    }

    /// See `FisherRows`.
    /// - Throws: `Interrupted`.
    public func write(_ stripe: RowStripe, parallel: Parallel, interruption: Interruption) throws {
        let computation = curvature.model.computation
        let size = curvature.model.network.rowsAtATime
        let pieces = stride(from: stripe.rows.lowerBound, to: stripe.rows.upperBound, by: size).map {
            $0..<min($0 + size, stripe.rows.upperBound)
        }
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            try computation.withPass(.first, interruption: interruption) { pass in
                try curvature.forEachRoot(.gradient, of: .range(pieces[piece]), in: pass) { chunk in
                    let first = pieces[piece].lowerBound + chunk.lowerBound
                    for (index, layer) in layers.enumerated() {
                        let target = stripe.inputs(index, row: first)
                        switch factors[index] {
                        case .outer(let inputs, let outputs, _):
                            let (x, dy) = pass.factors(of: layer.step)
                            target.update(from: x, count: chunk.count * inputs)
                            stripe.outputs(index, row: first).update(from: dy, count: chunk.count * outputs)
                        case .plain(let width):
                            for row in 0..<chunk.count {
                                let gradient = target + row * width
                                gradient.update(repeating: 0, count: width)
                                // Where a vector like θ would begin, of which only the layer's part is there.
                                pass.addGradient(
                                    of: layer.step, row: row, computation.parameters,
                                    to: gradient - layer.parameters.lowerBound)
                                try pass.check(after: curvature.model.network.steps[layer.step].operations + width)
                            }
                        }
                    }
                }
            }
        }
    }
}

extension Pass where Number == Float {
    /// gradient ← gradient + Σ_rows cᵣ·gᵣ of a step, from x and δ that `forward` and `backward` have left.
    func addGradients(
        of index: Int, times coefficients: UnsafePointer<Float>, _ parameters: Parameters<Float>,
        to gradient: UnsafeMutablePointer<Float>
    ) {
        let step = network.steps[index]
        // In memory that tangents have at other times.
        let (dy, scaled) = (factors(of: index).dy, tangentMemory(of: index).y)
        for row in 0..<rows {
            let coefficient = coefficients[row]
            for c in row * step.outputWidth..<(row + 1) * step.outputWidth { scaled[c] = coefficient * dy[c] }
        }
        step.operation.accumulate(frame(index, parameters), step, dy: scaled, into: gradient)
    }
}
