internal import LinearAlgebra

/// y = x̂ · weight + bias with x̂ = (x − μ) · ρ, ρ = 1 / √(σ² + ε), for each of some positions of a row: μ and σ² are the mean and the
/// variance of the position's own `width` numbers.
///
/// With ⟨·⟩ for a position's mean, its derivatives are
///   dx̂ = ρ·(dx − ⟨dx⟩ − x̂⟨x̂·dx⟩),  dρ = −ρ²⟨x̂·dx⟩,
/// and backward, with g = δy·weight, δx = ρ·(g − ⟨g⟩ − x̂⟨g·x̂⟩): the tangent of this is taken term by term.
struct LayerNormStep: StepKernel {
    let positions, width: Int
    let epsilon: Double
    let weight, bias: TensorSlot?

    /// Each position's μ and ρ.
    func savedWidth(_ step: Step, _ order: DerivativeOrder) -> Int { order >= .first ? 2 * positions : 0 }

    /// A position's g and the tangent of its x̂.
    func scratchCount(rows: Int) -> Int { 2 * width }

    func operations(_ step: Step) -> Int { 8 * positions * width }

    func forward<Number: Real>(_ frame: Frame<Number>, _ step: Step, order: DerivativeOrder) {
        let (weight, bias) = (weight?.pointer(in: frame.parameters), bias?.pointer(in: frame.parameters))
        for position in 0..<frame.rows * positions {
            let (x, y) = (frame.x + position * width, frame.y + position * width)
            let mean = mean { x[$0] }
            let variance = self.mean { (x[$0] - mean) * (x[$0] - mean) }
            let scale = 1 / (variance + Number(epsilon)).squareRoot()
            if order >= .first {
                frame.saved[2 * position] = mean
                frame.saved[2 * position + 1] = scale
            }
            for i in 0..<width { y[i] = (x[i] - mean) * scale }
            scaleAndShift(y, weight, bias)
        }
    }

    func backward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, dx: UnsafeMutablePointer<Number>
    ) {
        let weight = weight?.pointer(in: frame.parameters)
        for position in 0..<frame.rows * positions {
            let normal = Normal(frame, position, width)
            let (dy, dx) = (dy + position * width, dx + position * width)
            multiply(dy, weight, into: dx)
            let (level, slope) = (mean { dx[$0] }, mean { dx[$0] * normal[$0] })
            for i in 0..<width { dx[i] = normal.scale * (dx[i] - level - normal[i] * slope) }
        }
    }

    func accumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        let (weight, bias) = (weight?.part(of: gradient), bias?.part(of: gradient))
        for position in 0..<frame.rows * positions {
            let dy = dy + position * width
            if let weight {
                let normal = Normal(frame, position, width)
                for i in 0..<width { weight[i] += dy[i] * normal[i] }
            }
            if let bias { for i in 0..<width { bias[i] += dy[i] } }
        }
    }

    func tangent<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        into y: UnsafeMutablePointer<Number>
    ) {
        let weight = weight?.pointer(in: frame.parameters)
        let (direction, shift) = (v.flatMap { self.weight?.part(of: $0) }, v.flatMap { bias?.part(of: $0) })
        for position in 0..<frame.rows * positions {
            let (normal, y) = (Normal(frame, position, width), y + position * width)
            if let x {
                change(normal, x + position * width, into: y)
            } else {
                y.update(repeating: 0, count: width)
            }
            scaleAndShift(y, weight, shift)
            if let direction { for i in 0..<width { y[i] += direction[i] * normal[i] } }
        }
    }

    func tangentBackward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, tangentDx: UnsafeMutablePointer<Number>
    ) {
        let weight = weight?.pointer(in: frame.parameters)
        let direction = v.flatMap { self.weight?.part(of: $0) }
        for position in 0..<frame.rows * positions {
            let normal = Normal(frame, position, width)
            let (dy, tangentDy, out) = (dy + position * width, tangentDy + position * width, tangentDx + position * width)
            // The tangent of g, and what it makes of δx.
            multiply(tangentDy, weight, into: out)
            if let direction { for i in 0..<width { out[i] += dy[i] * direction[i] } }
            let (level, slope) = (mean { out[$0] }, mean { out[$0] * normal[$0] })
            for i in 0..<width { out[i] = normal.scale * (out[i] - level - normal[i] * slope) }
            guard let x else { continue }
            // What the changes of x̂ and of ρ add to that.
            let (g, change) = (frame.scratch, frame.scratch + width)
            multiply(dy, weight, into: g)
            let scaleChange = self.change(normal, x + position * width, into: change)
            let (gLevel, gSlope) = (mean { g[$0] }, mean { g[$0] * normal[$0] })
            let bend = mean { g[$0] * change[$0] }
            for i in 0..<width {
                out[i] += scaleChange * (g[i] - gLevel - normal[i] * gSlope)
                out[i] -= normal.scale * (change[i] * gSlope + normal[i] * bend)
            }
        }
    }

    func tangentAccumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        accumulate(frame, step, dy: tangentDy, into: gradient)
        guard let x, let part = weight?.part(of: gradient) else { return }
        for position in 0..<frame.rows * positions {
            let dy = dy + position * width
            change(Normal(frame, position, width), x + position * width, into: frame.scratch)
            for i in 0..<width { part[i] += dy[i] * frame.scratch[i] }
        }
    }
}

extension LayerNormStep {
    /// x̂ of a position, and ρ.
    private struct Normal<Number: Real> {
        let x: UnsafeMutablePointer<Number>
        let mean, scale: Number

        @inline(__always)
        init(_ frame: Frame<Number>, _ position: Int, _ width: Int) {
            x = frame.x + position * width
            mean = frame.saved[2 * position]
            scale = frame.saved[2 * position + 1]
        }

        @inline(__always)
        subscript(i: Int) -> Number { (x[i] - mean) * scale }
    }

    /// The tangent of a position's x̂, and that of ρ.
    @inline(__always)
    @discardableResult
    private func change<Number: Real>(
        _ normal: Normal<Number>, _ x: UnsafePointer<Number>, into change: UnsafeMutablePointer<Number>
    ) -> Number {
        let (level, slope) = (mean { x[$0] }, mean { x[$0] * normal[$0] })
        for i in 0..<width { change[i] = normal.scale * (x[i] - level - normal[i] * slope) }
        return -normal.scale * normal.scale * slope
    }

    /// ⟨term⟩ over a position.
    @inline(__always)
    private func mean<Number: Real>(_ term: (Int) -> Number) -> Number { laneSum(width, term) / Number(width) }

    @inline(__always)
    private func scaleAndShift<Number: Real>(
        _ y: UnsafeMutablePointer<Number>, _ weight: UnsafePointer<Number>?, _ shift: UnsafePointer<Number>?
    ) {
        if let weight { for i in 0..<width { y[i] *= weight[i] } }
        if let shift { for i in 0..<width { y[i] += shift[i] } }
    }

    /// out ← a · weight, of one position; no weight is 1.
    @inline(__always)
    private func multiply<Number: Real>(
        _ a: UnsafePointer<Number>, _ weight: UnsafePointer<Number>?, into out: UnsafeMutablePointer<Number>
    ) {
        guard let weight else { return out.update(from: a, count: width) }
        for i in 0..<width { out[i] = a[i] * weight[i] }
    }
}
