internal import LinearAlgebra

/// y = the mean of each window, for windows that are a span of rows times a span of columns: PyTorch's avg_pool2d and
/// adaptive_avg_pool2d. Rows are [channels, height, width].
struct MeanPoolStep: LinearKernel {
    /// One dimension of a window.
    struct Span: Sendable, Equatable {
        /// What of the input it takes; may be empty.
        let range: Range<Int>
        /// How many elements count in the divisor: padding may.
        let extent: Int
    }

    let channels: Int
    let input, output: LayerSpec.Pair
    /// The spans of the output's rows and of its columns.
    let vertical, horizontal: [Span]
    /// What sums are divided by, where that is not the number of elements.
    let divisor: Int?

    /// Sums of a column, in one row's window.
    func scratchCount(rows: Int) -> Int { input.width }

    func operations(_ step: Step) -> Int { 4 * step.inputWidth + 4 * step.outputWidth }

    func forward<Number: Real>(_ frame: Frame<Number>, _ step: Step, order: DerivativeOrder) {
        pool(frame, UnsafePointer(frame.x), into: frame.y)
    }

    func backward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, dx: UnsafeMutablePointer<Number>
    ) {
        let (width, sums) = (input.width, frame.scratch)
        let size = input.height * width
        dx.update(repeating: 0, count: frame.rows * channels * size)
        forEachWindowRow(frame) { image, row, span, dividers in
            let dy = dy + (image * output.height + row) * output.width
            sums.update(repeating: 0, count: width)
            for (column, across) in dividers.enumerated() {
                let share = dy[column] / divisor(span, across)
                for c in across.range { sums[c] += share }
            }
            for r in span.range {
                let dx = dx + image * size + r * width
                for c in 0..<width { dx[c] += sums[c] }
            }
        }
    }

    func tangent<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        into y: UnsafeMutablePointer<Number>
    ) {
        guard let x else { return y.update(repeating: 0, count: frame.rows * channels * output.height * output.width) }
        pool(frame, x, into: y)
    }

    @inline(__always)
    private func pool<Number: Real>(
        _ frame: Frame<Number>, _ x: UnsafePointer<Number>, into y: UnsafeMutablePointer<Number>
    ) {
        let (width, sums) = (input.width, frame.scratch)
        forEachWindowRow(frame) { image, row, span, dividers in
            sums.update(repeating: 0, count: width)
            for r in span.range {
                let x = x + (image * input.height + r) * width
                for c in 0..<width { sums[c] += x[c] }
            }
            let y = y + (image * output.height + row) * output.width
            for (column, across) in dividers.enumerated() {
                var sum: Number = 0
                for c in across.range { sum += sums[c] }
                y[column] = sum / divisor(span, across)
            }
        }
    }

    /// Calls `body` for each row of each channel of the output with its span of rows, and the spans of columns.
    @inline(__always)
    private func forEachWindowRow<Number: Real>(
        _ frame: Frame<Number>, _ body: (Int, Int, Span, UnsafeBufferPointer<Span>) -> Void
    ) {
        horizontal.withUnsafeBufferPointer { horizontal in
            for image in 0..<frame.rows * channels {
                for (row, span) in vertical.enumerated() { body(image, row, span, horizontal) }
            }
        }
    }

    /// What a window's sum is divided by: an empty one, which has none, by 1.
    @inline(__always)
    private func divisor<Number: Real>(_ down: Span, _ across: Span) -> Number {
        Number(max(1, divisor ?? down.extent * across.extent))
    }
}

extension MeanPoolStep {
    /// The spans of the output's rows and of its columns.
    typealias Spans = (vertical: [Span], horizontal: [Span])

    /// The spans of avg_pool2d, whose windows have no dilation. A window that hangs over the padding's end counts only what is inside it.
    static func spans(
        of window: LayerSpec.Window, on input: LayerSpec.Pair, output: LayerSpec.Pair, countIncludePad: Bool
    ) -> Spans {
        func spans(_ dimension: KeyPath<LayerSpec.Pair, Int>) -> [Span] {
            let (input, padding) = (input[keyPath: dimension], window.padding[keyPath: dimension])
            return (0..<output[keyPath: dimension]).map { index in
                let start = index * window.stride[keyPath: dimension] - padding
                let end = min(start + window.kernel[keyPath: dimension], input + padding)
                let first = min(max(start, 0), input)
                let range = first..<max(first, min(end, input))
                return Span(range: range, extent: countIncludePad ? max(0, end - start) : range.count)
            }
        }
        return (spans(\.height), spans(\.width))
    }

    /// The spans of adaptive_avg_pool2d: from ⌊i · input / output⌋ to ⌈(i + 1) · input / output⌉.
    static func adaptiveSpans(of input: LayerSpec.Pair, output: LayerSpec.Pair) -> Spans {
        func spans(_ input: Int, _ output: Int) -> [Span] {
            (0..<output).map { index in
                let range = index * input / output..<((index + 1) * input + output - 1) / output
                return Span(range: range, extent: range.count)
            }
        }
        return (spans(input.height, output.height), spans(input.width, output.width))
    }
}
