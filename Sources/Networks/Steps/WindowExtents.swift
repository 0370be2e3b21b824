extension LayerSpec.Window {
    /// Extents of what a convolution or a pooling layer puts out for an input of these extents; nil where the window is larger than the
    /// padded input, or where anything is not positive or too large to count.
    ///
    /// With `ceilMode` windows may hang over the end, but the last one begins inside the input or the padding before it: PyTorch's rule.
    func outputExtents(of input: LayerSpec.Pair, ceilMode: Bool) -> LayerSpec.Pair? {
        guard
            let height = Self.extent(
                input.height, kernel.height, stride.height, padding.height, dilation.height, ceilMode: ceilMode),
            let width = Self.extent(input.width, kernel.width, stride.width, padding.width, dilation.width, ceilMode: ceilMode)
        else { return nil }
        return LayerSpec.Pair(height, width)
    }

    private static func extent(
        _ input: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int, ceilMode: Bool
    ) -> Int? {
        guard input > 0, kernel > 0, stride > 0, padding >= 0, dilation > 0 else { return nil }
        let distance = dilation.multipliedReportingOverflow(by: kernel - 1)
        let bothSides = padding.multipliedReportingOverflow(by: 2)
        let padded = input.addingReportingOverflow(bothSides.partialValue)
        guard !distance.overflow, !bothSides.overflow, !padded.overflow else { return nil }
        // Where the last window that does not hang over begins.
        let last = padded.partialValue - 1 - distance.partialValue
        guard last >= 0 else {
            // PyTorch lets the only window hang over by less than a stride.
            return ceilMode && last > -stride ? 1 : nil
        }
        let whole = last / stride
        guard ceilMode, !last.isMultiple(of: stride) else { return whole + 1 }
        let next = (whole * stride).addingReportingOverflow(stride)
        return !next.overflow && next.partialValue < input + padding ? whole + 2 : whole + 1
    }
}
