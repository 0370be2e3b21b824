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
        project(frame.x, count, weight.pointer(in: frame.parameters), beta: 0, into: frame.y, frame.parallel)
        if let bias { add(bias.pointer(in: frame.parameters), toEach: count, of: frame.y) }
    }

    func backward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, dx: UnsafeMutablePointer<Number>
    ) {
        propagate(dy, frame.rows * positions, weight.pointer(in: frame.parameters), beta: 0, into: dx, frame.parallel)
    }

    func accumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        accumulate(frame, dy: dy, beta: 1, into: gradient)
    }

    /// As `accumulate` of the protocol, to β times what is there.
    func accumulate<Number: Real>(
        _ frame: Frame<Number>, dy: UnsafePointer<Number>, beta: Number, into gradient: UnsafeMutablePointer<Number>
    ) {
        let count = frame.rows * positions
        if let part = weight.part(of: gradient) { addOuter(dy, frame.x, count, beta: beta, into: part, frame.parallel) }
        if let part = bias?.part(of: gradient) { addSum(of: count, dy, beta: beta, into: part) }
    }

    func tangent<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        into y: UnsafeMutablePointer<Number>
    ) {
        let count = frame.rows * positions
        if let x { project(x, count, weight.pointer(in: frame.parameters), beta: 0, into: y, frame.parallel) }
        let direction = v.flatMap { weight.part(of: $0) }
        if let direction { project(frame.x, count, direction, beta: x == nil ? 0 : 1, into: y, frame.parallel) }
        if x == nil, direction == nil { y.update(repeating: 0, count: count * outputs) }
        if let part = v.flatMap({ bias?.part(of: $0) }) { add(part, toEach: count, of: y) }
    }

    func tangentBackward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, tangentDx: UnsafeMutablePointer<Number>
    ) {
        let count = frame.rows * positions
        propagate(tangentDy, count, weight.pointer(in: frame.parameters), beta: 0, into: tangentDx, frame.parallel)
        if let direction = v.flatMap({ weight.part(of: $0) }) {
            propagate(dy, count, direction, beta: 1, into: tangentDx, frame.parallel)
        }
    }

    func tangentAccumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        tangentAccumulate(frame, x: x, dy: dy, tangentDy: tangentDy, beta: 1, into: gradient)
    }

    /// As `tangentAccumulate` of the protocol, to β times what is there.
    func tangentAccumulate<Number: Real>(
        _ frame: Frame<Number>, x: UnsafePointer<Number>?, dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>,
        beta: Number, into gradient: UnsafeMutablePointer<Number>
    ) {
        let count = frame.rows * positions
        if let part = weight.part(of: gradient) {
            addOuter(tangentDy, frame.x, count, beta: beta, into: part, frame.parallel)
            if let x { addOuter(dy, x, count, beta: 1, into: part, frame.parallel) }
        }
        if let part = bias?.part(of: gradient) { addSum(of: count, tangentDy, beta: beta, into: part) }
    }
}

// The products that all of the above are made of.
extension LinearStep {
    /// out [count, outputs] ← β·out + in [count, inputs]·matrixᵀ.
    @inline(__always)
    private func project<Number: Real>(
        _ input: UnsafePointer<Number>, _ count: Int, _ matrix: UnsafePointer<Number>, beta: Number,
        into output: UnsafeMutablePointer<Number>, _ parallel: Parallel
    ) {
        Number.multiply(
            .none, .transposed, m: count, n: outputs, k: inputs, alpha: 1, input, inputs, matrix, inputs, beta: beta, output,
            outputs, parallel)
    }

    /// in [count, inputs] ← β·in + out [count, outputs]·matrix.
    @inline(__always)
    private func propagate<Number: Real>(
        _ output: UnsafePointer<Number>, _ count: Int, _ matrix: UnsafePointer<Number>, beta: Number,
        into input: UnsafeMutablePointer<Number>, _ parallel: Parallel
    ) {
        Number.multiply(
            .none, .none, m: count, n: inputs, k: outputs, alpha: 1, output, outputs, matrix, inputs, beta: beta, input, inputs,
            parallel)
    }

    /// matrix ← β·matrix + out [count, outputs]ᵀ·in [count, inputs].
    @inline(__always)
    private func addOuter<Number: Real>(
        _ output: UnsafePointer<Number>, _ input: UnsafePointer<Number>, _ count: Int, beta: Number,
        into matrix: UnsafeMutablePointer<Number>, _ parallel: Parallel
    ) {
        Number.multiply(
            .transposed, .none, m: outputs, n: inputs, k: count, alpha: 1, output, outputs, input, inputs, beta: beta, matrix,
            inputs, parallel)
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
        of count: Int, _ rows: UnsafePointer<Number>, beta: Number, into sum: UnsafeMutablePointer<Number>
    ) {
        if beta == 0 { sum.update(repeating: 0, count: outputs) }
        for row in 0..<count {
            let row = rows + row * outputs
            for c in 0..<outputs { sum[c] += row[c] }
        }
    }
}

extension Real {
    /// Floating-point operations that are worth a thread's while: what it takes to call on one is a few µs.
    private static var worthwhile: Int { 2_000_000 }

    /// The product, its result's rows or columns spread over threads where there is enough to do. An element's bits depend on its own
    /// row and column, and so not on the threads.
    fileprivate static func multiply(
        _ transA: Transposition, _ transB: Transposition, m: Int, n: Int, k: Int,
        alpha: Self, _ a: UnsafePointer<Self>, _ lda: Int, _ b: UnsafePointer<Self>, _ ldb: Int,
        beta: Self, _ c: UnsafeMutablePointer<Self>, _ ldc: Int, _ parallel: Parallel
    ) {
        let pieces = min(parallel.threads, 2 * m * n * k / worthwhile)
        guard pieces > 1 else {
            return multiply(transA, transB, m: m, n: n, k: k, alpha: alpha, a, lda, b, ldb, beta: beta, c, ldc)
        }
        // Only read, and written each part by one thread.
        nonisolated(unsafe) let (a, b, c) = (a, b, c)
        // Rows where there are more of them: each thread then reads all of the smaller operand. Whole tiles.
        let byRows = m >= n
        let ranges = Parallel.ranges(of: ((byRows ? m : n) + 31) / 32, pieces: pieces)
        _ = try? parallel.forEach(ranges.count) { piece in
            let range = ranges[piece].lowerBound * 32..<min(byRows ? m : n, ranges[piece].upperBound * 32)
            if byRows {
                multiply(
                    transA, transB, m: range.count, n: n, k: k, alpha: alpha,
                    a + range.lowerBound * (transA == .none ? lda : 1), lda, b, ldb, beta: beta, c + range.lowerBound * ldc, ldc)
            } else {
                multiply(
                    transA, transB, m: m, n: range.count, k: k, alpha: alpha, a, lda,
                    b + range.lowerBound * (transB == .none ? 1 : ldb), ldb, beta: beta, c + range.lowerBound, ldc)
            }
        }
    }
}
