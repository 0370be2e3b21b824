internal import LinearAlgebra

/// y = (x − mean) / √(variance + ε) · weight + bias for each channel, mean and variance being stored statistics: batch norm as models
/// predict with it, an affine map of each number. Rows are [channels, spatial].
struct BatchNormStep: StepKernel {
    let channels, spatial: Int
    let epsilon: Double
    let mean, variance: TensorSlot
    let weight, bias: TensorSlot?

    /// Coefficients, four for each channel.
    func scratchCount(rows: Int) -> Int { 4 * channels }

    func forward<Number: Real>(_ frame: Frame<Number>, _ step: Step, order: DerivativeOrder) {
        let coefficients = Coefficients(frame, channels)
        let mean = mean.pointer(in: frame.parameters)
        let bias = bias?.pointer(in: frame.parameters)
        for c in 0..<channels {
            coefficients.q[c] = scale(frame, c)
            coefficients.m[c] = mean[c]
            coefficients.s[c] = bias?[c] ?? 0
        }
        combine(frame, nil, frame.x, coefficients, into: frame.y)
    }

    func backward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, dx: UnsafeMutablePointer<Number>
    ) {
        let coefficients = Coefficients(frame, channels)
        for c in 0..<channels { coefficients.p[c] = scale(frame, c) }
        combine(frame, dy, nil, coefficients, into: dx)
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
        let coefficients = Coefficients(frame, channels)
        let mean = mean.pointer(in: frame.parameters)
        let (direction, shift) = (v.flatMap { weight?.part(of: $0) }, v.flatMap { bias?.part(of: $0) })
        for c in 0..<channels {
            coefficients.p[c] = scale(frame, c)
            coefficients.q[c] = direction.map { $0[c] * reciprocal(frame, c) } ?? 0
            coefficients.m[c] = mean[c]
            coefficients.s[c] = shift?[c] ?? 0
        }
        combine(frame, x, direction == nil ? nil : UnsafePointer(frame.x), coefficients, into: y)
    }

    func tangentBackward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, tangentDx: UnsafeMutablePointer<Number>
    ) {
        let coefficients = Coefficients(frame, channels)
        let direction = v.flatMap { weight?.part(of: $0) }
        for c in 0..<channels {
            coefficients.p[c] = scale(frame, c)
            coefficients.q[c] = direction.map { $0[c] * reciprocal(frame, c) } ?? 0
        }
        combine(frame, tangentDy, direction == nil ? nil : dy, coefficients, into: tangentDx)
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

    /// Each channel's p, q, m and s of p·a + q·(b − m) + s; the last two are zero unless set.
    private struct Coefficients<Number: Real> {
        let p, q, m, s: UnsafeMutablePointer<Number>

        @inline(__always)
        init(_ frame: Frame<Number>, _ channels: Int) {
            p = frame.scratch
            q = p + channels
            m = q + channels
            s = m + channels
            m.update(repeating: 0, count: 2 * channels)
        }
    }

    /// out ← p·a + q·(b − m) + s; no a or no b is zero. The mean is taken off before anything is multiplied, as a channel that hardly varies
    /// would lose its digits otherwise.
    @inline(__always)
    private func combine<Number: Real>(
        _ frame: Frame<Number>, _ a: UnsafePointer<Number>?, _ b: UnsafePointer<Number>?, _ coefficients: Coefficients<Number>,
        into out: UnsafeMutablePointer<Number>
    ) {
        let (p, q, m, s) = (coefficients.p, coefficients.q, coefficients.m, coefficients.s)
        if spatial == 1 {
            for row in 0..<frame.rows {
                let (out, a, b) = (out + row * channels, a.map { $0 + row * channels }, b.map { $0 + row * channels })
                switch (a, b) {
                case (let a?, let b?): for c in 0..<channels { out[c] = p[c] * a[c] + q[c] * (b[c] - m[c]) + s[c] }
                case (let a?, nil): for c in 0..<channels { out[c] = p[c] * a[c] + s[c] }
                case (nil, let b?): for c in 0..<channels { out[c] = q[c] * (b[c] - m[c]) + s[c] }
                case (nil, nil): for c in 0..<channels { out[c] = s[c] }
                }
            }
            return
        }
        for image in 0..<frame.rows * channels {
            let c = image % channels
            let (p, q, m, s) = (p[c], q[c], m[c], s[c])
            let numbers = image * spatial..<(image + 1) * spatial
            switch (a, b) {
            case (let a?, let b?): for i in numbers { out[i] = p * a[i] + q * (b[i] - m) + s }
            case (let a?, nil): for i in numbers { out[i] = p * a[i] + s }
            case (nil, let b?): for i in numbers { out[i] = q * (b[i] - m) + s }
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
