public import LinearAlgebra

/// A network at the parameters of a checkpoint: what it says of examples, and how that changes with θ. Single precision.
public struct TrainedNetwork: Sendable {
    /// The structure.
    public let network: Network
    let computation: Computation<Float>
    let layout: FactorLayout

    /// - Parameters:
    ///   - parameters: θ, `network.parameterCount` numbers.
    ///   - fixed: the tensors that are not trained, `network.fixedCount` numbers.
    public init(_ network: Network, parameters: [Float], fixed: [Float] = []) {
        self.init(network, parameters: parameters, fixed: AlignedMemory(copying: fixed), passes: PassPool())
    }

    /// With fixed tensors and passes that it shares with the same network at other θ.
    init(_ network: Network, parameters: some Collection<Float>, fixed: AlignedMemory<Float>, passes: PassPool<Float>) {
        self.network = network
        computation = Computation(network, parameters: parameters, fixed: fixed, passes: passes)
        layout = FactorLayout(network)
    }

    /// What lies before the first trained layer, and the rest; nil where the first layer is trained already.
    public var frozenAndTrained: (frozen: TrainedNetwork, trained: TrainedNetwork)? {
        network.frozenAndTrained.map { frozen, trained in
            (TrainedNetwork(frozen, sharing: computation), TrainedNetwork(trained, sharing: computation))
        }
    }

    /// Another network that goes by the same numbers.
    init(_ network: Network, sharing computation: Computation<Float>) {
        self.network = network
        self.computation = Computation(network, sharing: computation)
        layout = FactorLayout(network)
    }

    /// θ.
    public var parameters: [Float] { Array(computation.theta) }

    /// Outputs of every row, [n, outputWidth].
    /// - Throws: `Interrupted`.
    public func outputs(
        of features: FeatureRows, parallel: Parallel = Parallel(threads: 1), interruption: Interruption = .never
    ) throws -> AlignedMemory<Float> {
        precondition(features.width == network.inputWidth, "shapes were checked at the edge")
        return try computation.outputs(of: .range(0..<features.count), features, parallel: parallel, interruption: interruption)
    }

    /// ℓ of an example's outputs, `network.outputWidth` numbers, and its target, without a weight; in double precision.
    public func loss(outputs: UnsafePointer<Float>, target: Double) -> Double {
        computation.loss.value(outputs, target: target)
    }

    /// What outputs say as probabilities: softmax for cross entropy, σ of the logit for binary cross entropy as (1 − p, p); nil for
    /// losses that know none.
    public func probabilities(outputs: [Float]) -> [Float]? {
        switch network.loss {
        case .crossEntropy:
            var probabilities = outputs
            Softmax.rows(outputs, rows: 1, classes: outputs.count, probabilities: &probabilities)
            return probabilities
        case .binaryCrossEntropy: return [LossKernel.logistic(-outputs[0]).value, LossKernel.logistic(outputs[0]).value]
        case .meanSquaredError, .smoothHinge: return nil
        }
    }

    /// gᵢ = wᵢ∇ℓᵢ of some examples, or what comes back from given gradients of their outputs, written out: [count, p].
    /// - Throws: `Interrupted`.
    public func gradients(
        of rows: Range<Int>, in examples: LabeledExamples, from outputs: OutputGradients = .ofLoss,
        interruption: Interruption = .never
    ) throws -> [Float] {
        let count = rows.count * network.parameterCount
        return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let start = buffer.baseAddress {
                try writeGradients(
                    of: [rows], in: examples, from: outputs, into: start, parallel: Parallel(threads: 1),
                    interruption: interruption)
            }
            initialized = count
        }
    }

    /// (1/n) Σ wᵢℓᵢ and its gradient over some examples, at least one; the gradient has the same bits on any number of threads.
    /// - Throws: `Interrupted`.
    public func meanGradient(
        over batch: ExampleBatch, of examples: LabeledExamples, into gradient: UnsafeMutablePointer<Float>,
        parallel: Parallel, interruption: Interruption = .never
    ) throws -> Double {
        precondition(batch.count > 0, "a mean needs examples")
        let length = network.parameterCount
        let pieces = Parallel.ranges(of: batch.count, pieces: ExamplePieces.count(of: batch.count, dimension: length))
        // The first piece's goes where all shall be.
        let partials = AlignedMemory<Float>(uninitialized: length * (pieces.count - 1))
        let losses = AlignedMemory<Double>(uninitialized: pieces.count)
        let factor = 1 / Float(batch.count)
        // Only read, by every piece, and written by one.
        nonisolated(unsafe) let (batch, gradient) = (batch, gradient)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            losses.start[piece] = try computation.addGradient(
                over: batch.part(pieces[piece]), of: examples, factor: factor,
                to: piece == 0 ? gradient : partials.start + (piece - 1) * length, overwriting: true,
                interruption: interruption)
        }
        for piece in 1..<pieces.count {
            try interruption.check()
            BLAS.add(length, alpha: 1, partials.start + (piece - 1) * length, to: gradient)
        }
        return losses.elements.reduce(0, +) / Double(batch.count)
    }

    /// direction · gᵢ for each of some stacked directions, as long as θ, and each example of a batch: [directions, count].
    ///
    /// By forward mode, without writing a gradient out: about (1 + directions) times the work of the outputs.
    /// - Throws: `Interrupted`.
    public func scores(
        of batch: ExampleBatch, in examples: LabeledExamples, along directions: [Float], parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> AlignedMemory<Float> {
        try scores(of: batch, along: directions, parallel: parallel, interruption: interruption) {
            piece, directions, count, scores, stride in
            try computation.scores(
                of: piece, examples, along: directions, count: count, into: scores, stride: stride,
                interruption: interruption)
        }
    }
}

// Gradients as the factors that they are products of.
extension TrainedNetwork {
    /// Numbers in a row of an example's gradient factors: for each trained layer its input, unless that is the network's own, and the
    /// gradient of its output.
    public var factorWidth: Int { layout.width }

    /// The gradient factors of some examples, [rows, factorWidth].
    /// - Throws: `Interrupted`.
    public func factors(
        of rows: Range<Int>, in examples: LabeledExamples, into factors: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption = .never
    ) throws {
        // Written by every piece, each its own rows.
        nonisolated(unsafe) let factors = factors
        try computation.forEachPiece(of: .range(rows), parallel, interruption) { piece, first in
            try computation.factors(
                of: piece, examples, layout, into: factors + first * layout.width, interruption: interruption)
        }
    }

    /// As `scores(of:in:along:)`, from the gradient factors of all examples, [n, factorWidth]: half of the work.
    /// - Throws: `Interrupted`.
    public func scores(
        of batch: ExampleBatch, in examples: LabeledExamples, factors: UnsafePointer<Float>, along directions: [Float],
        parallel: Parallel, interruption: Interruption = .never
    ) throws -> AlignedMemory<Float> {
        // Only read, by every piece.
        nonisolated(unsafe) let factors = factors
        return try scores(of: batch, along: directions, parallel: parallel, interruption: interruption) {
            piece, directions, count, scores, stride in
            try computation.scores(
                ofFactors: factors, byExample: true, layout, of: piece, examples.features, along: directions, count: count,
                into: scores, stride: stride, interruption: interruption)
        }
    }

    /// Scores of a batch, made piece by piece.
    private func scores(
        of batch: ExampleBatch, along directions: [Float], parallel: Parallel, interruption: Interruption,
        _ make: @escaping @Sendable (ExampleBatch, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>, Int) throws -> Void
    ) throws -> AlignedMemory<Float> {
        let count = directions.count / network.parameterCount
        precondition(count * network.parameterCount == directions.count, "directions are as long as θ")
        let scores = AlignedMemory<Float>(uninitialized: batch.count * count)
        let stride = batch.count
        try directions.withUnsafeBufferPointer { directions in
            guard let base = directions.baseAddress else { return }
            // Only read, by every piece.
            nonisolated(unsafe) let start = base
            try computation.forEachPiece(of: batch, parallel, interruption) { piece, first in
                try make(piece, start, count, scores.start + first, stride)
            }
        }
        return scores
    }
}

extension ExampleBatch {
    /// Some places of the batch.
    func part(_ places: Range<Int>) -> ExampleBatch {
        switch self {
        case .range(let rows): .range(rows.lowerBound + places.lowerBound..<rows.lowerBound + places.upperBound)
        case .indices(let rows): .indices(UnsafeBufferPointer(rebasing: rows[places]))
        }
    }
}
