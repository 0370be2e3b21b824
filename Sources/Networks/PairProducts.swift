internal import LinearAlgebra

/// Products of training gradients with those of a few other examples, layer by layer, without directions as long as θ where both are
/// known as factors.
///
/// Of a linear layer on one position a product of two gradients is (x·x′ + 1)(δ·δ′), the one being for the bias (TracIn, appendix F):
/// D + C products instead of D·C. On several positions, a convolution's too, it is Σ_pq (x̃_p·x̃′_q)(δ_p·δ′_q), where that is less
/// work than the example's product with the other's gradient written out, which all other layers take. What a layer does depends on
/// its sizes alone, so that a product has the same bits whatever other examples there are.
struct PairProducts: Sendable {
    /// How a layer's part is made.
    enum Layer: Sendable {
        case outer(OuterPairs)
        case positions(PositionPairs)
        case written(FactorLayout.Part)

        var part: FactorLayout.Part {
            switch self {
            case .outer(let pairs): pairs.part
            case .positions(let pairs): pairs.part
            case .written(let part): part
            }
        }
    }

    let layers: [Layer]
    /// The other examples.
    let count: Int
    /// Their gradients written out, [count, p].
    let vectors: [Float]
    /// Most other examples that a chunk is multiplied with at a time.
    private static let block = 64

    init(_ network: Network, with others: ExampleGradients, _ factors: ExampleGradients.Factors) {
        let convolved = KroneckerLayer.all(of: network)
        (count, vectors) = (others.count, others.vectors)
        layers = factors.layout.parts.map { part in
            if case .linear(let linear) = network.steps[part.step].operation, linear.positions == 1 {
                return .outer(OuterPairs(part, linear, others.count, factors))
            }
            let groups = convolved.filter { $0.step == part.step }
            guard PositionPairs.arePreferred(for: groups) else { return .written(part) }
            return .positions(PositionPairs(part, groups, network.steps[part.step], others.count, factors))
        }
    }

    /// Rows of factors in memory that a thread takes at a time: where they are only read, so many that it matters little that the first of a
    /// stretch were not asked for ahead.
    var stretch: Int { layers.allSatisfy { if case .outer = $0 { true } else { false } } ? 512 : 1 }

    /// Ranges of the other examples, each few enough for a chunk's sums to stay in a cache.
    var blocks: [Range<Int>] { stride(from: 0, to: count, by: Self.block).map { $0..<min($0 + Self.block, count) } }
}

/// Where the factors of a few neighbouring rows lie.
struct FactorRows {
    let count: Int
    /// How many more lie behind them in the same way, and are next.
    var ahead = 0
    /// nil where x is the network's input, as it is stored.
    let x: UnsafePointer<Float>?
    let dy: UnsafePointer<Float>
    /// From one row to the next.
    let xStride, dyStride: Int
}

extension ExampleGradients.Factors {
    /// x of a part for all examples, one after the other.
    func inputs(of part: FactorLayout.Part) -> AlignedMemory<Float> {
        part.x.map { columns($0) } ?? AlignedMemory(copying: inputs)
    }

    /// δ of a part for all examples, one after the other.
    func outputGradients(of part: FactorLayout.Part) -> AlignedMemory<Float> { columns(part.dy) }

    private func columns(_ range: Range<Int>) -> AlignedMemory<Float> {
        let count = rows.count / max(1, layout.width)
        return AlignedMemory(
            copying: (0..<count).flatMap { rows[$0 * layout.width + range.lowerBound..<$0 * layout.width + range.upperBound] })
    }
}
