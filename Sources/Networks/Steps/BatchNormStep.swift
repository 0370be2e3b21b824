internal import LinearAlgebra

/// y = (x − mean) / √(variance + ε) · weight + bias for each channel, mean and variance being stored statistics: batch norm as models
/// predict with it, an affine map of each number. Rows are [channels, spatial].
struct BatchNormStep: StepKernel {
    let channels, spatial: Int
    let epsilon: Double
    let mean, variance: TensorSlot
    let weight, bias: TensorSlot?

    /// Coefficients, three for each channel.
    func scratchCount(rows: Int) -> Int { 3 * channels }

    func forward<Number: Real>(_ frame: Frame<Number>, _ step: Step, order: DerivativeOrder) {
        let (scales, shifts) = (frame.scratch, frame.scratch + 2 * channels)
        let mean = mean.pointer(in: frame.parameters)
        let bias = bias?.pointer(in: frame.parameters)
        for c in 0..<channels {
            scales[c] = scale(frame, c)
            shifts[c] = (bias?[c] ?? 0) - mean[c] * scales[c]
        }
        combine(frame, frame.x, nil, shifted: true, into: frame.y)
    }

    func backward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, dx: UnsafeMutablePointer<Number>
    ) {
        for c in 0..<channels { frame.scratch[c] = scale(frame, c) }
        combine(frame, dy, nil, shifted: false, into: dx)
    }

    func accumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        if let part = weight?.part(of: gradient) {
            let mean = mean.pointer(in: frame.parameters)
            addSums(frame, dy, UnsafePointer(frame.x), into: part) { dy, x, c in
                dy * (x - mean[c])
            } scaledBy: {
                reciprocal(frame, $0)
            }
        }
        if let part = bias?.part(of: gradient) {
            addSums(frame, dy, dy, into: part) { dy, _, _ in
                dy
            } scaledBy: { _ in
                1
            }
        }
    }

    func tangent<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        into y: UnsafeMutablePointer<Number>
    ) {
        let (scales, slopes, shifts) = (frame.scratch, frame.scratch + channels, frame.scratch + 2 * channels)
        let mean = mean.pointer(in: frame.parameters)
        let (direction, shift) = (v.flatMap { weight?.part(of: $0) }, v.flatMap { bias?.part(of: $0) })
        for c in 0..<channels {
            scales[c] = scale(frame, c)
            slopes[c] = direction.map { $0[c] * reciprocal(frame, c) } ?? 0
            shifts[c] = (shift?[c] ?? 0) - mean[c] * slopes[c]
        }
        combine(frame, x, direction == nil ? nil : UnsafePointer(frame.x), shifted: v != nil, into: y)
    }

    func tangentBackward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, tangentDx: UnsafeMutablePointer<Number>
    ) {
        let direction = v.flatMap { weight?.part(of: $0) }
        for c in 0..<channels {
            frame.scratch[c] = scale(frame, c)
            frame.scratch[channels + c] = direction.map { $0[c] * reciprocal(frame, c) } ?? 0
        }
        combine(frame, tangentDy, direction == nil ? nil : dy, shifted: false, into: tangentDx)
    }

    func tangentAccumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        accumulate(frame, step, dy: tangentDy, into: gradient)
        if let x, let part = weight?.part(of: gradient) {
            addSums(frame, dy, x, into: part) { dy, x, _ in
                dy * x
            } scaledBy: {
                reciprocal(frame, $0)
            }
        }
    }
}

extension BatchNormStep {
    /// 1 / √(variance + ε).
    @inline(__always)
    private func reciprocal<Number: Real>(_ frame: Frame<Number>, _ channel: Int) -> Number {
        1 / (variance.pointer(in: frame.parameters)[channel] + Number(epsilon)).squareRoot()
    }

    /// ∂y/∂x.
    @inline(__always)
    private func scale<Number: Real>(_ frame: Frame<Number>, _ channel: Int) -> Number {
        reciprocal(frame, channel) * (weight?.pointer(in: frame.parameters)[channel] ?? 1)
    }

    /// out ← p·a + q·b + s, where each channel's p, q and s lie in the scratch; no a or no b is zero, and so is s unless `shifted`.
    @inline(__always)
    private func combine<Number: Real>(
        _ frame: Frame<Number>, _ a: UnsafePointer<Number>?, _ b: UnsafePointer<Number>?, shifted: Bool,
        into out: UnsafeMutablePointer<Number>
    ) {
        let (p, q, s) = (frame.scratch, frame.scratch + channels, frame.scratch + 2 * channels)
        if !shifted { s.update(repeating: 0, count: channels) }
        if spatial == 1 {
            for row in 0..<frame.rows {
                let (out, a, b) = (out + row * channels, a.map { $0 + row * channels }, b.map { $0 + row * channels })
                switch (a, b) {
                case (let a?, let b?): for c in 0..<channels { out[c] = p[c] * a[c] + q[c] * b[c] + s[c] }
                case (let a?, nil): for c in 0..<channels { out[c] = p[c] * a[c] + s[c] }
                case (nil, let b?): for c in 0..<channels { out[c] = q[c] * b[c] + s[c] }
                case (nil, nil): for c in 0..<channels { out[c] = s[c] }
                }
            }
            return
        }
        for image in 0..<frame.rows * channels {
            let (p, q, s) = (p[image % channels], q[image % channels], s[image % channels])
            let numbers = image * spatial..<(image + 1) * spatial
            switch (a, b) {
            case (let a?, let b?): for i in numbers { out[i] = p * a[i] + q * b[i] + s }
            case (let a?, nil): for i in numbers { out[i] = p * a[i] + s }
            case (nil, let b?): for i in numbers { out[i] = q * b[i] + s }
            case (nil, nil): for i in numbers { out[i] = s }
            }
        }
    }

    /// sums[c] ← sums[c] + factor(c) · Σ term(a, b, c) over the numbers of channel c in all rows.
    @inline(__always)
    private func addSums<Number: Real>(
        _ frame: Frame<Number>, _ a: UnsafePointer<Number>, _ b: UnsafePointer<Number>,
        into sums: UnsafeMutablePointer<Number>, _ term: (Number, Number, Int) -> Number, scaledBy factor: (Int) -> Number
    ) {
        if spatial == 1 {
            let totals = frame.scratch
            totals.update(repeating: 0, count: channels)
            for row in 0..<frame.rows {
                let (a, b) = (a + row * channels, b + row * channels)
                for c in 0..<channels { totals[c] += term(a[c], b[c], c) }
            }
            for c in 0..<channels { sums[c] += factor(c) * totals[c] }
            return
        }
        for image in 0..<frame.rows * channels {
            let c = image % channels
            let (a, b) = (a + image * spatial, b + image * spatial)
            sums[c] += factor(c) * laneSum(spatial) { term(a[$0], b[$0], c) }
        }
    }
}
