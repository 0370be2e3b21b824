internal import LinearAlgebra

/// A convolution's products as correlations of planes: y from x, and δx from δy.
///
/// Both are the same kind of product. Forward, position (r, c) of the output reads, for tap (i, j), the padded input at
/// (stride·r + dilation·i, stride·c + dilation·j): in the plane of the remainders of dilation·i and dilation·j by the stride, the
/// element at r and c plus the quotients. Backward, an element of δx whose padded place is stride·u + a sums over the taps with that
/// remainder a, each reading δy at u minus its quotient: one correlation for each pair of remainders, of δy with zeros around it.
struct ConvolutionPlan: Sendable {
    /// What x is copied to, and what δy is copied to.
    let input, output: ConvolutionPlanes
    /// y of one group of channels.
    let forward: Correlation
    /// δx of one group, each its part of the elements.
    let backward: [Correlation]
    /// Whether those parts leave elements out, which no tap reads.
    let leavesOut: Bool

    /// The plan; `planes` must have a value for the same sizes.
    init?(
        inChannels: Int, outChannels: Int, groups: Int, input: LayerSpec.Pair, output: LayerSpec.Pair, window: LayerSpec.Window
    ) {
        let (rows, columns) = Self.axes(input, output, window)
        guard let planes = Self.planes(inChannels: inChannels, outChannels: outChannels, rows, columns) else { return nil }
        let size = Size(
            inputs: inChannels / groups, outputs: outChannels / groups, inChannels: inChannels, outChannels: outChannels,
            kernel: window.kernel)
        (self.input, self.output) = planes
        forward = Self.forward(size, rows, columns, planes.input)
        var (backward, covered): ([Correlation], Int) = ([], 0)
        for row in rows.phases where !row.inside.isEmpty {
            for column in columns.phases where !column.inside.isEmpty {
                backward.append(Self.backward(size, rows, columns, row, column, planes.output))
                covered += row.inside.count * column.inside.count
            }
        }
        self.backward = backward
        leavesOut = covered < input.height * input.width
    }

    /// The most places in the window for all channels of x, or of y: each has an entry in a list.
    private static let mostTaps = 1 << 22
    /// The most pairs of remainders of rows and columns: each has a correlation of its own.
    private static let mostPhases = 1 << 14

    /// What x and δy are copied to. Nil where that is too much: see `ConvolutionStep.workingCount`.
    static func planes(
        inChannels: Int, outChannels: Int, input: LayerSpec.Pair, output: LayerSpec.Pair, window: LayerSpec.Window
    ) -> (input: ConvolutionPlanes, output: ConvolutionPlanes)? {
        let taps = [max(inChannels, outChannels), window.kernel.height, window.kernel.width].product
        guard let taps, taps <= mostTaps else { return nil }
        let (rows, columns) = axes(input, output, window)
        guard rows.phases.count * columns.phases.count <= mostPhases else { return nil }
        return planes(inChannels: inChannels, outChannels: outChannels, rows, columns)
    }

    private static func planes(
        inChannels: Int, outChannels: Int, _ rows: ConvolutionAxis, _ columns: ConvolutionAxis
    ) -> (input: ConvolutionPlanes, output: ConvolutionPlanes)? {
        guard
            let input = ConvolutionPlanes(channels: inChannels, rows: rows.inputPlanes, columns: columns.inputPlanes),
            let output = ConvolutionPlanes(channels: outChannels, rows: rows.outputPlanes, columns: columns.outputPlanes)
        else { return nil }
        return (input, output)
    }

    private static func axes(
        _ input: LayerSpec.Pair, _ output: LayerSpec.Pair, _ window: LayerSpec.Window
    ) -> (rows: ConvolutionAxis, columns: ConvolutionAxis) {
        (
            ConvolutionAxis(
                input: input.height, output: output.height, kernel: window.kernel.height, stride: window.stride.height,
                padding: window.padding.height, dilation: window.dilation.height),
            ConvolutionAxis(
                input: input.width, output: output.width, kernel: window.kernel.width, stride: window.stride.width,
                padding: window.padding.width, dilation: window.dilation.width)
        )
    }

    /// Channels, of a group and of all, and the window's extents.
    private struct Size {
        let inputs, outputs, inChannels, outChannels: Int
        let kernel: LayerSpec.Pair

        var taps: Int { kernel.height * kernel.width }
    }

    private static func forward(
        _ size: Size, _ rows: ConvolutionAxis, _ columns: ConvolutionAxis, _ planes: ConvolutionPlanes
    ) -> Correlation {
        var offsets = [Int](repeating: 0, count: size.inputs * size.taps)
        for (r, row) in rows.phases.enumerated() {
            for (c, column) in columns.phases.enumerated() {
                for i in row.taps {
                    for j in column.taps {
                        let offset = planes.start(row: r, column: c) + i.quotient * planes.columns.extent + j.quotient
                        for channel in 0..<size.inputs {
                            offsets[channel * size.taps + i.index * size.kernel.width + j.index] =
                                channel * planes.channelCount + offset
                        }
                    }
                }
            }
        }
        return Correlation(
            offsets: offsets, weightOffsets: Array(offsets.indices), outputs: size.outputs, weightStride: offsets.count,
            outputStride: rows.output * columns.output,
            grid: .init(
                start: 0, place: 0, rows: rows.output, columns: columns.output, pitch: planes.columns.extent,
                rowStep: columns.output, columnStep: 1),
            planesStride: planes.exampleCount, resultsStride: size.outChannels * rows.output * columns.output)
    }

    /// δx of the elements with these two remainders.
    private static func backward(
        _ size: Size, _ rows: ConvolutionAxis, _ columns: ConvolutionAxis, _ row: ConvolutionAxis.Phase,
        _ column: ConvolutionAxis.Phase, _ planes: ConvolutionPlanes
    ) -> Correlation {
        var (offsets, weightOffsets): ([Int], [Int]) = ([], [])
        for output in 0..<size.outputs {
            for i in row.taps {
                for j in column.taps {
                    offsets.append(output * planes.channelCount - i.quotient * planes.columns.extent - j.quotient)
                    weightOffsets.append(
                        output * size.inputs * size.taps + i.index * size.kernel.width + j.index)
                }
            }
        }
        let start = (
            row: row.inside.lowerBound - rows.reach.lowerBound, column: column.inside.lowerBound - columns.reach.lowerBound
        )
        let place = (
            row: rows.stride * row.inside.lowerBound + row.remainder - rows.padding,
            column: columns.stride * column.inside.lowerBound + column.remainder - columns.padding
        )
        return Correlation(
            offsets: offsets, weightOffsets: weightOffsets, outputs: size.inputs, weightStride: size.taps,
            outputStride: rows.input * columns.input,
            grid: .init(
                start: start.row * planes.columns.extent + start.column, place: place.row * columns.input + place.column,
                rows: row.inside.count, columns: column.inside.count, pitch: planes.columns.extent,
                rowStep: rows.stride * columns.input, columnStep: columns.stride),
            planesStride: planes.exampleCount, resultsStride: size.inChannels * rows.input * columns.input)
    }
}
