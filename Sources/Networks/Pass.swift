internal import LinearAlgebra

/// One thread's way through a network with a few examples: forward, backward, and both along a direction in θ.
///
/// All memory is set aside once, for `capacity` rows, and used again for every chunk.
final class Pass<Number: Real> {
    let network: Network
    let order: DerivativeOrder
    /// Threads that a single product of matrices may be spread over: only for whoever has a small batch and nothing else to spread.
    var parallel = Parallel(threads: 1)
    /// What says when to stop. Every way through the network asks, after a step by which there was enough work since the last question.
    var interruption = Interruption.never { didSet { pace = PacedInterruption(interruption) } }
    private var pace = PacedInterruption(.never)
    /// The most rows of a chunk.
    let capacity: Int
    /// The chunk's rows.
    private(set) var rows = 0
    /// Activation k is the input of step k; the last one is the outputs.
    private var activations: [UnsafeMutablePointer<Number>] = []
    private var saved: [UnsafeMutablePointer<Number>] = []
    /// δ of each activation, and its tangent; the first that is needed is that of the first trained step's output.
    private var gradients: [UnsafeMutablePointer<Number>] = []
    private var tangents: [UnsafeMutablePointer<Number>] = []
    private var gradientTangents: [UnsafeMutablePointer<Number>] = []
    private let scratch: UnsafeMutablePointer<Number>
    private let memory: AlignedMemory<Number>
    /// The first step with trained tensors: what is before it knows no direction and needs no δ.
    private let firstTrained: Int

    /// Bytes set aside.
    var byteCount: Int { memory.count * MemoryLayout<Number>.stride }

    /// Memory for derivatives of an order.
    init(_ network: Network, order: DerivativeOrder, capacity: Int) {
        self.network = network
        self.order = order
        self.capacity = capacity
        let steps = network.steps
        firstTrained = network.firstTrained
        let widths = [network.inputWidth] + steps.map(\.outputWidth)
        // Whole cache lines, so that no two regions share one.
        func padded(_ count: Int) -> Int { (count + 15) & ~15 }
        let sets = 1 + (order >= .first ? 2 : 0) + (order >= .second ? 1 : 0)
        let savedCounts = steps.map { padded(capacity * $0.operation.savedWidth($0, order)) }
        let scratchCount = padded(steps.map { $0.operation.scratchCount(rows: capacity) }.max() ?? 0)
        let activationCount = widths.reduce(0) { $0 + padded(capacity * $1) }
        memory = AlignedMemory(uninitialized: sets * activationCount + savedCounts.reduce(0, +) + scratchCount)
        var next = memory.start
        func take(_ count: Int) -> UnsafeMutablePointer<Number> {
            defer { next += count }
            return next
        }
        activations = widths.map { take(padded(capacity * $0)) }
        saved = savedCounts.map(take)
        scratch = take(scratchCount)
        if order >= .first {
            gradients = widths.map { take(padded(capacity * $0)) }
            tangents = widths.map { take(padded(capacity * $0)) }
        }
        if order >= .second { gradientTangents = widths.map { take(padded(capacity * $0)) } }
    }

    /// Where the inputs of the next chunk go: row after row.
    var inputs: UnsafeMutablePointer<Number> { activations[0] }
    /// The outputs, [rows, outputWidth].
    var outputs: UnsafeMutablePointer<Number> { activations[network.steps.count] }
    /// δ of the outputs: whoever goes backward sets it first.
    var outputGradients: UnsafeMutablePointer<Number> { gradients[network.steps.count] }
    /// The tangents of the outputs.
    var outputTangents: UnsafeMutablePointer<Number> { tangents[network.steps.count] }
    /// The tangents of δ of the outputs: whoever goes backward along a direction sets them first.
    var outputGradientTangents: UnsafeMutablePointer<Number> { gradientTangents[network.steps.count] }

    /// x of a step and δ of its output, as the last way forward and back left them: the two factors of its gradients.
    func factors(of step: Int) -> (x: UnsafePointer<Number>, dy: UnsafePointer<Number>) {
        (UnsafePointer(activations[step]), UnsafePointer(gradients[step + 1]))
    }

    /// Where a step's x and δ of its output are.
    func factorMemory(of step: Int) -> (x: UnsafeMutablePointer<Number>, dy: UnsafeMutablePointer<Number>) {
        (activations[step], gradients[step + 1])
    }

    /// Where the tangents of a step's x and of its output go.
    func tangentMemory(of step: Int) -> (x: UnsafeMutablePointer<Number>, y: UnsafeMutablePointer<Number>) {
        (tangents[step], tangents[step + 1])
    }

    /// Where what is kept of the chunk lies, row after row.
    func memory(of content: ActivationLayout.Content) -> UnsafeMutablePointer<Number> {
        switch content {
        case .input(let step): activations[step]
        case .saved(let step, let plane): saved[step] + plane * rows * network.steps[step].outputWidth
        case .outputGradient(let step): gradients[step + 1]
        }
    }

    /// Takes it that what derivatives of `rows` examples need is put into place from elsewhere.
    func restore(rows: Int) {
        precondition(rows <= capacity, "a chunk takes \(capacity) rows")
        self.rows = rows
    }

    /// Makes a step ready for `rows` examples whose x is in place: what it keeps from its way forward.
    func prepare(_ index: Int, rows: Int, _ parameters: Parameters<Number>) {
        self.rows = rows
        let step = network.steps[index]
        guard step.operation.savedWidth(step, order) > 0 else { return }
        step.operation.forward(frame(index, parameters), step, order: order)
    }

    func frame(_ step: Int, _ parameters: Parameters<Number>) -> Frame<Number> {
        Frame(
            rows: rows, parameters: parameters, x: activations[step], y: activations[step + 1], saved: saved[step],
            scratch: scratch, parallel: parallel)
    }

    /// What the functions of a step with trained tensors are lent for one of the rows: what such a step keeps, it keeps row after row.
    func frame(_ index: Int, _ parameters: Parameters<Number>, row: Int) -> Frame<Number> {
        let (frame, step) = (frame(index, parameters), network.steps[index])
        return Frame(
            rows: 1, parameters: parameters, x: frame.x + row * step.inputWidth, y: frame.y + row * step.outputWidth,
            saved: frame.saved + row * step.operation.savedWidth(step, order), scratch: frame.scratch,
            parallel: frame.parallel)
    }

    /// gradient ← gradient + a step's part of one row's gradient, from x and δ that `forward` and `backward` have left.
    func addGradient(
        of index: Int, row: Int, _ parameters: Parameters<Number>, to gradient: UnsafeMutablePointer<Number>
    ) {
        let step = network.steps[index]
        step.operation.accumulate(
            frame(index, parameters, row: row), step, dy: factors(of: index).dy + row * step.outputWidth, into: gradient)
    }

    /// Notes that about so many floating-point operations were done for a row, and asks whether to stop if it is time.
    func check(afterForEachRow operations: Int) throws(Interrupted) { try check(after: rows * operations) }

    /// The same of operations in all.
    func check(after operations: Int) throws(Interrupted) { try pace.check(after: operations) }

    /// Outputs of `rows` examples, whose inputs are in place.
    /// - Throws: `Interrupted`, as all that follow; activations are of no use then.
    func forward(rows: Int, _ parameters: Parameters<Number>) throws(Interrupted) {
        precondition(rows <= capacity, "a chunk takes \(capacity) rows")
        self.rows = rows
        for (index, step) in network.steps.enumerated() {
            step.operation.forward(frame(index, parameters), step, order: order)
            if case .addition(let addition) = step.operation {
                Self.add(activations[addition.origin], to: activations[index + 1], rows * step.outputWidth)
            }
            try check(afterForEachRow: step.operations)
        }
    }

    /// δ of every activation from those of the outputs; where a gradient is given, Σ_rows ∇θ is added to it, or takes its place.
    func backward(
        _ parameters: Parameters<Number>, addingTo gradient: UnsafeMutablePointer<Number>? = nil, overwriting: Bool = false
    ) throws(Interrupted) {
        for index in network.steps.indices.reversed() where index >= firstTrained {
            let step = network.steps[index]
            let frame = frame(index, parameters)
            if let gradient, step.isTrained {
                if case .linear(let linear) = step.operation {
                    linear.accumulate(frame, dy: gradients[index + 1], beta: overwriting ? 0 : 1, into: gradient)
                } else {
                    if overwriting { (gradient + step.trained.lowerBound).update(repeating: 0, count: step.trained.count) }
                    step.operation.accumulate(frame, step, dy: gradients[index + 1], into: gradient)
                }
                try check(afterForEachRow: step.operations)
            }
            guard index > firstTrained else { continue }
            step.operation.backward(frame, step, dy: gradients[index + 1], dx: gradients[index])
            for end in network.skips[index] { Self.add(gradients[end], to: gradients[index], rows * step.inputWidth) }
            try check(afterForEachRow: step.operations)
        }
    }

    /// Tangents of every activation along a direction v in θ.
    func tangent(along v: UnsafePointer<Number>, _ parameters: Parameters<Number>) throws(Interrupted) {
        for (index, step) in network.steps.enumerated() where index >= firstTrained {
            step.operation.tangent(
                frame(index, parameters), step, x: tangentOf(index), v: step.isTrained ? v : nil, into: tangents[index + 1])
            if case .addition(let addition) = step.operation, let incoming = tangentOf(addition.origin) {
                Self.add(incoming, to: tangents[index + 1], rows * step.outputWidth)
            }
            try check(afterForEachRow: 2 * step.operations)
        }
    }

    /// The tangent of an activation: those behind the first trained step have one.
    private func tangentOf(_ activation: Int) -> UnsafePointer<Number>? {
        activation > firstTrained ? UnsafePointer(tangents[activation]) : nil
    }

    /// The tangent of `backward` along the v of the last `tangent`: what it adds to the gradient, or writes there, differentiated.
    func tangentBackward(
        along v: UnsafePointer<Number>, _ parameters: Parameters<Number>, addingTo gradient: UnsafeMutablePointer<Number>,
        overwriting: Bool = false
    ) throws(Interrupted) {
        for index in network.steps.indices.reversed() where index >= firstTrained {
            let step = network.steps[index]
            let frame = frame(index, parameters)
            let direction = step.isTrained ? v : nil
            if case .linear(let linear) = step.operation, step.isTrained {
                linear.tangentAccumulate(
                    frame, x: tangentOf(index), dy: gradients[index + 1], tangentDy: gradientTangents[index + 1],
                    beta: overwriting ? 0 : 1, into: gradient)
            } else if step.isTrained {
                if overwriting { (gradient + step.trained.lowerBound).update(repeating: 0, count: step.trained.count) }
                step.operation.tangentAccumulate(
                    frame, step, x: tangentOf(index), v: direction, dy: gradients[index + 1],
                    tangentDy: gradientTangents[index + 1], into: gradient)
            }
            if step.isTrained { try check(afterForEachRow: 2 * step.operations) }
            guard index > firstTrained else { continue }
            step.operation.tangentBackward(
                frame, step, x: tangentOf(index), v: direction, dy: gradients[index + 1],
                tangentDy: gradientTangents[index + 1], tangentDx: gradientTangents[index])
            for end in network.skips[index] {
                Self.add(gradientTangents[end], to: gradientTangents[index], rows * step.inputWidth)
            }
            try check(afterForEachRow: 2 * step.operations)
        }
    }

    private static func add(_ x: UnsafePointer<Number>, to y: UnsafeMutablePointer<Number>, _ count: Int) {
        for i in 0..<count { y[i] += x[i] }
    }
}
