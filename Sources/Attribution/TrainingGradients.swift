public import LinearAlgebra

/// The loss gradients gᵢ of all training examples at one checkpoint, in whatever form they are kept or computed: what a scan needs.
public protocol TrainingGradients: Sendable {
    /// n.
    var count: Int { get }
    /// Numbers in a gradient, and in a direction it is multiplied with.
    var dimension: Int { get }

    /// direction · gᵢ for each of some stacked directions, `dimension` long, and each selected example.
    ///
    /// A score has the same bits beside whichever other directions, and on any number of threads.
    /// - Throws: `Interrupted`; what reading may throw, where gradients are not in memory.
    func scores(
        of selection: RowSelection, along directions: [Float], parallel: Parallel, interruption: Interruption
    ) throws -> Scores

    /// Scores of all examples, as `scores(of:along:parallel:interruption:)` has them, and what is wanted of the ends along each direction
    /// where that is better found in the same pass; nil where it costs nothing to score some examples again.
    /// - Parameter ends: one for each direction.
    /// - Throws: as there.
    func scan(
        along directions: [Float], ends: [WantedEnds], parallel: Parallel, interruption: Interruption
    ) throws -> (scores: Scores, ends: [RankedEnds]?)
}

extension TrainingGradients {
    /// Scores alone.
    public func scan(
        along directions: [Float], ends: [WantedEnds], parallel: Parallel, interruption: Interruption
    ) throws -> (scores: Scores, ends: [RankedEnds]?) {
        (try scores(of: .all, along: directions, parallel: parallel, interruption: interruption), nil)
    }

    /// Scores that nothing interrupts, of all examples unless said.
    public func scores(
        of selection: RowSelection = .all, along directions: [Float], parallel: Parallel
    ) throws -> Scores {
        try scores(of: selection, along: directions, parallel: parallel, interruption: .never)
    }
}

/// The examples that are scored.
public enum RowSelection: Sendable {
    /// 0..<n.
    case all
    /// These, in this order.
    case indices([UInt32])
}

/// Scores of some examples along some directions.
public struct Scores: Sendable {
    /// Examples scored.
    public let rowCount: Int
    /// Directions they were scored along.
    public let directionCount: Int
    /// direction · gᵢ: [directions, rows].
    public let values: AlignedMemory<Float>

    /// The scores along one direction, copied.
    public subscript(direction: Int) -> [Float] {
        Array(values.elements[direction * rowCount..<(direction + 1) * rowCount])
    }
}

extension RowSelection {
    /// Calls `body` with the selection among `count` examples as a batch.
    func withBatch<Result>(of count: Int, _ body: (ExampleBatch) throws -> Result) rethrows -> Result {
        switch self {
        case .all: try body(.range(0..<count))
        case .indices(let indices): try indices.withUnsafeBufferPointer { try body(.indices($0)) }
        }
    }
}
