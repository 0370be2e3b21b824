public import LinearAlgebra
public import Networks

/// A vector for each training example that scores are made with: its gradient at a checkpoint, or what else a method knows of it. What a
/// scan needs, in whatever form the vectors are kept or computed.
public protocol ScoredExamples: Sendable {
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

    /// g′ · gᵢ for each of a few other examples' gradients g′ and each selected example: what `scores(of:along:parallel:interruption:)`
    /// gives along `gradients.vectors`, but for rounding, and with less work where both gradients are known as factors.
    ///
    /// A score has the same bits beside whichever other gradients, in whatever selection, and on any number of threads.
    /// - Throws: as there.
    func scores(
        of selection: RowSelection, like gradients: ExampleGradients, parallel: Parallel, interruption: Interruption
    ) throws -> Scores

    /// Scores of all examples, as `scores(of:along:parallel:interruption:)` has them, and what else is wanted of the same examples, where
    /// one reading of them can serve both.
    /// - Parameters:
    ///   - ends: what is wanted of the ends along each direction; or none.
    ///   - curvature: D, a curvature of the same examples whose product with each direction is wanted, as `product` gives it to the last
    ///     bit; or none.
    /// - Throws: as there.
    func scan(
        along directions: [Float], ends: [WantedEnds], imaging curvature: (any CurvatureOperator)?, parallel: Parallel,
        interruption: Interruption
    ) throws -> Scan
}

/// The loss gradients gᵢ of all training examples at one checkpoint.
public protocol TrainingGradients: ScoredExamples {
    /// ‖gᵢ‖² of every example, in double precision: the squares of small gradients are smaller than floats can be.
    /// - Throws: as `scores(of:along:parallel:interruption:)`.
    func squaredNorms(parallel: Parallel, interruption: Interruption) throws -> [Double]
}

/// What one reading of all examples has given.
public struct Scan: Sendable {
    /// The scores along each direction.
    public let scores: Scores
    /// What was wanted of the ends; nil where it costs nothing to score some examples again.
    public let ends: [RankedEnds]?
    /// D·direction for each direction, stacked; nil where none was wanted.
    public let images: [Float]?

    /// What a reading has given.
    public init(scores: Scores, ends: [RankedEnds]?, images: [Float]?) {
        (self.scores, self.ends, self.images) = (scores, ends, images)
    }
}

extension ScoredExamples {
    /// Scores, and products that read the examples for themselves.
    public func scan(
        along directions: [Float], ends: [WantedEnds], imaging curvature: (any CurvatureOperator)?, parallel: Parallel,
        interruption: Interruption
    ) throws -> Scan {
        let scores = try scores(of: .all, along: directions, parallel: parallel, interruption: interruption)
        let images = try curvature?.images(of: directions, parallel: parallel, interruption: interruption)
        return Scan(scores: scores, ends: nil, images: images)
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

extension CurvatureOperator {
    /// D·x for each of some stacked vectors.
    /// - Throws: `Interrupted`.
    func images(of vectors: [Float], parallel: Parallel, interruption: Interruption) throws -> [Float] {
        try [Float](unsafeUninitializedCapacity: vectors.count) { images, initialized in
            if let start = images.baseAddress {
                try vectors.withUnsafeBufferPointer {
                    try product(
                        of: $0.baseAddress!, to: start, vectorCount: vectors.count / dimension, parallel: parallel,
                        interruption: interruption)
                }
            }
            initialized = vectors.count
        }
    }
}
