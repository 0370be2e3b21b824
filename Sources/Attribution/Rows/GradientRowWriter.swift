public import LinearAlgebra
public import Networks

/// Makes rows that stand for the gradients of examples, for a cache of them.
public protocol GradientRowWriter: Sendable {
    /// Numbers in a row.
    var width: Int { get }
    /// Rows that gain by being written in one go; more gain nothing, or take too much memory.
    var rowsTogether: Int { get }

    /// Writes the rows of some ranges of examples, one after the other: [examples, width], on several threads.
    ///
    /// A row's bits do not depend on the number of threads, nor on what other ranges there are.
    /// - Throws: `Interrupted`.
    func write(
        _ ranges: [Range<Int>], into rows: UnsafeMutablePointer<Float>, parallel: Parallel, interruption: Interruption) throws
}

extension GradientRowWriter {
    /// As many as there are.
    public var rowsTogether: Int { .max }

    /// Ranges, cut into parts and put together so that each batch has at most `rowsTogether` rows.
    ///
    /// Each range is cut by itself: its parts are the same whatever other ranges there are.
    public func batches(of ranges: [Range<Int>]) -> [[Range<Int>]] {
        var batches: [[Range<Int>]] = []
        var room = 0
        for range in ranges where !range.isEmpty {
            let length = min(range.count, rowsTogether)
            for start in stride(from: range.lowerBound, to: range.upperBound, by: length) {
                let part = start..<min(start + length, range.upperBound)
                if part.count > room {
                    batches.append([])
                    room = rowsTogether
                }
                batches[batches.count - 1].append(part)
                room -= part.count
            }
        }
        return batches
    }
}

/// Rows of the factors of gradients: exact, and as short as rows can be that are.
public struct FactorRowWriter: GradientRowWriter {
    private let model: TrainedNetwork
    private let examples: LabeledExamples

    /// Numbers in a row.
    public var width: Int { model.factorWidth }

    /// Rows of a network's gradients.
    public init(model: TrainedNetwork, examples: LabeledExamples) {
        self.model = model
        self.examples = examples
    }

    /// See `GradientRowWriter`.
    public func write(
        _ ranges: [Range<Int>], into rows: UnsafeMutablePointer<Float>, parallel: Parallel, interruption: Interruption
    ) throws {
        var next = rows
        for range in ranges {
            try model.factors(of: range, in: examples, into: next, parallel: parallel, interruption: interruption)
            next += range.count * width
        }
    }
}

/// Rows that are the gradients themselves, in θ.
public struct DenseRowWriter: GradientRowWriter {
    private let model: TrainedNetwork
    private let examples: LabeledExamples

    /// p.
    public var width: Int { model.network.parameterCount }

    /// Rows of a network's gradients.
    public init(model: TrainedNetwork, examples: LabeledExamples) {
        self.model = model
        self.examples = examples
    }

    /// See `GradientRowWriter`.
    public func write(
        _ ranges: [Range<Int>], into rows: UnsafeMutablePointer<Float>, parallel: Parallel, interruption: Interruption
    ) throws {
        try model.writeGradients(of: ranges, in: examples, into: rows, parallel: parallel, interruption: interruption)
    }
}

/// Rows of gradients that are written out, and projected as wholes.
public struct ProjectedRowWriter: GradientRowWriter {
    private let model: TrainedNetwork
    private let examples: LabeledExamples
    private let projection: WholeProjection
    /// Gradients that are written out at a time.
    public let rowsTogether: Int

    /// d.
    public var width: Int { projection.outputWidth }

    /// Rows of a network's gradients.
    /// - Parameter memoryBudget: bytes for gradients that are written out, of which there is one in any case. The more there are at a time,
    ///   up to some hundreds, the less the projection costs each.
    public init(model: TrainedNetwork, examples: LabeledExamples, projection: WholeProjection, memoryBudget: Int) {
        precondition(projection.inputWidth == model.network.parameterCount, "the projection is of θ")
        self.model = model
        self.examples = examples
        self.projection = projection
        rowsTogether = min(1024, max(1, memoryBudget / (projection.inputWidth * MemoryLayout<Float>.stride)))
    }

    /// See `GradientRowWriter`.
    public func write(
        _ ranges: [Range<Int>], into rows: UnsafeMutablePointer<Float>, parallel: Parallel, interruption: Interruption
    ) throws {
        let batches = batches(of: ranges)
        let most = batches.map { $0.reduce(0) { $0 + $1.count } }.max() ?? 0
        let gradients = AlignedMemory<Float>(uninitialized: most * projection.inputWidth)
        var next = rows
        for batch in batches {
            let count = batch.reduce(0) { $0 + $1.count }
            try model.writeGradients(
                of: batch, in: examples, into: gradients.start, parallel: parallel, interruption: interruption)
            try projection.projection.project(
                gradients.start, count: count, into: next, parallel: parallel, interruption: interruption)
            next += count * width
        }
    }
}
