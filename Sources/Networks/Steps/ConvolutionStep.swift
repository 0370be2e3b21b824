internal import LinearAlgebra

/// y[o, r, c] = b[o] + Σ W[o, i, j, k] · x[i, stride·r + dilation·j − padding, stride·c + dilation·k − padding] over the input channels
/// of o's group and the window, x being zero outside: PyTorch's conv2d. Rows are [channels, height, width].
///
/// 2 · (numbers in W) · positions flops for an example and each of y, δx and δW.
struct ConvolutionStep: StepKernel {
    let groups: Int
    let weight: TensorSlot
    let bias: TensorSlot?
    let inChannels, outChannels: Int
    /// Extents of a channel of x and of y, and where the window is put.
    let input, output: LayerSpec.Pair, window: LayerSpec.Window
    /// Numbers of a channel of x and of y, and in an output channel's weights.
    private let inputs: Int
    let positions, taps: Int
    private let plan: ConvolutionPlan

    /// The sizes must compose, and have a `workingCount`.
    init(
        inChannels: Int, outChannels: Int, groups: Int, input: LayerSpec.Pair, output: LayerSpec.Pair, window: LayerSpec.Window,
        weight: TensorSlot, bias: TensorSlot?
    ) {
        guard
            let plan = ConvolutionPlan(
                inChannels: inChannels, outChannels: outChannels, groups: groups, input: input, output: output, window: window)
        else { preconditionFailure("a convolution of these sizes has no plan") }
        self.groups = groups
        self.weight = weight
        self.bias = bias
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.plan = plan
        (self.input, self.output, self.window) = (input, output, window)
        inputs = input.height * input.width
        positions = output.height * output.width
        taps = inChannels / groups * window.kernel.height * window.kernel.width
    }

    /// Numbers of scratch that one example needs: its images with zeros around them. Nil where there are more than 2²⁷, as a small image
    /// with a huge padding and dilation has; where the window has more than 2²² places for all channels; or where stride and window are
    /// so large that the places have more than 2¹⁴ different remainders by the stride.
    static func workingCount(
        inChannels: Int, outChannels: Int, input: LayerSpec.Pair, output: LayerSpec.Pair, window: LayerSpec.Window
    ) -> Int? {
        ConvolutionPlan.planes(
            inChannels: inChannels, outChannels: outChannels, input: input, output: output, window: window
        ).map { max($0.input.exampleCount, $0.output.exampleCount) }
    }

    func scratchCount(rows: Int) -> Int { max(plan.input.scratchCount(rows), plan.output.scratchCount(rows)) }

    func operations(_ step: Step) -> Int { 2 * outChannels * taps * positions }

    func forward<Number: Real>(_ frame: Frame<Number>, _ step: Step, order: DerivativeOrder) {
        correlate(
            frame, UnsafePointer(frame.x), weight.pointer(in: frame.parameters),
            bias: bias.map { $0.pointer(in: frame.parameters) }, adding: false, into: frame.y)
    }

    func backward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, dx: UnsafeMutablePointer<Number>
    ) {
        propagate(frame, dy, weight.pointer(in: frame.parameters), adding: false, into: dx)
    }

    func accumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        addProducts(
            frame, UnsafePointer(frame.x), dy, weights: weight.part(of: gradient), bias: bias?.part(of: gradient))
    }

    func tangent<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        into y: UnsafeMutablePointer<Number>
    ) {
        let direction = v.flatMap { weight.part(of: $0) }
        let shift = v.flatMap { bias?.part(of: $0) }
        if let x {
            // Whichever product is last brings the bias with it.
            correlate(
                frame, x, weight.pointer(in: frame.parameters), bias: direction == nil ? shift : nil, adding: false, into: y)
        }
        if let direction {
            correlate(frame, UnsafePointer(frame.x), direction, bias: shift, adding: x != nil, into: y)
        } else if x == nil {
            for channel in 0..<frame.rows * outChannels {
                (y + channel * positions).update(repeating: shift.map { $0[channel % outChannels] } ?? 0, count: positions)
            }
        }
    }

    func tangentBackward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, tangentDx: UnsafeMutablePointer<Number>
    ) {
        propagate(frame, tangentDy, weight.pointer(in: frame.parameters), adding: false, into: tangentDx)
        if let direction = v.flatMap({ weight.part(of: $0) }) { propagate(frame, dy, direction, adding: true, into: tangentDx) }
    }

    func tangentAccumulate<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        dy: UnsafePointer<Number>, tangentDy: UnsafePointer<Number>, into gradient: UnsafeMutablePointer<Number>
    ) {
        addProducts(
            frame, UnsafePointer(frame.x), tangentDy, weights: weight.part(of: gradient), bias: bias?.part(of: gradient))
        if let x { addProducts(frame, x, dy, weights: weight.part(of: gradient), bias: nil) }
    }
}

// The three products that all of the above are made of, each for a few examples at a time.
extension ConvolutionStep {
    /// out ← (adding ? out : 0) + bias + in ⋆ weights.
    @inline(__always)
    private func correlate<Number: Real>(
        _ frame: Frame<Number>, _ input: UnsafePointer<Number>, _ weights: UnsafePointer<Number>,
        bias: UnsafePointer<Number>?, adding: Bool, into output: UnsafeMutablePointer<Number>
    ) {
        let (channels, outputs) = (inChannels / groups, outChannels / groups)
        forEachFilling(of: plan.input, frame, with: input) { examples in
            for group in 0..<groups {
                Number.correlate(
                    plan.forward, examples: examples.count, planes: frame.scratch + group * channels * plan.input.channelCount,
                    weights: weights + group * outputs * taps, bias: bias.map { $0 + group * outputs }, adding: adding,
                    into: output + (examples.lowerBound * outChannels + group * outputs) * positions)
            }
        }
    }

    /// in ← (adding ? in : 0) + what makes the product above its transpose in the input.
    @inline(__always)
    private func propagate<Number: Real>(
        _ frame: Frame<Number>, _ output: UnsafePointer<Number>, _ weights: UnsafePointer<Number>, adding: Bool,
        into input: UnsafeMutablePointer<Number>
    ) {
        let (channels, outputs) = (inChannels / groups, outChannels / groups)
        if !adding, plan.leavesOut { input.update(repeating: 0, count: frame.rows * inChannels * inputs) }
        forEachFilling(of: plan.output, frame, with: output) { examples in
            for group in 0..<groups {
                for part in plan.backward {
                    Number.correlate(
                        part, examples: examples.count, planes: frame.scratch + group * outputs * plan.output.channelCount,
                        weights: weights + group * outputs * taps, bias: nil, adding: adding,
                        into: input + (examples.lowerBound * inChannels + group * channels) * inputs)
                }
            }
        }
    }

    /// weights ← weights + Σ out · in, over examples and positions, and bias ← bias + Σ out.
    @inline(__always)
    private func addProducts<Number: Real>(
        _ frame: Frame<Number>, _ input: UnsafePointer<Number>, _ output: UnsafePointer<Number>,
        weights: UnsafeMutablePointer<Number>?, bias: UnsafeMutablePointer<Number>?
    ) {
        guard weights != nil || bias != nil else { return }
        let (channels, outputs) = (inChannels / groups, outChannels / groups)
        forEachFilling(of: plan.input, frame, with: input) { examples in
            for group in 0..<groups {
                Number.addCorrelation(
                    plan.forward, examples: examples.count, planes: frame.scratch + group * channels * plan.input.channelCount,
                    results: output + (examples.lowerBound * outChannels + group * outputs) * positions,
                    to: weights.map { $0 + group * outputs * taps }, bias: bias.map { $0 + group * outputs })
            }
        }
    }

    /// Copies the images of a few examples after another into planes, which `body` then finds in the scratch.
    @inline(__always)
    private func forEachFilling<Number: Real>(
        of planes: ConvolutionPlanes, _ frame: Frame<Number>, with images: UnsafePointer<Number>, _ body: (Range<Int>) -> Void
    ) {
        planes.clear(frame.scratch, for: frame.rows)
        let width = planes.channels * planes.imageCount
        let atOnce = planes.examplesAtOnce(of: frame.rows)
        for first in stride(from: 0, to: frame.rows, by: max(1, atOnce)) {
            let examples = first..<min(first + atOnce, frame.rows)
            planes.fill(frame.scratch, with: images + first * width, examples: examples.count)
            body(examples)
        }
    }
}
