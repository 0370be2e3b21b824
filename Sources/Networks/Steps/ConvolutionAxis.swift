/// One dimension of a convolution: its taps by the remainder of their distance by the stride, and where the image's elements with this
/// remainder are.
struct ConvolutionAxis: Sendable {
    /// A place in the window.
    struct Tap: Sendable {
        let index: Int
        /// Its distance from the first, divided by the stride.
        let quotient: Int
    }

    /// The taps of one remainder.
    struct Phase: Sendable {
        let remainder: Int
        let taps: [Tap]
        /// The u for which stride · u + remainder − padding lies in the image.
        let inside: Range<Int>
    }

    /// Extents of the image and of the result.
    let input, output: Int
    let stride, padding: Int
    let phases: [Phase]
    private let largestQuotient: Int

    init(input: Int, output: Int, kernel: Int, stride: Int, padding: Int, dilation: Int) {
        self.input = input
        self.output = output
        self.stride = stride
        self.padding = padding
        var taps: [Int: [Tap]] = [:]
        for index in 0..<kernel {
            let distance = index * dilation
            taps[distance % stride, default: []].append(Tap(index: index, quotient: distance / stride))
        }
        largestQuotient = (kernel - 1) * dilation / stride
        phases = taps.keys.sorted().map { remainder in
            let first = max(0, padding - remainder + stride - 1) / stride
            let end = max(0, input + padding - remainder + stride - 1) / stride
            return Phase(remainder: remainder, taps: taps[remainder] ?? [], inside: first..<max(first, end))
        }
    }

    /// Of δy, what is read on the way back, zeros around it included.
    var reach: Range<Int> {
        var (first, end) = (Int.max, Int.min)
        for phase in phases where !phase.inside.isEmpty {
            first = min(first, phase.inside.lowerBound - (phase.taps.last?.quotient ?? 0))
            end = max(end, phase.inside.upperBound - (phase.taps.first?.quotient ?? 0))
        }
        return first < end ? first..<end : 0..<1
    }

    /// The planes of x: one for each remainder.
    var inputPlanes: ConvolutionPlanes.Axis {
        ConvolutionPlanes.Axis(
            image: input, stride: stride, origins: phases.map { $0.remainder - padding }, extent: output + largestQuotient)
    }

    /// The plane of δy.
    var outputPlanes: ConvolutionPlanes.Axis {
        ConvolutionPlanes.Axis(image: output, stride: 1, origins: [reach.lowerBound], extent: reach.count)
    }
}
