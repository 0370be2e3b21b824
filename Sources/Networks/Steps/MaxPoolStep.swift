internal import LinearAlgebra

/// y = the largest number of each window, PyTorch's max_pool2d: of equal ones the first in row order takes all of δy, and a NaN is larger
/// than anything. Rows are [channels, height, width]; `forward` keeps where the largest were.
///
/// An empty window, which padding and dilation together can make, gives −∞ and has no derivative.
struct MaxPoolStep: LinearKernel {
    private let channels: Int
    /// Numbers of a channel of x, and of y.
    private let inputs, outputs: Int
    private let windows: PoolingWindows
    /// Numbers of a window, at most.
    private let windowCount: Int

    /// A channel of the input has fewer than 2³¹ numbers.
    init(channels: Int, input: LayerSpec.Pair, output: LayerSpec.Pair, window: LayerSpec.Window) {
        self.channels = channels
        inputs = input.height * input.width
        outputs = output.height * output.width
        windowCount = min(window.kernel.height, input.height) * min(window.kernel.width, input.width)
        windows = PoolingWindows(
            image: (input.height, input.width), results: (output.height, output.width),
            kernel: (window.kernel.height, window.kernel.width), stride: (window.stride.height, window.stride.width),
            padding: (window.padding.height, window.padding.width), dilation: (window.dilation.height, window.dilation.width))
    }

    func savedWidth(_ step: Step, _ order: DerivativeOrder) -> Int { order >= .first ? channels * outputs : 0 }

    func operations(_ step: Step) -> Int { 2 * channels * outputs * windowCount }

    func forward<Number: Real>(_ frame: Frame<Number>, _ step: Step, order: DerivativeOrder) {
        // Places need 32 bits, which every kind of number has; as numbers only those up to 2²⁴ would be exact.
        let places =
            order >= .first
            ? UnsafeMutableRawPointer(frame.saved).bindMemory(to: Int32.self, capacity: frame.rows * channels * outputs) : nil
        Number.maxPool(windows, images: frame.rows * channels, frame.x, into: frame.y, places: places)
    }

    func backward<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, dy: UnsafePointer<Number>, dx: UnsafeMutablePointer<Number>
    ) {
        let places = places(frame)
        dx.update(repeating: 0, count: frame.rows * channels * inputs)
        for image in 0..<frame.rows * channels {
            let dx = dx + image * inputs
            for i in image * outputs..<(image + 1) * outputs where places[i] >= 0 { dx[Int(places[i])] += dy[i] }
        }
    }

    func tangent<Number: Real>(
        _ frame: Frame<Number>, _ step: Step, x: UnsafePointer<Number>?, v: UnsafePointer<Number>?,
        into y: UnsafeMutablePointer<Number>
    ) {
        guard let x else { return y.update(repeating: 0, count: frame.rows * channels * outputs) }
        let places = places(frame)
        for image in 0..<frame.rows * channels {
            let x = x + image * inputs
            for i in image * outputs..<(image + 1) * outputs { y[i] = places[i] >= 0 ? x[Int(places[i])] : 0 }
        }
    }

    @inline(__always)
    private func places<Number: Real>(_ frame: Frame<Number>) -> UnsafePointer<Int32> {
        UnsafeRawPointer(frame.saved).assumingMemoryBound(to: Int32.self)
    }
}
