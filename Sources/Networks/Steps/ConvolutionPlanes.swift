internal import LinearAlgebra

/// Images copied into planes, with zeros around them, so that every tap of a convolution lies at a constant distance from the position
/// that it is for.
///
/// A channel has one plane for each remainder of a row and a column by the stride: what a tap reads at neighbouring positions is
/// `stride` apart in the image, and neighbours in its plane.
struct ConvolutionPlanes: Sendable {
    /// A rectangle of a channel's image, and where it lies in the channel's planes.
    private struct Part: Sendable {
        let source, destination, rows, columns: Int
    }

    /// One dimension: where the planes' rows (or columns) lie in the image.
    struct Axis: Sendable {
        /// The image's extent.
        let image: Int
        /// Plane k's element u is the image's element stride · u + origins[k].
        let stride: Int
        let origins: [Int]
        /// Elements of a plane.
        let extent: Int

        /// For a plane: its first element inside the image and the number of them.
        fileprivate func inside(_ plane: Int) -> Range<Int> {
            let origin = origins[plane]
            // The first u with stride · u + origin ≥ 0 and the first with stride · u + origin ≥ image.
            let first = origin >= 0 ? 0 : (stride - 1 - origin) / stride
            let end = origin >= image ? 0 : (image - origin + stride - 1) / stride
            return min(first, extent)..<max(min(first, extent), min(end, extent))
        }
    }

    let channels: Int
    let rows, columns: Axis
    /// Numbers of one channel's planes, and of one example's.
    let channelCount, exampleCount: Int
    private let parts: [Part]

    /// The most numbers that an example's planes may have: half a gibibyte of them in single precision.
    static let largestCount = 1 << 27

    /// Nil where there are more than `largestCount` numbers.
    init?(channels: Int, rows: Axis, columns: Axis) {
        let plane = rows.extent.multipliedReportingOverflow(by: columns.extent)
        let channel = plane.partialValue.multipliedReportingOverflow(by: rows.origins.count * columns.origins.count)
        let example = channel.partialValue.multipliedReportingOverflow(by: channels)
        guard !plane.overflow, !channel.overflow, !example.overflow, example.partialValue <= Self.largestCount else { return nil }
        self.channels = channels
        self.rows = rows
        self.columns = columns
        channelCount = channel.partialValue
        exampleCount = example.partialValue
        var parts: [Part] = []
        for r in rows.origins.indices {
            for c in columns.origins.indices {
                let (inRows, inColumns) = (rows.inside(r), columns.inside(c))
                guard !inRows.isEmpty, !inColumns.isEmpty else { continue }
                let row = rows.stride * inRows.lowerBound + rows.origins[r]
                let column = columns.stride * inColumns.lowerBound + columns.origins[c]
                let start = (r * columns.origins.count + c) * plane.partialValue
                parts.append(
                    Part(
                        source: row * columns.image + column,
                        destination: start + inRows.lowerBound * columns.extent + inColumns.lowerBound, rows: inRows.count,
                        columns: inColumns.count))
            }
        }
        self.parts = parts
    }

    /// Numbers of one channel's image.
    var imageCount: Int { rows.image * columns.image }

    /// Where a plane begins in its channel's.
    func start(row: Int, column: Int) -> Int {
        (row * columns.origins.count + column) * rows.extent * columns.extent
    }

    /// Examples whose planes are filled at once: a few, as they stay in the second-level cache, but enough to fill vectors where images
    /// are small.
    func examplesAtOnce(of count: Int) -> Int { min(count, max(1, 32768 / exampleCount)) }

    /// Numbers that the planes of `examplesAtOnce` need, and what is read behind them.
    func scratchCount(_ count: Int) -> Int { examplesAtOnce(of: count) * exampleCount + 16 }

    /// Makes everything zero: what lies around the images, and behind the last one.
    func clear<Number: Real>(_ scratch: UnsafeMutablePointer<Number>, for count: Int) {
        scratch.update(repeating: 0, count: scratchCount(count))
    }

    /// Copies some examples' images into their planes.
    func fill<Number: Real>(_ scratch: UnsafeMutablePointer<Number>, with images: UnsafePointer<Number>, examples: Int) {
        for channel in 0..<examples * channels {
            let (image, planes) = (images + channel * imageCount, scratch + channel * channelCount)
            for part in parts {
                Number.copyPlane(
                    image + part.source, pitch: rows.stride * columns.image, step: columns.stride,
                    into: planes + part.destination, pitch: columns.extent, rows: part.rows, columns: part.columns)
            }
        }
    }
}
