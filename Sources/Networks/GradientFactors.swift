public import LinearAlgebra

/// One layer with trained tensors, as those see it who work with the factors of its gradient.
public struct TrainedLayer: Sendable, Equatable {
    /// The sizes of a linear layer, whose gradient is Σ δ ⊗ x over its positions.
    public struct Linear: Sendable, Equatable {
        /// Rows of `inputs` numbers in one example.
        public let positions: Int
        /// D: numbers that go in at a position.
        public let inputs: Int
        /// C: numbers that come out.
        public let outputs: Int
        /// Whether it has biases.
        public let hasBias: Bool
    }

    /// Where its tensors lie in θ, one after the other: of a linear layer W [C, D] and then b.
    public let parameters: Range<Int>
    /// What it is, if it is a linear layer.
    public let linear: Linear?
    let step: Int
}

extension Network {
    /// The layers with trained tensors, first to last. Their parameters make up θ.
    public var trainedLayers: [TrainedLayer] {
        steps.enumerated().compactMap { index, step in
            guard step.isTrained else { return nil }
            var linear: TrainedLayer.Linear?
            if case .linear(let kernel) = step.operation {
                linear = TrainedLayer.Linear(
                    positions: kernel.positions, inputs: kernel.inputs, outputs: kernel.outputs, hasBias: kernel.bias != nil)
            }
            return TrainedLayer(parameters: step.trained, linear: linear, step: index)
        }
    }
}

/// The gradients of a few examples that have just been through a network, as the factors that they are products of: lent for as long
/// as the function runs that is shown them.
public struct GradientFactors {
    /// Examples.
    public let count: Int
    private let pass: Pass<Float>
    private let parameters: Parameters<Float>

    fileprivate init(_ pass: Pass<Float>, _ parameters: Parameters<Float>) {
        count = pass.rows
        self.pass = pass
        self.parameters = parameters
    }

    /// x of a layer, row by row: of a linear layer [count, positions, D].
    public func inputs(of layer: TrainedLayer) -> UnsafePointer<Float> { pass.factors(of: layer.step).x }

    /// δ, the gradient of a layer's outputs, row by row: of a linear layer [count, positions, C].
    public func outputGradients(of layer: TrainedLayer) -> UnsafePointer<Float> { pass.factors(of: layer.step).dy }

    /// Writes the rows of a layout, one after the other.
    func write(_ layout: FactorLayout, into rows: UnsafeMutablePointer<Float>) { pass.writeFactors(layout, into: rows) }

    /// gradient ← gradient + the layer's part of an example's gradient, in its place in a vector like θ.
    public func addGradient(of row: Int, _ layer: TrainedLayer, to gradient: UnsafeMutablePointer<Float>) {
        pass.addGradient(of: layer.step, row: row, parameters, to: gradient)
    }
}

extension TrainedNetwork {
    /// Takes examples through the network and back, a few at a time on each of several threads, and shows `body` what their gradients
    /// are made of, with the place of the first among all the examples.
    ///
    /// Each range is cut into pieces by itself: what is made of an example does not depend on the other ranges. The way back begins with
    /// the loss's own gradients of the outputs, or with given ones, in the order of the ranges.
    /// - Throws: `Interrupted`, and what `body` throws.
    public func forEachFactors(
        of ranges: [Range<Int>], in examples: LabeledExamples, from outputs: OutputGradients = .ofLoss, parallel: Parallel,
        interruption: Interruption, _ body: @escaping @Sendable (_ place: Int, GradientFactors) throws -> Void
    ) throws {
        let size = network.rowsAtATime
        precondition(outputs.fits(ranges.reduce(0) { $0 + $1.count }, network), "a gradient of the outputs for each example")
        var pieces: [(rows: Range<Int>, place: Int)] = []
        var place = 0
        for range in ranges {
            for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
                pieces.append((start..<min(start + size, range.upperBound), place + start - range.lowerBound))
            }
            place += range.count
        }
        try parallel.forEach(pieces.count, interruption: interruption) { [pieces] index in
            let (rows, place) = pieces[index]
            try computation.forEachBackward(of: .range(rows), examples, from: outputs, place, interruption: interruption) {
                chunk, pass in
                try body(place + chunk.lowerBound, GradientFactors(pass, computation.parameters))
            }
        }
    }

    /// gᵢ = wᵢ∇ℓᵢ of some ranges of examples, or what comes back from given gradients of their outputs, written out one after the other:
    /// [examples, p], on several threads.
    /// - Throws: `Interrupted`.
    public func writeGradients(
        of ranges: [Range<Int>], in examples: LabeledExamples, from outputs: OutputGradients = .ofLoss,
        into gradients: UnsafeMutablePointer<Float>, parallel: Parallel, interruption: Interruption
    ) throws {
        let (layers, length) = (network.trainedLayers, network.parameterCount)
        // Each piece writes the gradients of its own examples.
        nonisolated(unsafe) let gradients = gradients
        try forEachFactors(of: ranges, in: examples, from: outputs, parallel: parallel, interruption: interruption) {
            place, factors in
            var pace = PacedInterruption(interruption)
            for row in 0..<factors.count {
                let gradient = gradients + (place + row) * length
                gradient.update(repeating: 0, count: length)
                for layer in layers { factors.addGradient(of: row, layer, to: gradient) }
                try pace.check(after: 4 * length)
            }
        }
    }

    /// direction · gᵢ of a batch of which the factors, and no others', lie in memory in its order, [count, factorWidth]: each direction's
    /// scores go to `scores`, `stride` numbers behind those of the previous one. By one thread; the bits are those of
    /// `scores(of:in:factors:along:)`.
    /// - Throws: `Interrupted`.
    public func writeScores(
        ofFactors factors: UnsafePointer<Float>, of batch: ExampleBatch, in examples: LabeledExamples,
        along directions: [Float], into scores: UnsafeMutablePointer<Float>, stride: Int, interruption: Interruption
    ) throws {
        let count = directions.count / network.parameterCount
        precondition(count * network.parameterCount == directions.count, "directions are as long as θ")
        try directions.withUnsafeBufferPointer { directions in
            guard let start = directions.baseAddress else { return }
            try computation.scores(
                ofFactors: factors, byExample: false, FactorLayout(network), of: batch, examples.features, along: start,
                count: count,
                into: scores, stride: stride, interruption: interruption)
        }
    }
}
