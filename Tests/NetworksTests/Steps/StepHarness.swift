import Foundation
import LinearAlgebra
@testable import Networks

func sine(_ x: Double) -> Double { sin(x) }

/// Everything a kernel computes for one case, in one precision. All memory is exactly as large as the kernel says, so that the address
/// sanitizer sees what is touched beyond it, and full of NaN before it is written.
struct StepRun<Number: Real> {
    let subject: StepCase
    var x, parameters, fixed: [Number]

    init(_ subject: StepCase) {
        self.subject = subject
        x = subject.x.map { Number($0) }
        parameters = subject.parameters.map { Number($0) }
        fixed = subject.fixed.map { Number($0) }
    }

    /// What goes into the derivatives.
    struct Tangents {
        var x: [Number]?
        var v: [Number]?
        var dy, tangentDy: [Number]
    }

    var tangents: Tangents {
        Tangents(
            x: subject.tangentX?.map { Number($0) }, v: subject.direction?.map { Number($0) },
            dy: subject.dy.map { Number($0) }, tangentDy: subject.tangentDy.map { Number($0) })
    }

    /// Lends memory in which `forward` has been computed.
    private func withFrame(_ order: DerivativeOrder, _ body: (Frame<Number>, Step) -> Void) {
        let step = subject.step
        func memory(_ count: Int) -> UnsafeMutablePointer<Number> {
            let memory = UnsafeMutablePointer<Number>.allocate(capacity: count)
            memory.initialize(repeating: .nan, count: count)
            return memory
        }
        let frame = Frame(
            rows: subject.rows, parameters: Parameters(trained: memory(parameters.count), fixed: memory(fixed.count)),
            x: memory(x.count), y: memory(subject.rows * subject.outputWidth),
            saved: memory(subject.rows * step.operation.savedWidth(step, order)),
            scratch: memory(step.operation.scratchCount(rows: subject.rows)), parallel: Parallel(threads: 1))
        defer {
            for memory in [frame.x, frame.y, frame.saved, frame.scratch] { memory.deallocate() }
            frame.parameters.trained.deallocate()
            frame.parameters.fixed.deallocate()
        }
        frame.x.update(from: x, count: x.count)
        UnsafeMutablePointer(mutating: frame.parameters.trained).update(from: parameters, count: parameters.count)
        UnsafeMutablePointer(mutating: frame.parameters.fixed).update(from: fixed, count: fixed.count)
        step.operation.forward(frame, step, order: order)
        body(frame, step)
    }

    func forward(_ order: DerivativeOrder = .none) -> [Number] {
        var y: [Number] = []
        withFrame(order) { frame, _ in y = Array(UnsafeBufferPointer(start: frame.y, count: subject.rows * subject.outputWidth)) }
        return y
    }

    func backward(_ dy: [Number]) -> [Number] {
        var dx = [Number](repeating: .nan, count: x.count)
        withFrame(.first) { frame, step in step.operation.backward(frame, step, dy: dy, dx: &dx) }
        return dx
    }

    /// What is added to a gradient that held `start`.
    func accumulate(_ dy: [Number], from start: Number = 0) -> [Number] {
        var gradient = [Number](repeating: start, count: parameters.count)
        withFrame(.first) { frame, step in step.operation.accumulate(frame, step, dy: dy, into: &gradient) }
        return gradient
    }

    func tangent(_ t: Tangents) -> [Number] {
        var y = [Number](repeating: .nan, count: subject.rows * subject.outputWidth)
        withFrame(.first) { frame, step in
            t.x.withPointer { x in
                t.v.withPointer { v in step.operation.tangent(frame, step, x: x, v: v, into: &y) }
            }
        }
        return y
    }

    func tangentBackward(_ t: Tangents) -> [Number] {
        var dx = [Number](repeating: .nan, count: x.count)
        withFrame(.second) { frame, step in
            t.x.withPointer { x in
                t.v.withPointer { v in
                    step.operation.tangentBackward(
                        frame, step, x: x, v: v, dy: t.dy, tangentDy: t.tangentDy, tangentDx: &dx)
                }
            }
        }
        return dx
    }

    func tangentAccumulate(_ t: Tangents, from start: Number = 0) -> [Number] {
        var gradient = [Number](repeating: start, count: parameters.count)
        withFrame(.second) { frame, step in
            t.x.withPointer { x in
                t.v.withPointer { v in
                    step.operation.tangentAccumulate(
                        frame, step, x: x, v: v, dy: t.dy, tangentDy: t.tangentDy, into: &gradient)
                }
            }
        }
        return gradient
    }

    /// y, δx, δθ, ẏ, δẋ and the tangent of δθ.
    func everything() -> [[Number]] {
        let t = tangents
        return [
            forward(), backward(t.dy), accumulate(t.dy), t.x == nil && t.v == nil ? [] : tangent(t), tangentBackward(t),
            tangentAccumulate(t),
        ]
    }
}

extension Optional {
    /// The address of an array's elements; nil for none.
    fileprivate func withPointer<Number>(_ body: (UnsafePointer<Number>?) -> Void) where Wrapped == [Number] {
        guard let array = self else { return body(nil) }
        array.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
