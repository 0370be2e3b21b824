internal import LinearAlgebra
internal import Synchronization

/// A network at given parameters, in one kind of number: what all public types compute with, and what tests run in double precision.
struct Computation<Number: Real>: Sendable {
    let network: Network
    let loss: LossKernel
    private let trained: AlignedMemory<Number>
    private let fixed: AlignedMemory<Number>
    private let passes: PassPool<Number>

    init(_ network: Network, parameters: some Collection<Number>, fixed: some Collection<Number>) {
        self.init(network, parameters: parameters, fixed: AlignedMemory(copying: fixed), passes: PassPool())
    }

    /// With fixed tensors and passes that it shares with the same network at other θ.
    init(
        _ network: Network, parameters: some Collection<Number>, fixed: AlignedMemory<Number>, passes: PassPool<Number>
    ) {
        precondition(
            parameters.count == network.parameterCount && fixed.count == network.fixedCount, "shapes were checked at the edge")
        self.network = network
        loss = LossKernel(loss: network.loss, width: network.outputWidth)
        trained = AlignedMemory(copying: parameters)
        (self.fixed, self.passes) = (fixed, passes)
    }

    /// Another network that goes by the same numbers.
    init(_ network: Network, sharing other: Computation) {
        precondition(
            network.parameterCount == other.network.parameterCount && network.fixedCount == other.network.fixedCount,
            "parts of a network have its tensors")
        self.network = network
        loss = LossKernel(loss: network.loss, width: network.outputWidth)
        (trained, fixed, passes) = (other.trained, other.fixed, PassPool())
    }

    /// θ and what is fixed; valid while this is.
    var parameters: Parameters<Number> { Parameters(trained: UnsafePointer(trained.start), fixed: UnsafePointer(fixed.start)) }

    /// θ.
    var theta: UnsafeBufferPointer<Number> { UnsafeBufferPointer(trained.elements) }

    /// Runs `body` with a pass for derivatives of an order, which nobody else has meanwhile.
    func withPass<Result>(
        _ order: DerivativeOrder, interruption: Interruption, _ body: (Pass<Number>) throws -> Result
    ) rethrows -> Result {
        let pass = takePass(order, interruption: interruption)
        defer { putBack(pass) }
        return try body(pass)
    }

    /// A pass that nobody else has, until it is put back.
    func takePass(_ order: DerivativeOrder, interruption: Interruption) -> Pass<Number> {
        let pass = passes.take(order) ?? Pass(network, order: order, capacity: network.rowsAtATime)
        pass.interruption = interruption
        return pass
    }

    /// Ends the use of a pass.
    func putBack(_ pass: Pass<Number>) {
        pass.interruption = .never
        pass.parallel = Parallel(threads: 1)
        passes.put(pass)
    }

    /// Takes a batch through a pass, a chunk at a time: `body` is told which places of the batch are in it, the outputs being there.
    /// - Throws: `Interrupted`, and what `body` throws.
    func forEachChunk(
        of batch: ExampleBatch, _ features: FeatureRows, in pass: Pass<Number>, _ body: (Range<Int>) throws -> Void
    ) throws {
        for start in stride(from: 0, to: batch.count, by: pass.capacity) {
            try pass.interruption.check()
            let chunk = start..<min(start + pass.capacity, batch.count)
            load(chunk, of: batch, features, into: pass)
            try pass.forward(rows: chunk.count, parameters)
            try body(chunk)
        }
    }

    func load(_ chunk: Range<Int>, of batch: ExampleBatch, _ features: FeatureRows, into pass: Pass<Number>) {
        precondition(features.width == network.inputWidth, "shapes were checked at the edge")
        switch batch {
        case .range(let rows):
            let first = rows.lowerBound + chunk.lowerBound
            Number.load(first..<first + chunk.count, of: features, into: pass.inputs)
        case .indices(let indices):
            for place in chunk {
                let row = Int(indices[place])
                Number.load(row..<row + 1, of: features, into: pass.inputs + (place - chunk.lowerBound) * features.width)
            }
        }
    }

    /// Sets δ of a chunk's outputs to those of factor·wᵢ·ℓᵢ, and what determines products with the losses' second derivatives.
    func differentiateLoss(
        _ chunk: Range<Int>, of batch: ExampleBatch, _ examples: LabeledExamples, factor: Number, in pass: Pass<Number>,
        state: UnsafeMutablePointer<Number>
    ) {
        let width = network.outputWidth
        for place in chunk {
            let (row, example) = (place - chunk.lowerBound, batch.example(place))
            loss.differentiate(
                pass.outputs + row * width, target: examples.targets.number(example),
                weight: factor * Number(examples.weight(example)), gradient: pass.outputGradients + row * width,
                state: state + row * loss.stateWidth)
        }
    }
}

/// Passes that are not in use, so that memory is asked for once and not for every product.
///
/// `@unchecked Sendable`: the list is guarded, and a pass that is taken is one thread's own until it is put back.
final class PassPool<Number: Real>: @unchecked Sendable {
    /// More than there are threads at work at a time: what is put back beyond is let go of.
    private static var capacity: Int { 16 }
    /// Bytes of a pass, 32 MiB, beyond which it is let go of: its network takes far longer to compute than memory to ask for.
    private static var largest: Int { 32 << 20 }
    private let lock = Mutex(())
    private var idle: [Pass<Number>] = []

    func take(_ order: DerivativeOrder) -> Pass<Number>? {
        lock.withLock { _ in idle.lastIndex { $0.order == order }.map { idle.remove(at: $0) } }
    }

    func put(_ pass: Pass<Number>) {
        guard pass.byteCount <= Self.largest else { return }
        lock.withLock { _ in if idle.count < Self.capacity { idle.append(pass) } }
    }
}
