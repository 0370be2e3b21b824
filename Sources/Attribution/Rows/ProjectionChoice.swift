public import LinearAlgebra
public import Networks

/// A projection of directions, and of gradients to the rows that match them.
public protocol GradientProjection: DirectionProjection {
    /// The writer of rows whose products with projected directions estimate those of the gradients with the directions themselves.
    /// - Parameter memoryBudget: bytes for gradients that are written out before they are projected.
    func rowWriter(of examples: LabeledExamples, model: TrainedNetwork, memoryBudget: Int) -> any GradientRowWriter
}

/// Which projection of gradients: all that determines Φ beside the network.
public struct ProjectionChoice: Hashable, Sendable {
    /// The kinds of projections.
    public enum Kind: String, CaseIterable, Sendable {
        /// Normal numbers.
        case normal
        /// Signs.
        case rademacher
        /// A sparse Johnson-Lindenstrauss transform.
        case sjlt
        /// The fast projection of linear layers (TracIn, appendix F), and a sparse one of all other layers.
        case rank1
    }

    /// Its kind.
    public let kind: Kind
    /// d.
    public let dimension: Int
    /// What its random numbers are drawn by.
    public let seed: UInt64

    /// A choice that can be made.
    /// - Throws: `ProjectionError` for a dimension that the kind does not have.
    public init(_ kind: Kind, dimension: Int, seed: UInt64) throws {
        self.kind = kind
        self.dimension = dimension
        self.seed = seed
        // What is wrong with it is wrong for vectors of one number, too.
        switch kind {
        case .rank1: _ = try RankOneProjection(outputs: 1, inputs: 1, dimension: dimension, seed: seed, memoryBudget: 0)
        case .normal, .rademacher, .sjlt:
            _ = try Self.type(kind)?.makeProjection(inputWidth: 1, outputWidth: dimension, seed: seed, memoryBudget: 0)
        }
    }

    private static func type(_ kind: Kind) -> ProjectionType? {
        switch kind {
        case .normal: .normal
        case .rademacher: .rademacher
        case .sjlt: .sjlt
        case .rank1: nil
        }
    }

    /// The projection of directions in a network's θ.
    /// - Parameter memoryBudget: the most bytes to keep of Φ; what is not kept is made whenever it is needed.
    /// - Throws: `ProjectionError`; `Interrupted` while Φ is made.
    public func directions(
        of network: Network, memoryBudget: Int, parallel: Parallel, interruption: Interruption = .never
    ) throws -> any GradientProjection {
        guard let type = Self.type(kind) else {
            return try LayerwiseProjection(
                of: network, dimension: dimension, seed: seed, memoryBudget: memoryBudget, parallel: parallel,
                interruption: interruption)
        }
        return WholeProjection(
            try type.makeProjection(
                inputWidth: network.parameterCount, outputWidth: dimension, seed: seed, memoryBudget: memoryBudget,
                parallel: parallel, interruption: interruption))
    }

    /// About how many bytes a projection takes that `directions` has made.
    public func byteCount(of network: Network, memoryBudget: Int) -> Int {
        func kept(_ numbers: Int, _ count: Int) -> Int {
            let (product, overflow) = numbers.multipliedReportingOverflow(by: count * MemoryLayout<Float>.stride)
            return overflow || product > memoryBudget ? 0 : product
        }
        switch kind {
        case .normal: return kept(network.parameterCount, (dimension + 63) / 64 * 64)
        case .rademacher: return 0
        case .sjlt: return kept(network.parameterCount, ProjectionType.nonzeros)
        case .rank1:
            let root = Int(Double(dimension).squareRoot().rounded(.up))
            return network.trainedLayers.reduce(0) { sum, layer in
                guard let linear = layer.linear else { return sum + kept(layer.parameters.count, ProjectionType.nonzeros) }
                return sum + kept(linear.outputs + linear.inputs + 1, (root + 63) / 64 * 64)
            }
        }
    }
}
