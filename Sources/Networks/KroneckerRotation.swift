internal import LinearAlgebra

/// A layer's gradients in its bases, and the sum of their squares. One thread's own.
///
/// Of a layer with one position the gradient is δ ⊗ x̃, and the squares of (Q_G·δ) ⊗ (Q_A·x̃) are products of squares: with h = Σₖ (Q_G·δₖ)²
/// an example adds h ⊗ (Q_A·x̃)², and all examples of a chunk are one product of matrices. Of a layer with several the sum over
/// positions comes first: Q_G (Σ_t δₜ ⊗ x̃ₜ) Q_Aᵀ, made of rotated rows where a chunk's fit into memory, and otherwise rotated
/// afterwards.
final class KroneckerRotation {
    let layer: KroneckerLayer
    private let basis: KroneckerBasis
    private let sum: UnsafeMutablePointer<Float>
    /// Rows as they are, and Q_A·x̃ of them.
    private let plain, rotated: AlignedMemory<Float>
    /// Q_G·δ, and h.
    private let rotatedDeltas, squares: AlignedMemory<Float>
    /// An example's gradient [C, D̃] on its way, and what it becomes.
    private let gradient, image: AlignedMemory<Float>

    /// Rows that are rotated, or whose outer products are summed, at once.
    private static let block = 256
    /// Rotated numbers that are kept.
    static let mostNumbers = 1 << 24
    private static let tileColumns = 128

    private var order: Int { layer.order }
    private var outputs: Int { layer.outputs }
    private let keepsRows: Bool

    /// Whether a chunk's rotated rows are kept.
    private static func keepsRows(_ layer: KroneckerLayer, rows: Int, mostNumbers: Int = mostNumbers) -> Bool {
        layer.positions == 1 || rows * layer.positions <= mostNumbers / layer.order
    }

    /// Bytes that it takes, about.
    static func byteCount(_ layer: KroneckerLayer, rows: Int) -> Double {
        let positions = Double(rows * layer.positions)
        let kept = keepsRows(layer, rows: rows) ? positions * Double(layer.order) : 0
        let matrices = layer.positions == 1 ? positions * Double(layer.outputs) : 2 * Double(layer.order) * Double(layer.outputs)
        return 4
            * (kept + matrices + (min(Double(block), positions) + Double(layer.positions)) * Double(layer.order + layer.outputs))
    }

    /// Adds to Λ [C, D̃] at `sum`, for chunks of up to `rows` examples.
    init(
        _ layer: KroneckerLayer, _ basis: KroneckerBasis, rows: Int, addingTo sum: UnsafeMutablePointer<Float>,
        mostNumbers: Int = mostNumbers
    ) {
        self.layer = layer
        self.basis = basis
        self.sum = sum
        let positions = rows * layer.positions
        keepsRows = Self.keepsRows(layer, rows: rows, mostNumbers: mostNumbers)
        plain = AlignedMemory(uninitialized: min(Self.block, positions) * layer.order)
        rotated = AlignedMemory(uninitialized: keepsRows ? positions * layer.order : 0)
        rotatedDeltas = AlignedMemory(
            uninitialized: layer.positions == 1 ? min(Self.block, rows) * layer.outputs : layer.positions * layer.outputs)
        squares = AlignedMemory(uninitialized: layer.positions == 1 ? rows * layer.outputs : 0)
        let size = layer.positions == 1 ? 0 : layer.order * layer.outputs
        gradient = AlignedMemory(uninitialized: size)
        image = AlignedMemory(uninitialized: size)
    }

    /// Adds a chunk's squares: called for each k with the same x, the first and the last of them marked. `x` and `dy` are rows so far apart.
    func add(
        x: UnsafePointer<Float>, stride inputStride: Int, dy: UnsafePointer<Float>, stride outputStride: Int, rows: Int,
        isFirst: Bool, isLast: Bool, check: (Int) throws -> Void
    ) throws {
        if isFirst, keepsRows { try rotateRows(x, inputStride, rows: rows, check) }
        if layer.positions == 1 {
            try addSquares(dy, outputStride, rows: rows, isFirst: isFirst, isLast: isLast, check)
            return
        }
        for row in 0..<rows {
            let (x, dy) = (x + row * inputStride, dy + row * outputStride)
            if keepsRows {
                try sumRotated(row, layer.deltas(of: dy), check)
            } else {
                try rotateSum(x, layer.deltas(of: dy), check)
            }
            for i in 0..<outputs * order { sum[i] += image.start[i] * image.start[i] }
            try check(4 * outputs * order)
        }
    }

    /// Q_A·x̃ of all of a chunk's rows.
    private func rotateRows(
        _ x: UnsafePointer<Float>, _ stride: Int, rows: Int, _ check: (Int) throws -> Void
    ) throws {
        let count = rows * layer.positions
        for first in Swift.stride(from: 0, to: count, by: Self.block) {
            let block = first..<min(first + Self.block, count)
            for place in block {
                layer.writeInputs(
                    at: place % layer.positions, of: x + place / layer.positions * stride,
                    into: plain.start + (place - first) * order)
            }
            try rotate(plain.start, order, block.count, by: basis.inputs, order, into: rotated.start + first * order, check)
        }
    }

    /// result [rows, order] ← matrix [rows, order]·basisᵀ, the matrix's rows being `stride` apart.
    private func rotate(
        _ matrix: UnsafePointer<Float>, _ stride: Int, _ rows: Int, by basis: AlignedMemory<Float>, _ order: Int,
        into result: UnsafeMutablePointer<Float>, _ check: (Int) throws -> Void
    ) throws {
        for column in Swift.stride(from: 0, to: order, by: Self.tileColumns) {
            let width = min(Self.tileColumns, order - column)
            MatrixProduct.multiply(
                .none, .transposed, m: rows, n: width, k: order, alpha: 1, matrix, stride, basis.start + column * order, order,
                beta: 0, result + column, order)
            try check(2 * rows * width * order)
        }
    }

    /// One position: h gathers the squares, and goes into the sum behind the last.
    private func addSquares(
        _ dy: UnsafePointer<Float>, _ stride: Int, rows: Int, isFirst: Bool, isLast: Bool, _ check: (Int) throws -> Void
    ) throws {
        if isFirst {
            squares.elements.update(repeating: 0)
            for i in 0..<rows * order { rotated.start[i] *= rotated.start[i] }
        }
        let deltas = layer.deltas(of: dy).start
        for first in Swift.stride(from: 0, to: rows, by: Self.block) {
            let block = first..<min(first + Self.block, rows)
            try rotate(
                deltas + first * stride, stride, block.count, by: basis.outputs, outputs, into: rotatedDeltas.start, check)
            let target = squares.start + first * outputs
            for i in 0..<block.count * outputs { target[i] += rotatedDeltas.start[i] * rotatedDeltas.start[i] }
        }
        guard isLast else { return }
        for column in Swift.stride(from: 0, to: order, by: Self.tileColumns) {
            let width = min(Self.tileColumns, order - column)
            MatrixProduct.multiply(
                .transposed, .none, m: outputs, n: width, k: rows, alpha: 1, squares.start, outputs, rotated.start + column,
                order, beta: 1, sum + column, order)
            try check(2 * outputs * width * rows)
        }
    }

    /// image ← Q_G (Σ_t δₜ ⊗ (Q_A·x̃ₜ)) of an example whose rows are rotated: Q_G first where positions are fewer than numbers in a row.
    private func sumRotated(_ row: Int, _ deltas: KroneckerDeltas, _ check: (Int) throws -> Void) throws {
        let (rows, positions) = (rotated.start + row * layer.positions * order, layer.positions)
        guard positions <= order else {
            try addOuter(deltas, rows, positions, isFirst: true, into: gradient.start, check)
            return try rotateOutputs(gradient.start, order, check)
        }
        for position in stride(from: 0, to: positions, by: Self.tileColumns) {
            let width = min(Self.tileColumns, positions - position)
            let source = deltas.from(position)
            MatrixProduct.multiply(
                .none, deltas.byOutput, m: outputs, n: width, k: outputs, alpha: 1, basis.outputs.start, outputs, source.start,
                source.stride, beta: 0, rotatedDeltas.start + position, positions)
            try check(2 * outputs * outputs * width)
        }
        let turned = KroneckerDeltas(start: rotatedDeltas.start, stride: positions, byPosition: false)
        try addOuter(turned, rows, positions, isFirst: true, into: image.start, check)
    }

    /// image ← Q_G (Σ_t δₜ ⊗ x̃ₜ) Q_Aᵀ of an example.
    private func rotateSum(
        _ x: UnsafePointer<Float>, _ deltas: KroneckerDeltas, _ check: (Int) throws -> Void
    ) throws {
        for first in stride(from: 0, to: layer.positions, by: Self.block) {
            let count = min(Self.block, layer.positions - first)
            for place in 0..<count { layer.writeInputs(at: first + place, of: x, into: plain.start + place * order) }
            try addOuter(deltas.from(first), plain.start, count, isFirst: first == 0, into: image.start, check)
        }
        try rotate(image.start, order, outputs, by: basis.inputs, order, into: gradient.start, check)
        try rotateOutputs(gradient.start, order, check)
    }

    /// image ← Q_G·matrix [C, columns].
    private func rotateOutputs(
        _ matrix: UnsafePointer<Float>, _ columns: Int, _ check: (Int) throws -> Void
    ) throws {
        for column in stride(from: 0, to: columns, by: Self.tileColumns) {
            let width = min(Self.tileColumns, columns - column)
            MatrixProduct.multiply(
                .none, .none, m: outputs, n: width, k: outputs, alpha: 1, basis.outputs.start, outputs, matrix + column, columns,
                beta: 0, image.start + column, columns)
            try check(2 * outputs * width * outputs)
        }
    }

    /// result [C, D̃] ← (isFirst ? 0 : result) + Σ δ ⊗ x̃ over some rows and as many positions.
    private func addOuter(
        _ deltas: KroneckerDeltas, _ rows: UnsafePointer<Float>, _ count: Int, isFirst: Bool,
        into result: UnsafeMutablePointer<Float>, _ check: (Int) throws -> Void
    ) throws {
        for column in stride(from: 0, to: order, by: Self.tileColumns) {
            let width = min(Self.tileColumns, order - column)
            MatrixProduct.multiply(
                deltas.byOutput, .none, m: outputs, n: width, k: count, alpha: 1, deltas.start, deltas.stride, rows + column,
                order, beta: isFirst ? 0 : 1, result + column, order)
            try check(2 * outputs * width * count)
        }
    }
}
