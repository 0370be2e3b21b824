internal import LinearAlgebra

// Squares of gradients, example by example, from the factors that the last way forward and back has left: what diagonals and traces of
// curvatures are sums of.
extension Pass where Number == Float {
    /// squares ← squares + Σ_rows g², element by element, g being a row's gradient.
    ///
    /// A linear layer on one position has ∇W = δ ⊗ x, whose squares are δ² ⊗ x²: one product of matrices for all rows. Gradients of other
    /// layers are written out, row by row.
    /// - Parameters:
    ///   - chosen: the steps whose part of g it is; nil for all.
    ///   - gradient: memory like θ, all zero, and zero again afterwards.
    func addSquares(
        of chosen: Set<Int>? = nil, _ parameters: Parameters<Float>, to squares: UnsafeMutablePointer<Float>,
        gradient: UnsafeMutablePointer<Float>
    ) throws(Interrupted) {
        for (index, step) in network.steps.enumerated() where step.isTrained && chosen?.contains(index) ?? true {
            if case .linear(let linear) = step.operation, linear.positions == 1 {
                let (squared, dy) = squaredFactors(of: index, frame(index, parameters))
                linear.accumulate(squared, step, dy: dy, into: squares)
                try check(afterForEachRow: step.operations)
                continue
            }
            try forEachRowGradient(of: index, parameters, gradient) { _, part in
                for i in part {
                    squares[i] += gradient[i] * gradient[i]
                    gradient[i] = 0
                }
            }
        }
    }

    /// norms[row] ← norms[row] + ‖g‖² for each row's gradient g.
    /// - Parameter gradient: memory like θ, all zero, and zero again afterwards.
    func addSquaredNorms(
        _ parameters: Parameters<Float>, to norms: UnsafeMutablePointer<Double>, gradient: UnsafeMutablePointer<Float>
    ) throws(Interrupted) {
        for (index, step) in network.steps.enumerated() where step.isTrained {
            try addSquaredNorms(of: index, parameters, to: norms, gradient: gradient)
        }
    }

    /// The same of a step's part of the gradients.
    ///
    /// A linear layer's on one position is ‖δ‖²(‖x‖² + 1), the one being for the bias; on several positions Σ_pq (x_p·x_q + 1)(δ_p·δ_q)
    /// where that is less work than to write the gradient out.
    func addSquaredNorms(
        of index: Int, _ parameters: Parameters<Float>, to norms: UnsafeMutablePointer<Double>,
        gradient: UnsafeMutablePointer<Float>
    ) throws(Interrupted) {
        if case .linear(let linear) = network.steps[index].operation, linear.positions == 1 {
            let (x, dy) = factors(of: index)
            for row in 0..<rows {
                let (x, dy) = (x + row * linear.inputs, dy + row * linear.outputs)
                norms[row] +=
                    Vectors.dot(dy, dy, linear.outputs)
                    * (Vectors.dot(x, x, linear.inputs) + (linear.bias == nil ? 0 : 1))
            }
            return
        }
        if case .linear(let linear) = network.steps[index].operation, linear.prefersProductsOfPositions {
            let (x, dy) = factors(of: index)
            let step = network.steps[index]
            for row in 0..<rows {
                norms[row] += linear.squaredNorm(x: x + row * step.inputWidth, dy: dy + row * step.outputWidth)
                try check(after: linear.positions * (linear.positions + 1) * (linear.inputs + linear.outputs))
            }
            return
        }
        try forEachRowGradient(of: index, parameters, gradient) { row, part in
            norms[row] += Vectors.dot(gradient + part.lowerBound, gradient + part.lowerBound, part.count)
            (gradient + part.lowerBound).update(repeating: 0, count: part.count)
        }
    }

    /// A step's frame with x², and δ², in memory that tangents have at other times.
    private func squaredFactors(
        of index: Int, _ frame: Frame<Float>
    ) -> (frame: Frame<Float>, dy: UnsafePointer<Float>) {
        let (x, dy) = factors(of: index)
        let (squaredX, squaredDy) = tangentMemory(of: index)
        let step = network.steps[index]
        for i in 0..<rows * step.inputWidth { squaredX[i] = x[i] * x[i] }
        for i in 0..<rows * step.outputWidth { squaredDy[i] = dy[i] * dy[i] }
        let squared = Frame(
            rows: rows, parameters: frame.parameters, x: squaredX, y: frame.y, saved: frame.saved, scratch: frame.scratch,
            parallel: frame.parallel)
        return (squared, UnsafePointer(squaredDy))
    }

    /// Calls `body` with each part of θ that a row's gradient of a step lies in, the gradient being there; what `body` does not set to zero
    /// is still there when the part comes again.
    @inline(__always)
    private func forEachRowGradient(
        of index: Int, _ parameters: Parameters<Float>, _ gradient: UnsafeMutablePointer<Float>,
        _ body: (Int, Range<Int>) -> Void
    ) throws(Interrupted) {
        let step = network.steps[index]
        for row in 0..<rows {
            addGradient(of: index, row: row, parameters, to: gradient)
            if case .embedding(let embedding) = step.operation {
                // A few rows of what may be a large matrix.
                embedding.forEachRow(of: frame(index, parameters, row: row)) { body(row, $0) }
                try check(after: step.operations)
            } else {
                body(row, step.trained)
                try check(after: step.operations + 4 * step.trained.count)
            }
        }
    }
}

extension LinearStep {
    /// Whether a gradient's norm is less work from products between positions, P(P + 1)(D + C) operations in double precision, than from
    /// the gradient written out, 2·P·D·C in single precision and what its zeros and its norm take.
    ///
    /// Measured for D = C = 256 on one core of a Zen 5: 15 times as fast on two positions, and as fast on 24.
    fileprivate var prefersProductsOfPositions: Bool {
        10 * positions * (positions + 1) * (inputs + outputs) < (positions + 25) * inputs * outputs
    }

    /// ‖Σ_p δ_p ⊗ x̃_p‖² of an example: as precise as its factors, also where positions cancel.
    fileprivate func squaredNorm(x: UnsafePointer<Float>, dy: UnsafePointer<Float>) -> Double {
        let one = bias == nil ? 0.0 : 1
        var sum = 0.0
        for p in 0..<positions {
            for q in 0...p {
                let product =
                    (Vectors.dot(x + p * inputs, x + q * inputs, inputs) + one)
                    * Vectors.dot(dy + p * outputs, dy + q * outputs, outputs)
                sum += p == q ? product : 2 * product
            }
        }
        // What rounds to less than nothing is nothing; NaN stays.
        return sum < 0 ? 0 : sum
    }
}
