internal import LinearAlgebra

/// What a product with a curvature reads of an example that no vector changes: how the way forward, and a Hessian's way back, leave it, as
/// one row of numbers.
///
/// Of a network 784-128-10 with tanh that is 267 numbers for the Gauss-Newton matrix (the hidden units' values and slopes, and the loss's
/// state) and 533 for the Hessian.
struct ActivationLayout: Sendable {
    /// What a part of a row is.
    enum Content: Sendable {
        /// x of a step.
        case input(of: Int)
        /// What a step keeps of its way forward: the plane of so many numbers of a row.
        case saved(of: Int, plane: Int)
        /// δ of a step's output.
        case outputGradient(of: Int)
    }

    /// A part of a row.
    struct Part: Sendable {
        let content: Content
        let range: Range<Int>
    }

    let parts: [Part]
    /// What determines products with the second derivative of the example's loss.
    let state: Range<Int>
    /// Numbers from one row to the next: whole cache lines.
    let width: Int
    /// Whether the network's own inputs are needed beside: they are there anyway, and often as bytes.
    let readsFeatures: Bool

    /// The parts that products of a kind read; `stateWidth` is the loss's.
    init(_ network: Network, _ kind: CurvatureKind, stateWidth: Int) {
        var (parts, end): ([Part], Int) = ([], 0)
        func add(_ content: Content, _ count: Int) {
            guard count > 0 else { return }
            parts.append(Part(content: content, range: end..<end + count))
            end += count
        }
        let steps = network.steps
        let first = network.firstTrained
        for (index, step) in steps.enumerated() where index >= first {
            if index > 0, step.readsInput { add(.input(of: index), step.inputWidth) }
            let saved = step.operation.savedWidth(step, kind.order)
            if case .elementwise = step.operation {
                for plane in 0..<kind.order.rawValue { add(.saved(of: index, plane: plane), step.outputWidth) }
            } else {
                add(.saved(of: index, plane: 0), saved)
            }
            if kind == .hessian, index > first, step.readsOutputGradient { add(.outputGradient(of: index), step.outputWidth) }
        }
        if kind == .empiricalFisher, let last = steps.indices.last { add(.outputGradient(of: last), network.outputWidth) }
        state = end..<end + stateWidth
        self.parts = parts
        width = (state.upperBound + 15) & ~15
        readsFeatures = first == 0
    }

    /// Bytes of so many rows; nil where they can't be counted.
    func byteCount(rows: Int) -> Int? {
        let (numbers, overflow) = rows.multipliedReportingOverflow(by: width)
        let (bytes, tooMany) = numbers.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
        return overflow || tooMany ? nil : bytes
    }
}

extension Network {
    /// The first step with trained tensors: what is before it knows no direction and needs no δ.
    var firstTrained: Int { steps.firstIndex(where: \.isTrained) ?? steps.count }
}

extension Step {
    /// Whether derivatives read x, rather than only what was kept of it.
    fileprivate var readsInput: Bool {
        switch operation {
        case .linear, .convolution, .batchNorm, .embedding: isTrained
        case .layerNorm: true
        case .elementwise, .maxPool, .meanPool, .addition: false
        }
    }

    /// Whether the tangent of `backward` reads δ of the output, rather than only its tangent.
    fileprivate var readsOutputGradient: Bool {
        switch operation {
        case .linear, .convolution, .batchNorm: isTrained
        case .elementwise, .layerNorm: true
        case .maxPool, .meanPool, .addition, .embedding: false
        }
    }
}
