internal import LinearAlgebra

/// What a step's computations are lent: some rows, what went in and came out, and what the way forward kept.
///
/// All memory is row after row of the chunk. In a step's formulas x is its input, y its output, θ its trained tensors, a dot above
/// something its derivative along a direction in θ (forward mode), and δ the derivative of the sum of losses by something (backward).
struct Frame<Number: Real> {
    /// Examples in the chunk.
    let rows: Int
    let parameters: Parameters<Number>
    /// x and y.
    let x, y: UnsafeMutablePointer<Number>
    /// What `forward` kept for the others: `savedWidth` numbers a row.
    let saved: UnsafeMutablePointer<Number>
    /// `scratchCount` numbers of no value.
    let scratch: UnsafeMutablePointer<Number>
    /// Threads that a single product of matrices may be spread over; their number changes no bit.
    let parallel: Parallel
}

/// How far a computation will differentiate: what the way forward must keep.
enum DerivativeOrder: Int, Comparable {
    /// Outputs alone.
    case none
    /// Gradients, tangents and Gauss-Newton products.
    case first
    /// Hessian products.
    case second

    static func < (a: DerivativeOrder, b: DerivativeOrder) -> Bool { a.rawValue < b.rawValue }
}

/// A differentiable operation on rows: its value, its two first derivatives, and the tangent of the backward one, which together make
/// Pearlmutter's R-operator (Pearlmutter 1994, "Fast exact multiplication by the Hessian").
///
/// Outputs of `forward`, `backward`, `tangent` and `tangentBackward` overwrite; the two `accumulate` add. A row's outputs have the same
/// bits whatever other rows are in the chunk is not promised: chunks are cut the same for the same examples.
protocol StepKernel: Sendable {
    /// Numbers of a row kept from `forward`, for derivatives of an order.
    func savedWidth(_ step: Step, _ order: DerivativeOrder) -> Int
    /// Numbers of scratch that any of the functions needs for a chunk.
    func scratchCount(rows: Int) -> Int
    /// Floating-point operations of one row's `forward`, about.
    func operations(_ step: Step) -> Int

    /// y ← f(x; θ).
    func forward<Number: Real>(_ frame: Frame<Number>, _ step: Step, order: DerivativeOrder)
    /// δx ← (∂y/∂x)ᵀ δy.
    func backward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, dx: UnsafeMutablePointer<Number>)
    /// gradient ← gradient + Σ_rows (∂y/∂θ)ᵀ δy, in the step's part of a vector like θ.
    func accumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>)
    /// ẏ ← (∂y/∂x) ẋ + (∂y/∂θ) v. No ẋ or no v is zero; one of them is there.
    func tangent<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        into y: UnsafeMutablePointer<Number>)
    /// δẋ: the tangent of `backward`, for the tangents ẋ, v and δẏ.
    func tangentBackward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, tangentDx: UnsafeMutablePointer<Number>)
    /// gradient ← gradient + the tangent of what `accumulate` adds, for the tangents ẋ, v and δẏ.
    func tangentAccumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>)
}

/// An operation without tensors that is linear in its input: backward is its own tangent.
protocol LinearKernel: StepKernel {}

extension LinearKernel {
    func tangentBackward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, tangentDx: UnsafeMutablePointer<Number>
    ) {
        backward(frame, step, dy: tangentDy, dx: tangentDx)
    }
}

// What most kernels say of themselves.
extension StepKernel {
    func savedWidth(_ step: Step, _ order: DerivativeOrder) -> Int { 0 }
    func scratchCount(rows: Int) -> Int { 0 }
    func operations(_ step: Step) -> Int { 4 * step.outputWidth }

    func accumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {}

    func tangentAccumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {}
}
