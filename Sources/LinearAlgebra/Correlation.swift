internal import CKernels

/// What a correlation of planes with weights reads, and where its results go: the shape of a convolution's product, forward or backward.
///
/// An output's result at a position is Σ_t weight of t · planes[position + offset of t] over the taps t. All distances are in numbers.
/// See `correlation.h` for the method.
public struct Correlation: Sendable {
    /// Some results of each example: rows × columns of them for each output.
    public struct Grid: Sendable {
        /// What the first position is in the planes, and the place of its result.
        public let start, place: Int
        /// How many.
        public let rows, columns: Int
        /// From a row of positions to the next in the planes; neighbouring positions are neighbours there.
        public let pitch: Int
        /// From a result to the one below it and to the one beside it.
        public let rowStep, columnStep: Int

        /// Makes a grid of its parts.
        public init(start: Int, place: Int, rows: Int, columns: Int, pitch: Int, rowStep: Int, columnStep: Int) {
            self.start = start
            self.place = place
            self.rows = rows
            self.columns = columns
            self.pitch = pitch
            self.rowStep = rowStep
            self.columnStep = columnStep
        }
    }

    /// From a position to what each tap reads, and from an output's first weight to each tap's.
    private let offsets, weightOffsets: [Int]
    /// The grid's rows in pieces that are computed at once.
    private let segments: [influenced_segment]
    private let outputs, weightStride, outputStride, planesStride, resultsStride: Int
    private let grid: Grid

    /// A correlation's shape.
    /// - Parameters:
    ///   - offsets: From a position to what each tap reads.
    ///   - weightOffsets: From an output's first weight to each tap's.
    ///   - outputs: How many; their weights are `weightStride` apart and their results `outputStride`.
    ///   - grid: The results of one output and example.
    ///   - planesStride: From an example's planes to the next one's.
    ///   - resultsStride: From an example's results to the next one's.
    public init(
        offsets: [Int], weightOffsets: [Int], outputs: Int, weightStride: Int, outputStride: Int, grid: Grid,
        planesStride: Int, resultsStride: Int
    ) {
        precondition(offsets.count == weightOffsets.count, "a tap has an offset and a weight")
        precondition(
            grid.rows > 0 && grid.columns > 0 && grid.pitch >= grid.columns, "a grid has positions, and its rows are apart")
        self.offsets = offsets
        self.weightOffsets = weightOffsets
        self.outputs = outputs
        self.weightStride = weightStride
        self.outputStride = outputStride
        self.planesStride = planesStride
        self.resultsStride = resultsStride
        self.grid = grid
        segments = Self.segments(of: grid)
    }

    /// The most positions of a segment.
    private static let capacity = Int(influenced_segment_vectors) * Int(influenced_positions)

    /// Cuts a grid such that each segment has its vectors: several rows in one line where that wastes less than a line for each.
    private static func segments(of grid: Grid) -> [influenced_segment] {
        func vectors(_ positions: Int) -> Int { (positions + Int(influenced_positions) - 1) / Int(influenced_positions) }
        let together = vectors((grid.rows - 1) * grid.pitch + grid.columns)
        let rowsAtOnce =
            together < grid.rows * vectors(grid.columns) && grid.columns <= capacity
            ? max(1, (capacity - grid.columns) / grid.pitch + 1) : 1
        let columnsAtOnce = min(grid.columns, capacity)
        var segments: [influenced_segment] = []
        for row in stride(from: 0, to: grid.rows, by: rowsAtOnce) {
            for column in stride(from: 0, to: grid.columns, by: columnsAtOnce) {
                segments.append(
                    influenced_segment(
                        start: grid.start + row * grid.pitch + column,
                        place: grid.place + row * grid.rowStep + column * grid.columnStep,
                        rows: min(rowsAtOnce, grid.rows - row), columns: min(columnsAtOnce, grid.columns - column)))
            }
        }
        return segments
    }

    /// Lends it as the kernels know it.
    func withShape(_ body: (UnsafePointer<influenced_correlation>) -> Void) {
        offsets.withUnsafeBufferPointer { offsets in
            weightOffsets.withUnsafeBufferPointer { weightOffsets in
                segments.withUnsafeBufferPointer { segments in
                    var shape = influenced_correlation(
                        taps: offsets.count, offsets: offsets.baseAddress, weight_offsets: weightOffsets.baseAddress,
                        outputs: outputs, weight_stride: weightStride, output_stride: outputStride, pitch: grid.pitch,
                        row_step: grid.rowStep, column_step: grid.columnStep, segments: segments.baseAddress,
                        segment_count: segments.count, planes_stride: planesStride, results_stride: resultsStride)
                    body(&shape)
                }
            }
        }
    }
}
