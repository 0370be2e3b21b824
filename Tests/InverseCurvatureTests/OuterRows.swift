import InverseCurvature
import LinearAlgebra
import TestSupport

/// Rows made of two factors: δ ⊗ (x, 1) for the first part, and numbers as they are for the rest; written out where anything else is asked.
struct OuterRows: FisherRows {
    let inputs, outputs, plain: Int
    let x, deltas, rest: [Float]
    let written: DenseRows

    init(count: Int, inputs: Int, outputs: Int, plain: Int, seed: UInt64, scale: Double = 1) {
        var numbers = SeededNumbers(seed)
        (self.inputs, self.outputs, self.plain) = (inputs, outputs, plain)
        let (x, deltas) = (numbers.floats(count * inputs), numbers.floats(count * outputs, scale: scale))
        let rest = numbers.floats(count * plain, scale: scale)
        (self.x, self.deltas, self.rest) = (x, deltas, rest)
        let rows = (0..<count).flatMap { i in
            let delta = deltas[i * outputs..<(i + 1) * outputs]
            return delta.flatMap { d in x[i * inputs..<(i + 1) * inputs].map { d * $0 } } + delta
                + rest[i * plain..<(i + 1) * plain]
        }
        written = DenseRows(rows, width: outputs * (inputs + 1) + plain)
    }

    var dimension: Int { written.dimension }
    var exampleCount: Int { written.exampleCount }
    var blocks: [Range<Int>] { written.blocks }
    var factors: [RowFactor] { [.outer(inputs: inputs, outputs: outputs, hasOne: true), .plain(plain)] }

    func visit(
        _ rows: Range<Int>, along x: UnsafePointer<Float>?, addingTo y: UnsafeMutablePointer<Float>?, vectorCount: Int,
        needsNorms: Bool, interruption: Interruption, _ body: (RowProducts) throws -> Void
    ) throws {
        try written.visit(
            rows, along: x, addingTo: y, vectorCount: vectorCount, needsNorms: needsNorms, interruption: interruption, body)
    }

    func write(_ stripe: RowStripe, parallel: Parallel, interruption: Interruption) throws {
        try interruption.check()
        for row in stripe.rows {
            stripe.inputs(0, row: row).update(from: Array(x[row * inputs..<(row + 1) * inputs]), count: inputs)
            stripe.outputs(0, row: row).update(from: Array(deltas[row * outputs..<(row + 1) * outputs]), count: outputs)
            stripe.inputs(1, row: row).update(from: Array(rest[row * plain..<(row + 1) * plain]), count: plain)
        }
    }
}
