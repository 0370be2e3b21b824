internal import LinearAlgebra

/// y = f(x), number by number. `forward` keeps f′(x), and f″(x) where it will be asked for.
struct ElementwiseStep: StepKernel {
    let function: ElementwiseFunction

    func savedWidth(_ step: Step, _ order: DerivativeOrder) -> Int { order.rawValue * step.outputWidth }

    /// An exponential and a division, about.
    func operations(_ step: Step) -> Int { 16 * step.outputWidth }

    func forward<Number: Real>(_ frame: Frame<Number>, _ step: Step, order: DerivativeOrder) {
        let count = frame.rows * step.outputWidth
        Number.evaluate(
            function, frame.x, count: count, value: frame.y, first: order >= .first ? frame.saved : nil,
            second: order >= .second ? frame.saved + count : nil)
    }

    func backward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, dx: UnsafeMutablePointer<Number>
    ) {
        let first = frame.saved
        for i in 0..<frame.rows * step.outputWidth { dx[i] = first[i] * dy[i] }
    }

    func tangent<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        into y: UnsafeMutablePointer<Number>
    ) {
        guard let x else { return }
        let first = frame.saved
        for i in 0..<frame.rows * step.outputWidth { y[i] = first[i] * x[i] }
    }

    func tangentBackward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, tangentDx: UnsafeMutablePointer<Number>
    ) {
        guard let x else { return backward(frame, step, dy: tangentDy, dx: tangentDx) }
        let count = frame.rows * step.outputWidth
        let (first, second) = (frame.saved, frame.saved + count)
        for i in 0..<count { tangentDx[i] = first[i] * tangentDy[i] + second[i] * x[i] * dy[i] }
    }
}
