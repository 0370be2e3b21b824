internal import LinearAlgebra

/// Products of the gradients of a layer on several positions: Σ_pq (x̃_p·x̃′_q)(δ_p·δ′_q), which is (Σ_p δ_p ⊗ x̃_p) · (Σ_q δ′_q ⊗ x̃′_q).
///
/// Of a convolution the positions are those of its window, and x̃ is what lies in it.
struct PositionPairs: Sendable {
    let part: FactorLayout.Part
    private let groups: [Group]
    private let inputWidth, outputWidth: Int
    /// Numbers of a matrix of products between positions.
    private static let tile = 1 << 14

    /// A layer, or one group of a convolution's channels, with x̃′ and δ′ of the other examples: [count, P, D̃] and [count, P, C].
    private struct Group: Sendable {
        let layer: KroneckerLayer
        let x, dy: AlignedMemory<Float>
    }

    /// Whether these products are less work than those with gradients written out, 2·P·D̃·C operations.
    static func arePreferred(for groups: [KroneckerLayer]) -> Bool {
        guard let layer = groups.first else { return false }
        let (p, d, c) = (layer.positions, layer.order, layer.outputs)
        // What lies in a window is copied, about as long as eight products take for each number.
        return p * (d + c) + 8 * d < d * c
    }

    init(
        _ part: FactorLayout.Part, _ groups: [KroneckerLayer], _ step: Step, _ count: Int, _ factors: ExampleGradients.Factors
    ) {
        self.part = part
        (inputWidth, outputWidth) = (step.inputWidth, step.outputWidth)
        let (inputs, deltas) = (factors.inputs(of: part), factors.outputGradients(of: part))
        self.groups = groups.map { layer in
            let (positions, order, outputs) = (layer.positions, layer.order, layer.outputs)
            let x = AlignedMemory<Float>(uninitialized: count * positions * order)
            let dy = AlignedMemory<Float>(uninitialized: count * positions * outputs)
            for example in 0..<count {
                let own = layer.deltas(of: deltas.start + example * step.outputWidth)
                for position in 0..<positions {
                    let place = example * positions + position
                    layer.writeInputs(
                        at: position, of: inputs.start + example * step.inputWidth, into: x.start + place * order)
                    for c in 0..<outputs {
                        dy.start[place * outputs + c] =
                            own.start[own.byPosition ? position * own.stride + c : c * own.stride + position]
                    }
                }
            }
            return Group(layer: layer, x: x, dy: dy)
        }
    }

    /// Numbers of scratch that `add` needs.
    var scratchCount: Int {
        groups.map { ($0.layer.positions * $0.layer.order) + 2 * max(Self.tile, $0.layer.positions * $0.layer.positions) }.max()
            ?? 0
    }

    /// scores[k, r] ← scores[k, r] + the product of row r with the k-th of a block of others. `check` is told of the operations done.
    func add(
        _ block: Range<Int>, _ rows: FactorRows, x: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>,
        to scores: UnsafeMutablePointer<Float>, stride: Int, check: (Int) throws -> Void
    ) rethrows {
        for row in 0..<rows.count {
            for group in groups {
                let layer = group.layer
                let (positions, order) = (layer.positions, layer.order)
                for position in 0..<positions {
                    layer.writeInputs(at: position, of: x + row * rows.xStride, into: scratch + position * order)
                }
                let deltas = layer.deltas(of: rows.dy + row * rows.dyStride)
                let atOnce = max(1, Self.tile / (positions * positions))
                for first in Swift.stride(from: block.lowerBound, to: block.upperBound, by: atOnce) {
                    let others = first..<min(first + atOnce, block.upperBound)
                    add(others, group, deltas, scratch) { k, sum in scores[k * stride + row] += sum }
                    try check(2 * others.count * positions * positions * (order + layer.outputs) + 16 * positions * order)
                }
            }
        }
    }

    /// Calls `body` with the products of one row and some others, x̃ of the row being at the beginning of the scratch.
    @inline(__always)
    private func add(
        _ others: Range<Int>, _ group: Group, _ deltas: KroneckerDeltas, _ scratch: UnsafeMutablePointer<Float>,
        _ body: (Int, Float) -> Void
    ) {
        let layer = group.layer
        let (positions, order, outputs) = (layer.positions, layer.order, layer.outputs)
        let width = others.count * positions
        let inputProducts = scratch + positions * order
        let deltaProducts = inputProducts + positions * width
        let first = others.lowerBound * positions
        MatrixProduct.multiply(
            .none, .transposed, m: positions, n: width, k: order, alpha: 1, scratch, order, group.x.start + first * order, order,
            beta: 0, inputProducts, width)
        MatrixProduct.multiply(
            deltas.asRows, .transposed, m: positions, n: width, k: outputs, alpha: 1, deltas.start, deltas.stride,
            group.dy.start + first * outputs, outputs, beta: 0, deltaProducts, width)
        for (index, other) in others.enumerated() {
            var sum = 0.0
            for p in 0..<positions {
                let place = p * width + index * positions
                for q in place..<place + positions { sum += Double(inputProducts[q]) * Double(deltaProducts[q]) }
            }
            body(other, Float(sum))
        }
    }
}
