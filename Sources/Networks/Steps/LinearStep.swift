internal import LinearAlgebra

/// y = x·Wᵀ + b for each of some positions of a row: W [outputs, inputs], b [outputs]. 2·inputs·outputs flops a position.
struct LinearStep: StepKernel {
    /// Rows of `inputs` numbers in one example: 1 but for examples of several extents.
    let positions: Int
    let inputs, outputs: Int
    let weight: TensorSlot
    let bias: TensorSlot?

    func operations(_ step: Step) -> Int { 2 * inputs * outputs * positions }

    func forward<Number: Real>(_ frame: Frame<Number>, _ step: Step, order: DerivativeOrder) {
        let count = frame.rows * positions
        project(frame.x, count, weight.pointer(in: frame.parameters), beta: 0, into: frame.y)
        if let bias { add(bias.pointer(in: frame.parameters), toEach: count, of: frame.y) }
    }

    func backward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, dx: UnsafeMutablePointer<Number>
    ) {
        propagate(dy, frame.rows * positions, weight.pointer(in: frame.parameters), beta: 0, into: dx)
    }

    func accumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        let count = frame.rows * positions
        if let part = weight.part(of: gradient) { addOuter(dy, frame.x, count, into: part) }
        if let part = bias?.part(of: gradient) { addSum(of: count, dy, into: part) }
    }

    func tangent<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        into y: UnsafeMutablePointer<Number>
    ) {
        let count = frame.rows * positions
        if let x { project(x, count, weight.pointer(in: frame.parameters), beta: 0, into: y) }
        let direction = v.flatMap { weight.part(of: $0) }
        if let direction { project(frame.x, count, direction, beta: x == nil ? 0 : 1, into: y) }
        if x == nil, direction == nil { y.update(repeating: 0, count: count * outputs) }
        if let part = v.flatMap({ bias?.part(of: $0) }) { add(part, toEach: count, of: y) }
    }

    func tangentBackward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, tangentDx: UnsafeMutablePointer<Number>
    ) {
        let count = frame.rows * positions
        propagate(tangentDy, count, weight.pointer(in: frame.parameters), beta: 0, into: tangentDx)
        if let direction = v.flatMap({ weight.part(of: $0) }) { propagate(dy, count, direction, beta: 1, into: tangentDx) }
    }

    func tangentAccumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        let count = frame.rows * positions
        if let part = weight.part(of: gradient) {
            addOuter(tangentDy, frame.x, count, into: part)
            if let x { addOuter(dy, x, count, into: part) }
        }
        if let part = bias?.part(of: gradient) { addSum(of: count, tangentDy, into: part) }
    }
}

// The four products that all of the above are made of.
extension LinearStep {
    /// out [count, outputs] ← β·out + in [count, inputs]·matrixᵀ.
    @inline(__always)
    private func project<Number: Real>(
        _ input: UnsafePointer<Number>, _ count: Int, _ matrix: UnsafePointer<Number>, beta: Number,
        into output: UnsafeMutablePointer<Number>
    ) {
        Number.multiply(
            .none, .transposed, m: count, n: outputs, k: inputs, alpha: 1, input, inputs, matrix, inputs, beta: beta, output,
            outputs)
    }

    /// in [count, inputs] ← β·in + out [count, outputs]·matrix.
    @inline(__always)
    private func propagate<Number: Real>(
        _ output: UnsafePointer<Number>, _ count: Int, _ matrix: UnsafePointer<Number>, beta: Number,
        into input: UnsafeMutablePointer<Number>
    ) {
        Number.multiply(
            .none, .none, m: count, n: inputs, k: outputs, alpha: 1, output, outputs, matrix, inputs, beta: beta, input, inputs)
    }

    /// matrix ← matrix + out [count, outputs]ᵀ·in [count, inputs].
    @inline(__always)
    private func addOuter<Number: Real>(
        _ output: UnsafePointer<Number>, _ input: UnsafePointer<Number>, _ count: Int,
        into matrix: UnsafeMutablePointer<Number>
    ) {
        Number.multiply(
            .transposed, .none, m: outputs, n: inputs, k: count, alpha: 1, output, outputs, input, inputs, beta: 1, matrix,
            inputs)
    }

    @inline(__always)
    private func add<Number: Real>(
        _ vector: UnsafePointer<Number>, toEach count: Int, of rows: UnsafeMutablePointer<Number>
    ) {
        for row in 0..<count {
            let row = rows + row * outputs
            for c in 0..<outputs { row[c] += vector[c] }
        }
    }

    @inline(__always)
    private func addSum<Number: Real>(
        of count: Int, _ rows: UnsafePointer<Number>, into sum: UnsafeMutablePointer<Number>
    ) {
        for row in 0..<count {
            let row = rows + row * outputs
            for c in 0..<outputs { sum[c] += row[c] }
        }
    }
}
