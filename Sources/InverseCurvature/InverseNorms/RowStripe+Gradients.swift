internal import LinearAlgebra

extension RowStripe {
    /// p: numbers in a row that is written out.
    var dimension: Int { factors.reduce(0) { $0 + $1.dimension } }

    /// Writes a row out, [p], in θ's order.
    func write(_ row: Int, into gradient: UnsafeMutablePointer<Float>) {
        var next = gradient
        for (index, factor) in factors.enumerated() {
            write(row, factor: index, into: next)
            next += factor.dimension
        }
    }

    /// Writes the part of a row out that is of one factor.
    func write(_ row: Int, factor index: Int, into gradient: UnsafeMutablePointer<Float>) {
        switch factors[index] {
        case .plain(let width): gradient.update(from: inputs(index, row: row), count: width)
        case .outer(let width, let outputs, let hasOne):
            let (x, deltas) = (inputs(index, row: row), self.outputs(index, row: row))
            for output in 0..<outputs {
                let (target, delta) = (gradient + output * width, deltas[output])
                for i in 0..<width { target[i] = delta * x[i] }
            }
            if hasOne { (gradient + outputs * width).update(from: deltas, count: outputs) }
        }
    }
}

extension RowFactor {
    /// Numbers that it stands for.
    var dimension: Int {
        switch self {
        case .outer(let inputs, let outputs, let hasOne): outputs * (inputs + (hasOne ? 1 : 0))
        case .plain(let width): width
        }
    }
}

extension FisherRows {
    /// Rows of a stripe at most.
    private var mostRows: Int { 4096 }

    /// Goes through all rows, as many at a time as fit into so many bytes by what they are made of; at least one.
    /// - Throws: `Interrupted`, what reading gradients may throw, and what `body` throws.
    func forEachStripe(
        memoryLimit: Int, parallel: Parallel, interruption: Interruption, _ body: (RowStripe) throws -> Void
    ) throws {
        let height = max(1, min(mostRows, memoryLimit / max(1, factorByteCount)))
        for start in stride(from: 0, to: exampleCount, by: height) {
            let stripe = RowStripe(start..<min(start + height, exampleCount), factors: factors)
            try write(stripe, parallel: parallel, interruption: interruption)
            try body(stripe)
        }
    }
}
