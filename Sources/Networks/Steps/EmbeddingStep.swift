internal import LinearAlgebra

/// y = the row of W [count, width] for each of a row's token ids, or the mean of these rows, the padding id left out.
///
/// The padding id's row is never trained: it has no gradient, and no direction changes it. Ids have no derivative.
struct EmbeddingStep: StepKernel {
    /// Token ids of an example.
    let positions: Int
    let count, width: Int
    let padding: Int?
    let isMean: Bool
    let weight: TensorSlot

    func operations(_ step: Step) -> Int { positions * width }

    func forward<Number: Real>(_ frame: Frame<Number>, _ step: Step, order: DerivativeOrder) {
        look(up: weight.pointer(in: frame.parameters), frame, keepsPadding: !isMean, into: frame.y)
    }

    func backward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, dx: UnsafeMutablePointer<Number>
    ) {
        dx.update(repeating: 0, count: frame.rows * positions)
    }

    func accumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        guard let part = weight.part(of: gradient) else { return }
        for row in 0..<frame.rows {
            let ids = frame.x + row * positions
            let factor: Number = isMean ? 1 / divisor(ids) : 1
            for position in 0..<positions {
                let id = token(ids[position])
                if id == padding { continue }
                let (dy, part) = (dy + (isMean ? row : row * positions + position) * width, part + id * width)
                for i in 0..<width { part[i] += factor * dy[i] }
            }
        }
    }

    func tangent<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        into y: UnsafeMutablePointer<Number>
    ) {
        guard let direction = v.flatMap({ weight.part(of: $0) }) else {
            return y.update(repeating: 0, count: frame.rows * (isMean ? 1 : positions) * width)
        }
        look(up: direction, frame, keepsPadding: false, into: y)
    }

    func tangentBackward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, tangentDx: UnsafeMutablePointer<Number>
    ) {
        tangentDx.update(repeating: 0, count: frame.rows * positions)
    }

    func tangentAccumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        // y is linear in W.
        accumulate(frame, step, dy: tangentDy, into: gradient)
    }
}

extension EmbeddingStep {
    /// Calls `body` with the part of θ that each of the first row's ids trains, where it is not the padding id.
    @inline(__always)
    func forEachRow<Number: Real>(of frame: Frame<Number>, _ body: (Range<Int>) -> Void) {
        for position in 0..<positions {
            let id = token(frame.x[position])
            if id != padding { body(weight.offset + id * width..<weight.offset + (id + 1) * width) }
        }
    }

    /// out ← the ids' rows of a matrix like W, or their means; the padding id's row is zero unless it is kept.
    @inline(__always)
    private func look<Number: Real>(
        up matrix: UnsafePointer<Number>, _ frame: Frame<Number>, keepsPadding: Bool, into out: UnsafeMutablePointer<Number>
    ) {
        for row in 0..<frame.rows {
            let ids = frame.x + row * positions
            let factor: Number = isMean ? 1 / divisor(ids) : 1
            if isMean { (out + row * width).update(repeating: 0, count: width) }
            for position in 0..<positions {
                let id = token(ids[position])
                let isLeftOut = id == padding && !keepsPadding
                let matrix = matrix + id * width
                if isMean {
                    if isLeftOut { continue }
                    let out = out + row * width
                    for i in 0..<width { out[i] += factor * matrix[i] }
                } else if isLeftOut {
                    (out + (row * positions + position) * width).update(repeating: 0, count: width)
                } else {
                    (out + (row * positions + position) * width).update(from: matrix, count: width)
                }
            }
        }
    }

    /// How many of an example's ids are not padding; at least 1.
    @inline(__always)
    private func divisor<Number: Real>(_ ids: UnsafeMutablePointer<Number>) -> Number {
        guard let padding else { return Number(max(1, positions)) }
        var kept = 0
        for position in 0..<positions where token(ids[position]) != padding { kept += 1 }
        return Number(max(1, kept))
    }

    /// The id that a number is; what is none can't be looked up and counts as 0, though no such number should come here.
    @inline(__always)
    private func token<Number: Real>(_ x: Number) -> Int {
        x >= 0 && x < Number(count) ? Int(x) : 0
    }
}
