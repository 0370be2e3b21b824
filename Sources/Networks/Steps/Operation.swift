internal import LinearAlgebra

/// What a step does.
///
/// An enumeration rather than an existential: the compiler sees which kernel's generic function is called, and compiles it for single
/// precision. A call through a protocol's table would run the generic code. Each function has a switch of its own, as there are no
/// closures that are generic themselves, which a single one could apply to any kernel.
enum Operation: Sendable {
    case linear(LinearStep)
    case convolution(ConvolutionStep)
    case elementwise(ElementwiseStep)
    case batchNorm(BatchNormStep)
    case layerNorm(LayerNormStep)
    case maxPool(MaxPoolStep)
    case meanPool(MeanPoolStep)
    case addition(AdditionStep)
    case embedding(EmbeddingStep)
}

// Each of the kernels' functions, for whichever kernel this is: see `StepKernel`.
extension Operation {
    @inline(__always)
    func savedWidth(_ step: Step, _ order: DerivativeOrder) -> Int {
        switch self {
        case .linear(let kernel): kernel.savedWidth(step, order)
        case .convolution(let kernel): kernel.savedWidth(step, order)
        case .elementwise(let kernel): kernel.savedWidth(step, order)
        case .batchNorm(let kernel): kernel.savedWidth(step, order)
        case .layerNorm(let kernel): kernel.savedWidth(step, order)
        case .maxPool(let kernel): kernel.savedWidth(step, order)
        case .meanPool(let kernel): kernel.savedWidth(step, order)
        case .addition(let kernel): kernel.savedWidth(step, order)
        case .embedding(let kernel): kernel.savedWidth(step, order)
        }
    }

    @inline(__always)
    func scratchCount(rows: Int) -> Int {
        switch self {
        case .linear(let kernel): kernel.scratchCount(rows: rows)
        case .convolution(let kernel): kernel.scratchCount(rows: rows)
        case .elementwise(let kernel): kernel.scratchCount(rows: rows)
        case .batchNorm(let kernel): kernel.scratchCount(rows: rows)
        case .layerNorm(let kernel): kernel.scratchCount(rows: rows)
        case .maxPool(let kernel): kernel.scratchCount(rows: rows)
        case .meanPool(let kernel): kernel.scratchCount(rows: rows)
        case .addition(let kernel): kernel.scratchCount(rows: rows)
        case .embedding(let kernel): kernel.scratchCount(rows: rows)
        }
    }

    @inline(__always)
    func operations(_ step: Step) -> Int {
        switch self {
        case .linear(let kernel): kernel.operations(step)
        case .convolution(let kernel): kernel.operations(step)
        case .elementwise(let kernel): kernel.operations(step)
        case .batchNorm(let kernel): kernel.operations(step)
        case .layerNorm(let kernel): kernel.operations(step)
        case .maxPool(let kernel): kernel.operations(step)
        case .meanPool(let kernel): kernel.operations(step)
        case .addition(let kernel): kernel.operations(step)
        case .embedding(let kernel): kernel.operations(step)
        }
    }

    @inline(__always)
    func forward<Number: Real>(_ frame: Frame<Number>, _ step: Step, order: DerivativeOrder) {
        switch self {
        case .linear(let kernel): kernel.forward(frame, step, order: order)
        case .convolution(let kernel): kernel.forward(frame, step, order: order)
        case .elementwise(let kernel): kernel.forward(frame, step, order: order)
        case .batchNorm(let kernel): kernel.forward(frame, step, order: order)
        case .layerNorm(let kernel): kernel.forward(frame, step, order: order)
        case .maxPool(let kernel): kernel.forward(frame, step, order: order)
        case .meanPool(let kernel): kernel.forward(frame, step, order: order)
        case .addition(let kernel): kernel.forward(frame, step, order: order)
        case .embedding(let kernel): kernel.forward(frame, step, order: order)
        }
    }

    @inline(__always)
    func backward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, dx: UnsafeMutablePointer<Number>
    ) {
        switch self {
        case .linear(let kernel): kernel.backward(frame, step, dy: dy, dx: dx)
        case .convolution(let kernel): kernel.backward(frame, step, dy: dy, dx: dx)
        case .elementwise(let kernel): kernel.backward(frame, step, dy: dy, dx: dx)
        case .batchNorm(let kernel): kernel.backward(frame, step, dy: dy, dx: dx)
        case .layerNorm(let kernel): kernel.backward(frame, step, dy: dy, dx: dx)
        case .maxPool(let kernel): kernel.backward(frame, step, dy: dy, dx: dx)
        case .meanPool(let kernel): kernel.backward(frame, step, dy: dy, dx: dx)
        case .addition(let kernel): kernel.backward(frame, step, dy: dy, dx: dx)
        case .embedding(let kernel): kernel.backward(frame, step, dy: dy, dx: dx)
        }
    }

    @inline(__always)
    func accumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        switch self {
        case .linear(let kernel): kernel.accumulate(frame, step, dy: dy, into: gradient)
        case .convolution(let kernel): kernel.accumulate(frame, step, dy: dy, into: gradient)
        case .elementwise(let kernel): kernel.accumulate(frame, step, dy: dy, into: gradient)
        case .batchNorm(let kernel): kernel.accumulate(frame, step, dy: dy, into: gradient)
        case .layerNorm(let kernel): kernel.accumulate(frame, step, dy: dy, into: gradient)
        case .maxPool(let kernel): kernel.accumulate(frame, step, dy: dy, into: gradient)
        case .meanPool(let kernel): kernel.accumulate(frame, step, dy: dy, into: gradient)
        case .addition(let kernel): kernel.accumulate(frame, step, dy: dy, into: gradient)
        case .embedding(let kernel): kernel.accumulate(frame, step, dy: dy, into: gradient)
        }
    }

    @inline(__always)
    func tangent<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        into y: UnsafeMutablePointer<Number>
    ) {
        switch self {
        case .linear(let kernel): kernel.tangent(frame, step, x: x, v: v, into: y)
        case .convolution(let kernel): kernel.tangent(frame, step, x: x, v: v, into: y)
        case .elementwise(let kernel): kernel.tangent(frame, step, x: x, v: v, into: y)
        case .batchNorm(let kernel): kernel.tangent(frame, step, x: x, v: v, into: y)
        case .layerNorm(let kernel): kernel.tangent(frame, step, x: x, v: v, into: y)
        case .maxPool(let kernel): kernel.tangent(frame, step, x: x, v: v, into: y)
        case .meanPool(let kernel): kernel.tangent(frame, step, x: x, v: v, into: y)
        case .addition(let kernel): kernel.tangent(frame, step, x: x, v: v, into: y)
        case .embedding(let kernel): kernel.tangent(frame, step, x: x, v: v, into: y)
        }
    }

    @inline(__always)
    func tangentBackward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, tangentDx: UnsafeMutablePointer<Number>
    ) {
        switch self {
        case .linear(let kernel):
            kernel.tangentBackward(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, tangentDx: tangentDx)
        case .convolution(let kernel):
            kernel.tangentBackward(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, tangentDx: tangentDx)
        case .elementwise(let kernel):
            kernel.tangentBackward(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, tangentDx: tangentDx)
        case .batchNorm(let kernel):
            kernel.tangentBackward(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, tangentDx: tangentDx)
        case .layerNorm(let kernel):
            kernel.tangentBackward(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, tangentDx: tangentDx)
        case .maxPool(let kernel):
            kernel.tangentBackward(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, tangentDx: tangentDx)
        case .meanPool(let kernel):
            kernel.tangentBackward(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, tangentDx: tangentDx)
        case .addition(let kernel):
            kernel.tangentBackward(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, tangentDx: tangentDx)
        case .embedding(let kernel):
            kernel.tangentBackward(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, tangentDx: tangentDx)
        }
    }

    @inline(__always)
    func tangentAccumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        switch self {
        case .linear(let kernel): kernel.tangentAccumulate(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, into: gradient)
        case .convolution(let kernel):
            kernel.tangentAccumulate(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, into: gradient)
        case .elementwise(let kernel):
            kernel.tangentAccumulate(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, into: gradient)
        case .batchNorm(let kernel):
            kernel.tangentAccumulate(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, into: gradient)
        case .layerNorm(let kernel):
            kernel.tangentAccumulate(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, into: gradient)
        case .maxPool(let kernel): kernel.tangentAccumulate(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, into: gradient)
        case .meanPool(let kernel):
            kernel.tangentAccumulate(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, into: gradient)
        case .addition(let kernel):
            kernel.tangentAccumulate(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, into: gradient)
        case .embedding(let kernel):
            kernel.tangentAccumulate(frame, step, x: x, v: v, dy: dy, tangentDy: tangentDy, into: gradient)
        }
    }
}
