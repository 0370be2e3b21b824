internal import LinearAlgebra

/// The end of a residual block: y = x + the block's own input.
///
/// Only x passes through here. The block's input is another activation, which `Pass` adds on the way forward and to which it gives δy
/// on the way back.
struct AdditionStep: LinearKernel {
    /// The activation that the block began with.
    let origin: Int

    func operations(_ step: Step) -> Int { step.outputWidth }

    func forward<Number: Real>(_ frame: Frame<Number>, _ step: Step, order: DerivativeOrder) {
        frame.y.update(from: frame.x, count: frame.rows * step.outputWidth)
    }

    func backward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, dx: UnsafeMutablePointer<Number>
    ) {
        dx.update(from: dy, count: frame.rows * step.outputWidth)
    }

    func tangent<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        into y: UnsafeMutablePointer<Number>
    ) {
        guard let x else { return y.update(repeating: 0, count: frame.rows * step.outputWidth) }
        y.update(from: x, count: frame.rows * step.outputWidth)
    }
}
