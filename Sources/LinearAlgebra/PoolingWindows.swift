internal import CKernels

/// How windows lie over images, for `ImageNumber.maxPool`; each pair is (height, width).
public struct PoolingWindows: Sendable {
    let windows: influenced_windows

    /// Windows of `kernel` numbers that are `dilation` apart; the results' rows and columns begin `stride` behind one another, the first
    /// `padding` before the image. An image has fewer than 2³¹ numbers.
    public init(
        image: (Int, Int), results: (Int, Int), kernel: (Int, Int), stride: (Int, Int), padding: (Int, Int), dilation: (Int, Int)
    ) {
        precondition(image.0.multipliedReportingOverflow(by: image.1).partialValue <= Int32.max, "places must fit 32 bits")
        windows = influenced_windows(
            height: image.0, width: image.1, result_height: results.0, result_width: results.1, kernel_height: kernel.0,
            kernel_width: kernel.1, stride_height: stride.0, stride_width: stride.1, padding_height: padding.0,
            padding_width: padding.1, dilation_height: dilation.0, dilation_width: dilation.1)
    }
}
